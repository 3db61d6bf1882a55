"""Services: the containers of a lab, in the Compose specification's vocabulary."""
