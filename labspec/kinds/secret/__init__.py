"""Secrets: files, or variables, that services are given without showing them."""
