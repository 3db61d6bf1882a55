"""The names of a lab's images: which tag an entry of `images` gets, and which entry a reference means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from labspec.kinds.provider import Scope

TAG_PATTERN = (
    r"^([a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
    r"(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?$"
)
"""A repository and a tag, without a digest, as Docker's reference grammar has them."""
TAGS_LABEL = "io.labspec.tags"
"""The label of an image with its further names, blanks between them."""
_IMPLIED = ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/")


def image_tag(lab: str, name: str, entry: Mapping[str, Any]) -> str:
    """Return the tag of `images.name`, as the engine lists it.

    Where the entry has none it is `<lab>/<name>:latest`, and the entry's own name for an image that the lab only uses.
    """
    tag = entry.get("tag")
    if isinstance(tag, str) and tag:
        return normal_tag(tag)
    return normal_tag(name if entry.get("external") else f"{lab}/{name}".lower())


def normal_tag(tag: str) -> str:
    """Return a tag as the engine lists it: without the default registry, with the default tag written out."""
    for prefix in _IMPLIED:
        if tag.startswith(prefix):
            tag = tag.removeprefix(prefix)
            break
    return tag if ":" in tag.rpartition("/")[2] else f"{tag}:latest"


def valid_tag(tag: str) -> bool:
    """Return whether an image can have this tag."""
    return len(tag) <= 255 and re.fullmatch(TAG_PATTERN, tag) is not None


def lab_image(scope: Scope, reference: str) -> tuple[str, str] | None:
    """Return (tag, address) of the lab's own image that a reference means, or None where it is another image.

    A reference means one of the lab's by its name in `images`, or by its tag.
    """
    entry = scope.entry("images", reference)
    if isinstance(entry, Mapping):
        return image_tag(scope.lab, reference, entry), f"image.{reference}"
    if "@" in reference:
        return None
    wanted = normal_tag(reference)
    name = _by_tag(scope).get(wanted)
    return None if name is None else (wanted, f"image.{name}")


@lru_cache(maxsize=1)
def _by_tag(scope: Scope) -> Mapping[str, str]:
    """Return tag -> name of the lab's own images; of those with the same tag, the first."""
    found: dict[str, str] = {}
    for name in scope.names("images"):
        entry = scope.entry("images", name)
        if isinstance(entry, Mapping):
            found.setdefault(image_tag(scope.lab, name, entry), name)
    return found
