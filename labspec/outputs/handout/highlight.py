"""Code with its syntax marked, as HTML."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

if TYPE_CHECKING:
    from pygments.lexer import Lexer

PREFIX = "k-"
"""What the classes of tokens begin with, so that they are no others."""
_LONGEST = 200_000
_FORMATTER = HtmlFormatter(nowrap=True, classprefix=PREFIX)


def highlighted(text: str, language: str) -> Markup:
    """Return a text as HTML, its tokens in classes; plain where the language is not known or the text is very long."""
    lexer = _lexer(language) if language and len(text) <= _LONGEST else None
    if lexer is None:
        return escape(text)
    marked = highlight(text, lexer, _FORMATTER)
    # Pygments escapes what it marks, and ends every line; a command that is copied must not be run at once.
    return Markup(marked if text.endswith("\n") else marked.removesuffix("\n"))  # noqa: S704


def language_of(output: str) -> str:
    """Return the language of a command's output where it is plain to see: json, or ''."""
    if output.lstrip()[:1] not in ("{", "[") or len(output) > _LONGEST:
        return ""
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        return ""
    return "json" if isinstance(value, dict | list) else ""


@cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
