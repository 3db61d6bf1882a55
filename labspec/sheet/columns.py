"""Tables that programs print: which columns hold process ids, times and loads, by the words above them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("PID", "PPID", "TGID", "LWP", "SPID", "SID", "PGID"), "pid"),
    **dict.fromkeys(("%CPU", "%MEM", "VSZ", "RSS", "SZ", "C", "NLWP"), "count"),
    **dict.fromkeys(("TIME", "STIME", "START", "TIME+", "STARTED", "ELAPSED"), "time"),
    "NS": "namespace",
}
_LOADS: Final = ("Tasks", "%CPU", "Memory", "Input/s", "Output/s")
"""The last columns of systemd-cgtop, whose first one may have two words above it."""

Columns = Mapping[tuple[int, int], str]
"""(start, end) in a line -> type of the token there."""


def column_tokens(lines: Sequence[str]) -> dict[int, Columns]:
    """Return number of a line -> what its columns hold. A table ends with a line that has not all of its columns."""
    found: dict[int, Columns] = {}
    wanted: dict[int, str] = {}
    for number, line in enumerate(lines):
        words = line.split()
        if tuple(words[-len(_LOADS) :]) == _LOADS:
            wanted = dict.fromkeys(range(-len(_LOADS), 0), "count")
        elif "PID" in words or ("NS" in words and "TYPE" in words):
            wanted = {index: _TYPES[word] for index, word in enumerate(words) if word in _TYPES}
        elif wanted:
            spans = [match.span() for match in re.finditer(r"\S+", line)]
            if len(spans) <= max(max(wanted), len(_LOADS) if min(wanted) < 0 else 0):
                wanted = {}
                continue
            found[number] = dict(_typed(line, spans, wanted))
    return found


def _typed(
    line: str, spans: Sequence[tuple[int, int]], wanted: Mapping[int, str]
) -> Iterator[tuple[tuple[int, int], str]]:
    for index, kind in wanted.items():
        start, end = spans[index]
        if kind not in ("pid", "namespace") or line[start:end].isdigit():
            yield (start, end), kind
