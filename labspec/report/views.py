"""Views as text: tables, what they mean, and how to see the same by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from labspec.report.text import printable, shorten, table, width

if TYPE_CHECKING:
    from labspec.engine.views import Table, View

LONGEST = 72
"""Columns of a cell; --json has the whole of it."""
NOTE = 100
"""Columns of a sentence below the tables."""
_IDENTITY = re.compile(r"(?<![0-9a-f])([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])")
"""An id of the engine's: twelve digits are enough to know it by."""


def view_text(view: View, columns: int | None = None) -> list[str]:
    """Return the lines of a view: printable, without colours, at most `columns` wide where that is given.

    It is what `labspec show` prints into a file.
    """
    return [line if columns is None else shorten(line, columns) for line in view_lines(view, str)]


def view_lines(view: View, head: Callable[[str], str]) -> Iterator[str]:
    """Yield the lines of a view; `head` makes those that stand above others stand out."""
    yield head(printable(view.title))
    for one in view.tables:
        yield ""
        if one.title:
            yield f"{printable(one.title)}:"
        first, *rest = _table(one)
        yield head(first)
        yield from rest
    if view.kind == "api":
        yield ""
        yield from answer_lines(view.answer)
    if view.notes:
        yield ""
        for note in view.notes:
            yield from wrap(printable(note), NOTE, break_on_hyphens=False)
    if view.by_hand:
        yield ""
        yield "By hand:"
        yield from (f"  {printable(line)}" for line in view.by_hand)


def answer_lines(answer: object) -> list[str]:
    """Return the lines of the engine's answer: JSON laid out, or the text that it is."""
    if isinstance(answer, str):
        return [printable(line) for line in answer.split("\n")]
    laid_out = json.dumps(answer, indent=2, ensure_ascii=False)
    return [printable(line) for line in laid_out.split("\n")]


def _table(one: Table) -> list[str]:
    rows = [one.columns, *one.rows]
    return table([tuple(_cell(cell) for cell in row) for row in rows])


def _cell(text: str) -> str:
    shown = _IDENTITY.sub(r"\1...", printable(text))
    return shown if width(shown) <= LONGEST else shorten(shown, LONGEST)
