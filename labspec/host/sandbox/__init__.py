"""The sandbox: a container with systemd and a Docker engine of its own, as a lab host to throw away."""
