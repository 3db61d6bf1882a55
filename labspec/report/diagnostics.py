"""Mistakes as text: place, source line with a caret, what to try; and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from labspec.core.diagnostic import Diagnostic
from labspec.report.text import ELLIPSIS, count, printable, printable_lines, shorten, width

FORMAT = 1
SHOWN = 30
"""More mistakes than this in one run are counted, not shown: nobody reads them before the first are mended."""
SOURCE_COLUMNS = 110
"""How much of a source line is shown; a longer one is cut around the mistake."""


def diagnostics_lines(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    """Yield the coloured lines of a report of mistakes, with their number at the end when there are several."""
    found = list(diagnostics)
    for diagnostic in found[:SHOWN]:
        yield from diagnostic_lines(diagnostic)
    if len(found) > SHOWN:
        yield f"... and {len(found) - SHOWN} more"
    if len(found) > 1:
        yield count(len(found), "error")


def diagnostic_lines(diagnostic: Diagnostic, word: str = "error", colour: str = "red") -> Iterator[str]:
    """Yield the lines of one mistake: `word` before the message, the source with a caret, the hint."""
    from click import style

    first, *rest = printable_lines(diagnostic.message)
    place = f"{printable(str(diagnostic.at))}: " if diagnostic.at else ""
    yield f"{place}{style(f'{word}:', fg=colour, bold=True)} {first}"
    yield from (f"      {line}" for line in rest)
    if diagnostic.at and diagnostic.source is not None:
        source, lead = _window(diagnostic.source, diagnostic.at.column - 1)
        yield f"{diagnostic.at.line:>5} | {source}"
        yield f"{'':>5} | {' ' * lead}{style('^', fg=colour, bold=True)}"
    if diagnostic.hint:
        for line in printable_lines(diagnostic.hint):
            yield f"      {style(f'= {line}', fg='cyan')}"


def _window(source: str, column: int) -> tuple[str, int]:
    """Return what is shown of a source line, and how many columns of it stand before character `column`."""
    before = printable(source[:column].expandtabs(4))
    line = printable(source.expandtabs(4))
    if width(line) <= SOURCE_COLUMNS:
        return line, width(before)
    start = max(0, len(before) - SOURCE_COLUMNS // 2)
    return shorten(line, SOURCE_COLUMNS, start), width(before[start:]) + (len(ELLIPSIS) if start else 0)


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """Return the JSON form of a failed command: `{"format": 1, "diagnostics": [...]}`."""
    return {"format": FORMAT, "diagnostics": [diagnostic.as_json() for diagnostic in diagnostics]}


def print_diagnostics(diagnostics: Iterable[Diagnostic], colour: bool | None = None) -> None:
    """Print mistakes on stderr; `colour` None decides by whether that is a terminal."""
    import click

    for line in diagnostics_lines(diagnostics):
        click.echo(line, file=sys.stderr, color=colour)
