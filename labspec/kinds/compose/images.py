"""References to images."""

from __future__ import annotations

import re
from functools import lru_cache

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?"
    rf"{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?"
    r"(?:@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,})?"
)
_LONGEST = 512


@lru_cache(maxsize=256)
def check_reference(reference: str) -> str:
    """Return a reference to an image. Raises ValueError where it is none."""
    if len(reference) > _LONGEST or not _REFERENCE.fullmatch(reference):
        if _REFERENCE.fullmatch(reference.lower()) and len(reference) <= _LONGEST:
            raise ValueError(f"'{reference}' is no name of an image: it has capital letters: write {reference.lower()}")
        raise ValueError(f"{reference[:80]!r} is no name of an image: write one such as debian:latest")
    return reference
