"""Stacks: further compose projects of a lab, written inline or in files of their own."""
