"""Text for people, in one language or in several."""

from __future__ import annotations

from collections.abc import Mapping

Words = str | Mapping[str, str]
"""The same text for every language, or one for each: {"en": ..., "fr": ...}."""


def in_language(words: Words, language: str) -> str:
    """Return the text in a language. Raises KeyError where it is not there in it, which a validated lab never does."""
    return words if isinstance(words, str) else words[language]
