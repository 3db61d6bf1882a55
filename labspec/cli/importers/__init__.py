"""The commands below `labspec import`, one module each, imported when called."""
