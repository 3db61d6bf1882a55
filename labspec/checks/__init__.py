"""Checks: what must be true of the applied lab, and how it is found out."""
