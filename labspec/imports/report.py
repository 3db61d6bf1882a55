"""What an import could not carry over: by name, with its place, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labspec.core.diagnostic import Diagnostic, Position


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the source says and the spec does not."""

    name: str
    """What is lost, as the source calls it: services.web.develop, --detach, [Unit] X-Note."""
    reason: str
    at: Position | None = None
    source: str | None = None
    """The line at `at`."""
    hint: str | None = None

    def diagnostic(self) -> Diagnostic:
        """Return it in the form in which labspec tells of mistakes."""
        return Diagnostic(f"{self.name}: {self.reason}", at=self.at, hint=self.hint, source=self.source)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object: name, reason, and where known file, line, column and hint."""
        where = {"file": self.at.file, "line": self.at.line, "column": self.at.column} if self.at else {}
        return {"name": self.name, "reason": self.reason, **where, **({"hint": self.hint} if self.hint else {})}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made."""

    lab: str
    """The lab's name, where the user gives no other."""
    sections: Mapping[str, Any]
    """What the spec says under its top keys, but for `labspec` and `lab`."""
    losses: tuple[Loss, ...] = ()
    head: Mapping[str, Any] = field(default_factory=dict)
    """More keys of the section `lab`."""
    comment: str = ""
    """What stands above the spec, without '#'."""
