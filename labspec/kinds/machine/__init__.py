"""Machines of systemd-nspawn: an image's files below /var/lib/machines, a .nspawn file, and a unit that runs them."""
