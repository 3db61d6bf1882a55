"""Makes this folder's helpers importable by the tests of the kinds of the host."""
