"""OCI bundles: a folder with a config.json and an image's root file system, prepared for runc or running under it."""
