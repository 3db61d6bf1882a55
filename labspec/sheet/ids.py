"""Ids of sections and blocks: those that the spec names, and for the rest ids that follow from the contents."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
LONGEST = 64
_SPOKEN = 32
_DIGITS = 6


def slug(text: str) -> str:
    """Return a text as an id: small letters, digits and '-'; '' where it has none."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SPOKEN].strip("-")


def block_id(kind: str, spoken: str, contents: Mapping[str, Any]) -> str:
    """Return the id of a block by its kind, words that tell what it is, and all that makes it what it is.

    The words are those of a command or an address, never of a text: a solution must not be told by its id.
    """
    canonical = json.dumps(contents, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode(errors="replace")).hexdigest()[:_DIGITS]
    return "-".join(part for part in (kind, slug(spoken), digest) if part)


def unique(wanted: str, taken: set[str]) -> str:
    """Return an id that is not taken, and take it: `wanted`, or that with a number behind it."""
    found, number = wanted, 1
    while found in taken:
        number += 1
        found = f"{wanted}-{number}"
    taken.add(found)
    return found
