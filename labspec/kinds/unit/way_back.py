"""The steps that put units back as the journal says that they were before the lab."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.kinds.unit.names import FOLDER
from labspec.kinds.unit.reading import from_json, links, links_of
from labspec.kinds.unit.steps import UnitStep, make_folder, run_unit

if TYPE_CHECKING:
    from labspec.host.host import Host


@dataclass(frozen=True)
class RestoreUnit(UnitStep):
    """Put back the file and the links that were there before the lab."""

    had: bool
    """Whether there was something in the file's place."""

    @property
    def batch(self) -> Hashable:
        """One batch, so that systemd reads its files once after it."""
        return self.target.lab

    def __str__(self) -> str:
        if self.target.path is None:
            return f"enable or disable {self.target.unit} as it was before"
        return f"put back {self.target.path} as it was" if self.had else f"remove {self.target.path}"

    def run(self, host: Host) -> None:
        """Put back what the journal has; without it there was nothing."""
        entry = host.journal(self.target.lab).entries().get(self.target.address, {})
        before = entry.get("before") or {}
        if self.target.path:
            _put_back(self.target.path, before, host)
        _put_back_links([*entry.get("family", ()), *self.target.family], self.target.path, before)


@dataclass(frozen=True)
class ForgetUnit(UnitStep):
    """Remove a unit from the journal, once it is as it was; `again` says how it runs again, as it did before."""

    again: str | None = None

    def __str__(self) -> str:
        return f"systemctl {self.again} {self.target.unit}" if self.again else f"forget {self.target.unit}"

    def run(self, host: Host) -> None:
        """Forget it."""
        if self.again:
            run_unit(self.target.unit, self.again, host)
        host.journal(self.target.lab).forget(self.target.address)


def _put_back(path: str, before: dict[str, Any], host: Host) -> None:
    if before.get("file"):
        make_folder(path)
        host.system.write(path, from_json(before["file"]))
        return
    host.system.remove(path)
    if before.get("link"):
        make_folder(path)
        Path(path).symlink_to(before["link"])
    folder = Path(path).parent
    if not before.get("folder") and str(folder) != FOLDER:
        with suppress(OSError):
            folder.rmdir()


def _put_back_links(family: Sequence[str], path: str | None, before: dict[str, Any]) -> None:
    """Make the links of a family what they were; folders of links that are empty now, and were not there, go."""
    was = links_of(family, before.get("links", {}), path)
    now = links_of(family, links(), path)
    for link in now:
        if now[link] != was.get(link):
            Path(link).unlink(missing_ok=True)
            folder = Path(link).parent
            if str(folder) not in before.get("folders", [FOLDER]) and str(folder) != FOLDER:
                with suppress(OSError):
                    folder.rmdir()
    for link, target in was.items():
        if now.get(link) != target:
            make_folder(link)
            Path(link).symlink_to(target)
