"""labspec: declarative container labs, planned against the live host."""

__version__ = "0.1.0"
