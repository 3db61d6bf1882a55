"""A view: what one look at the host has found, as tables for people and as data for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORMAT = 1
KINDS = ("namespaces", "cgroups", "mounts", "api", "rights")
NONE = "-"
"""What a cell says where there is nothing to say."""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; every row has a cell for each column."""

    columns: Row
    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What `labspec show` shows. Texts may have any character: whoever prints them makes them printable."""

    kind: str
    lab: str
    address: str
    """What was asked for; "" for everything of the lab that runs."""
    title: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    """What the tables mean, in sentences."""
    by_hand: tuple[str, ...] = ()
    """Commands of a shell that show the same."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs: JSON values, sizes in bytes."""
    answer: Any = None
    """The engine's answer, of the kind `api`: JSON values or text."""

    def as_json(self) -> dict[str, Any]:
        """Return the view as a JSON object; docs/json.md has its fields."""
        head = {"format": FORMAT, "view": self.kind, "lab": self.lab, "address": self.address or None}
        answer = {"answer": self.answer} if self.kind == "api" else {}
        return {**head, **self.data, **answer, "notes": list(self.notes), "by_hand": list(self.by_hand)}


def size(number: int | None) -> str:
    """Return a number of bytes as people read it: 512 B, 100 MiB, 1.5 GiB."""
    if number is None:
        return NONE
    if number < 1024:
        return f"{number} B"
    value, unit = number / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB", "PiB"):
        if value < 1023.95:
            break
        value, unit = value / 1024, larger
    text = f"{value:.1f}".removesuffix(".0")
    return f"{text} {unit}"
