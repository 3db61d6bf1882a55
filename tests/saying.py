"""Steps that do nothing but say so, and the log that they say it to."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError


@dataclass
class Log:
    """Stands in for the host: remembers what ran, in order."""

    ran: list[str]
    lock: threading.Lock


@dataclass(frozen=True)
class Say(Step):
    """A step that writes its text to the log; one that begins with 'fail' fails."""

    text: str

    def __str__(self) -> str:
        return self.text

    def run(self, host: Any) -> None:
        with host.lock:
            host.ran.append(self.text)
        if self.text.startswith("fail"):
            raise LabError(f"{self.text}: no")


@dataclass(frozen=True)
class Together(Say):
    """Steps that run in one go with their like."""

    @property
    def batch(self) -> str:
        return "all"

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Any) -> Iterable[Self]:
        with host.lock:
            host.ran.append("+".join(sorted(step.text for step in steps)))
        return ()
