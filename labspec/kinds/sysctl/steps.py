"""The step that gives a kernel parameter a value, now and at boot."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labspec.core.change import Step
from labspec.kinds.sysctl.parameters import boot_path, read_boot, read_live, write_boot, write_live

if TYPE_CHECKING:
    from labspec.host.host import Host

_LOCK = threading.Lock()
"""All parameters of a lab are in one file."""


@dataclass(frozen=True)
class SetParameter(Step):
    """Give a parameter a value now (None: leave it), and put it into the lab's file or (None) take it out."""

    lab: str
    name: str
    value: str | None
    at_boot: str | None

    def __str__(self) -> str:
        now = [f"set {self.name} = {self.value} now"] if self.value is not None else []
        word = f"take {self.name} out of" if self.at_boot is None else f"{self.name} = {self.at_boot} at boot by"
        return ", ".join([*now, f"{word} {boot_path(self.lab)}"])

    def run(self, host: Host) -> None:
        """Do both; a value that the kernel refuses is not written down."""
        if self.value is not None and read_live(self.name) != self.value:
            write_live(self.name, self.value)
        with _LOCK:
            values = read_boot(self.lab, host)
            if values.get(self.name) == self.at_boot:
                return
            rest = {name: value for name, value in values.items() if name != self.name}
            own = {} if self.at_boot is None else {self.name: self.at_boot}
            write_boot(self.lab, {**rest, **own}, host)
