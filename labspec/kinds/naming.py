"""What entries of the spec may be named."""

from labspec.kinds.provider import Naming, Section

NAME_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
USUAL_NAMES = Naming(NAME_PATTERN, "use letters, digits, '_', '.' and '-', and begin with a letter or digit")


def naming(section: Section) -> Naming:
    """Return what the names of a section's entries look like: those of objects, where it does not say."""
    found: Naming = getattr(section, "naming", USUAL_NAMES)
    return found
