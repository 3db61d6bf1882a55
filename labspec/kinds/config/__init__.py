"""Configs: files that services are given."""
