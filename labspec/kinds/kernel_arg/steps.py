"""The steps that change the kernel's command line: all of a plan in one go, since the menu is made anew each time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from labspec.core.change import Step
from labspec.kinds.kernel_arg.loader import change_own, grubby_command, own_path, uses_grubby

if TYPE_CHECKING:
    from labspec.host.host import Host

SECONDS = 300.0


@dataclass(frozen=True)
class SetArgument(Step):
    """Add an argument to the kernel's command line, or (`away`) take one out of it."""

    lab: str
    argument: str
    away: bool = False

    def __str__(self) -> str:
        where = "the kernel's command line, by grubby" if uses_grubby() else own_path(self.lab)
        return f"take {self.argument} out of {where}" if self.away else f"add {self.argument} to {where}"

    @property
    def batch(self) -> Hashable:
        """All arguments of a lab are changed together."""
        return self.lab

    def run(self, host: Host) -> None:
        """Change it."""
        self.run_batch([self], host)

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Host) -> Iterable[Self]:
        """Change all of them."""
        add = sorted(step.argument for step in steps if not step.away)
        remove = sorted(step.argument for step in steps if step.away)
        if uses_grubby():
            host.system.run(grubby_command(add, remove), seconds=SECONDS)
        else:
            change_own(steps[0].lab, add, remove, host)
        return ()
