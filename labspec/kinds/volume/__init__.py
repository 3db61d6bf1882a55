"""Volumes: where containers keep data, on the host's disk, in memory or behind a driver."""
