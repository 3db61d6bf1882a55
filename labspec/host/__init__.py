"""The host: Docker, files, processes. Only input and output; nothing here decides."""
