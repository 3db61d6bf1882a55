"""What a plan says that has nothing to do."""

NO_CHANGES = "No changes. The host matches the spec."
NOTHING_TO_DESTROY = "Nothing to destroy. The host has nothing of this lab."
