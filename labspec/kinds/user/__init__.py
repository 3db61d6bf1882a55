"""Users of the host."""
