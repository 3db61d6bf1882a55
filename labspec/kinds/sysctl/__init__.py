"""Kernel parameters: the value now, and after the next boot."""
