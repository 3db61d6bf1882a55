"""The Compose specification: what its files may say, its short spellings, its variables, and files written in it."""
