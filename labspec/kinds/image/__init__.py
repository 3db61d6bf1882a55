"""Images: built from steps or a Dockerfile, loaded from an archive, or made of a distribution's packages."""
