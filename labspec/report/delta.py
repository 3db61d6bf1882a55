"""One difference as text: two short values on one line, two long lists or mappings as what left and what came."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from click import style

from labspec.core.diff import UNSET, Cause, Diff, Settle
from labspec.report.text import (
    SECRET,
    UNSET_TEXT,
    is_block,
    pad,
    printable,
    printable_lines,
    shorten,
    shorten_pair,
    show,
    show_size,
    width,
)

ALIGNED = 36
"""Values wider than this do not push the causes of all the others to the right."""
COLOURS = {"+": "green", "-": "red", "~": "yellow"}
REPLACES = "# forces replacement"
CAUSE_COLOURS = {Cause.DRIFT: "magenta"}


def diff_lines(diffs: tuple[Diff, ...], sizes: frozenset[str], columns: int, *, whole: bool = False) -> Iterator[str]:
    """Yield one aligned line a difference, with lines below it where a list or mapping is too long for one.

    `sizes` are the fields whose values are numbers of bytes.
    `columns` is the width to fit into, for all but a single value that is to be shown `whole`.
    """
    room = max(24, columns // 2 - 20)
    rows = [
        (
            diff,
            _sign(diff),
            printable(diff.path),
            *_values(diff, show_size if diff.field in sizes else show, room, whole),
        )
        for diff in diffs
    ]
    path_columns = min(40, max(width(path) for _, _, path, _, _ in rows) + 1)
    value_columns = max((width(text) for _, _, _, text, _ in rows if width(text) <= ALIGNED), default=0)
    for diff, sign, path, text, below in rows:
        cause = style(f"({diff.cause.value})", fg=CAUSE_COLOURS.get(diff.cause), dim=diff.cause not in CAUSE_COLOURS)
        forces = f"  {style(REPLACES, fg='red')}" if diff.settle is Settle.REPLACE else ""
        lead = style(sign, fg=COLOURS[sign])
        yield f"{lead} {pad(path + ':', path_columns)} {pad(text, value_columns)}  {cause}{forces}"
        yield from (f"    {line}" for line in below)


def _sign(diff: Diff) -> str:
    if diff.before is UNSET:
        return "+"
    return "-" if diff.after is UNSET else "~"


def _values(diff: Diff, spelt: Callable[[Any], str], room: int, whole: bool) -> tuple[str, list[str]]:
    """Return the text beside a field's name, and the lines below it."""
    if diff.secret:
        return SECRET, []
    limit = None if whole else 2 * room
    if diff.before is UNSET or diff.after is UNSET:
        return shorten(_show(diff.after if diff.before is UNSET else diff.before, spelt), limit), []
    before, after = _show(diff.before, spelt), _show(diff.after, spelt)
    if max(width(before), width(after)) <= room:
        return f"{before} -> {after}", []
    below = list(_inner(diff.before, diff.after, limit))
    if below:
        return "", below
    left, right = (before, after) if whole else shorten_pair(before, after, room)
    return f"{left} -> {right}", []


def _show(value: Any, spelt: Callable[[Any], str]) -> str:
    return UNSET_TEXT if value is UNSET else spelt(value)


def _inner(before: Any, after: Any, room: int | None) -> Iterator[str]:
    """Yield what left and what came, for two lists, mappings or texts of several lines; nothing for other values."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            old, new = before.get(key, UNSET), after.get(key, UNSET)
            if old != new:
                yield from _left_and_came(f"{printable(str(key))}: ", [old], [new], room)
    elif isinstance(before, list) and isinstance(after, list):
        for left, came in _changed_runs(before, after):
            yield from _left_and_came("", left, came, room)
    elif is_block(before) or is_block(after):
        lines = [printable_lines(text.rstrip("\n")) if isinstance(text, str) else [] for text in (before, after)]
        for left, came in _changed_runs(*lines):
            yield from _changed_lines(left, came, room)


def _changed_lines(left: list[str], came: list[str], room: int | None) -> Iterator[str]:
    pairs = list(zip_longest(left, came))
    if room is not None:
        pairs = [
            shorten_pair(old, new, room)
            if None not in (old, new)
            else (old and shorten(old, room), new and shorten(new, room))
            for old, new in pairs
        ]
    for sign, side in (("-", 0), ("+", 1)):
        yield from (f"{style(sign, fg=COLOURS[sign])} {pair[side]}" for pair in pairs if pair[side] is not None)


def _changed_runs(before: list[Any], after: list[Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield (what left, what came) for each place where two lists differ."""
    from difflib import SequenceMatcher

    left, right = ([json.dumps(item, sort_keys=True, default=str) for item in items] for items in (before, after))
    for tag, start, end, first, last in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag != "equal":
            yield before[start:end], after[first:last]


def _left_and_came(label: str, left: list[Any], came: list[Any], room: int | None) -> Iterator[str]:
    for sign, values in (("-", left), ("+", came)):
        for value in values:
            if value is not UNSET:
                yield f"{style(sign, fg=COLOURS[sign])} {label}{shorten(show(value), room)}"
