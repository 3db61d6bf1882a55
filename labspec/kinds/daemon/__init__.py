"""The Docker daemon: its settings in daemon.json, and whether its service runs."""
