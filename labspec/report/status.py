"""What of a lab is there and how it does, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from click import style

from labspec.report.text import printable, table

if TYPE_CHECKING:
    from labspec.engine.workflow import Row

FORMAT = 1
COLOURS = {
    "ok": "green",
    "drifted": "yellow",
    "stopped": "yellow",
    "missing": "red",
    "unhealthy": "red",
    "orphaned": "magenta",
}
ID_SHOWN = 12


def status_lines(lab: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table of every object, then how many are in which state."""
    if not rows:
        yield f"Lab {lab} has no objects, neither in its spec nor on this host."
        return
    cells = [
        (printable(row.address), printable(row.state), printable(_short(row.id)) or "-", printable(row.detail))
        for row in rows
    ]
    head, *lines = table([("ADDRESS", "STATE", "ID", "DETAIL"), *cells])
    yield style(head, bold=True)
    for row, line in zip(rows, lines, strict=True):
        # The state is coloured where it stands, so that the columns stay those of the plain text.
        start = line.index(row.state, len(printable(row.address)))
        end = start + len(row.state)
        yield line[:start] + style(row.state, fg=COLOURS.get(row.state)) + line[end:]
    yield ""
    states = Counter(row.state for row in rows)
    yield f"Lab {lab}: " + ", ".join(f"{states[state]} {state}" for state in COLOURS if states[state]) + "."


def _short(identity: str) -> str:
    return identity.removeprefix("sha256:")[:ID_SHOWN]


def status_json(lab: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the JSON form, an object a resource; docs/json.md has its fields."""
    return {
        "format": FORMAT,
        "lab": lab,
        "ok": all(row.state == "ok" for row in rows),
        "resources": [
            {"address": row.address, "kind": row.kind, "state": row.state, "id": row.id, "detail": row.detail}
            for row in rows
        ],
    }
