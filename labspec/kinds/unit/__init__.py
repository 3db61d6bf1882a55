"""Units of systemd: services, sockets, timers and the rest, as files on the host and as running things."""
