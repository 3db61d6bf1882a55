"""What a test of a page is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page

Open = Callable[..., Page]
"""Opens an edition's page, or a file's, with options of a context."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What pages said and asked for."""

    said: list[str] = field(default_factory=list)
    """Messages on the console, errors, dialogs."""
    asked: list[str] = field(default_factory=list)
    """Addresses."""
