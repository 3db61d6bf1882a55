"""Files of the host: content, permissions, owner."""
