"""Groups of the host, and who is in them."""
