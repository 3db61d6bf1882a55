"""Values and words made fit for a terminal: nothing unprintable, no line without end, columns that line up."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

SECRET = "(secret)"  # noqa: S105  the word that stands for one
UNSET_TEXT = "(unset)"
ELLIPSIS = "..."
SHORTEST = 12
"""Below this many columns a shortened value says nothing any more."""


def printable(text: str) -> str:
    r"""Return `text` with every character that is not a visible one or a space spelled as an escape (\x1b, \u202e).

    Labs come from strangers: a value must not move the cursor, hide text or turn the reading direction.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char) or char.encode("unicode_escape").decode()


def printable_lines(text: str) -> list[str]:
    """Return the lines of a text that may have several, each made printable, with tabs as four spaces."""
    return [printable(line.expandtabs(4)) for line in text.split("\n")]


def is_block(value: Any) -> bool:
    """Return whether a value is a text of several lines, to be shown line by line."""
    return isinstance(value, str) and "\n" in value.rstrip("\n")


def show(value: Any) -> str:
    """Return a JSON value on one printable line: strings quoted, mappings in their own order."""
    return printable(json.dumps(value, ensure_ascii=False, default=str)).replace("\x7f", "\\x7f")


def show_size(value: Any) -> str:
    """Return a number of bytes as Docker's options spell it ("512m"); anything else as `show` does."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return show(value)
    for power, letter in ((3, "g"), (2, "m"), (1, "k")):
        count, rest = divmod(value, 1024**power)
        if count and not rest:
            return f"{count}{letter}"
    return str(value)


def width(text: str) -> int:
    """Return how many terminal columns a printable text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """Return `text` filled up with spaces to a number of columns."""
    return text + " " * max(0, columns - width(text))


def shorten(text: str, columns: int | None, start: int = 0) -> str:
    """Return at most `columns` columns of a text from character `start` on, saying where something is left out.

    None is no limit.
    """
    if columns is None or width(text) <= columns:
        return text
    head = ELLIPSIS if start else ""
    rest = text[start:]
    room = max(columns, SHORTEST) - len(head)
    if width(rest) <= room:
        return head + rest
    kept, used = [], len(ELLIPSIS)
    for char in rest:
        used += _columns(char)
        if used > room:
            break
        kept.append(char)
    return head + "".join(kept) + ELLIPSIS


def shorten_pair(before: str, after: str, columns: int) -> tuple[str, str]:
    """Return two texts shortened so that the first place where they differ is in sight in both."""
    if max(width(before), width(after)) <= columns:
        return before, after
    common = 0
    for left, right in zip(before, after, strict=False):
        if left != right:
            break
        common += 1
    start = max(0, common - max(columns, SHORTEST) // 4)
    return shorten(before, columns, start), shorten(after, columns, start)


def table(rows: Iterable[tuple[str, ...]], gap: int = 2) -> list[str]:
    """Return rows of equal length as lines, every column as wide as its widest cell."""
    rows = list(rows)
    if not rows:
        return []
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ((" " * gap).join(pad(cell, columns) for cell, columns in zip(row, widths, strict=True)) for row in rows)
    return [line.rstrip() for line in lines]


def count(number: int, noun: str) -> str:
    """Return '1 volume' or '2 volumes'."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def seconds(value: float) -> str:
    """Return a duration in seconds as people read it: '0.3 s', '42 s', '3 min 5 s'."""
    if value < 10:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def without_secrets(fields: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """Return the fields whose values may be shown."""
    return {name: value for name, value in fields.items() if name not in secret}
