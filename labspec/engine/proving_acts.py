"""What is done to the host behind the lab's back, as an accident would; and how it is taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.core.diagnostic import LabError
from labspec.host.docker import segment

if TYPE_CHECKING:
    from labspec.core.resource import Lab
    from labspec.host.host import Host

SUFFIX = ".labspec-proof"


@dataclass(frozen=True)
class Act:
    """One thing done to the host. `replaces` is the object that must be made anew to take it back."""

    @property
    def stops(self) -> bool:
        """Whether it does no more than to end what runs."""
        return False

    @property
    def alone(self) -> bool:
        """Whether it may disturb anything, so that nothing else is to be broken at the same time."""
        return False

    @property
    def replaces(self) -> str | None:
        """The address to make anew afterwards."""
        return None

    def do(self, lab: Lab, host: Host) -> None:
        """Do it. Raises LabError, OSError, ApiError where it cannot be done."""
        raise NotImplementedError

    def undo(self, lab: Lab, host: Host) -> None:
        """Take back what applying the lab does not."""


@dataclass(frozen=True)
class StopContainer(Act):
    """Stop the containers of a service."""

    address: str

    def __str__(self) -> str:
        return f"{self.address} stopped"

    @property
    def stops(self) -> bool:
        """It does."""
        return True

    def do(self, lab: Lab, host: Host) -> None:
        """Stop them at once."""
        for identity in containers(self.address, lab, host):
            host.docker.post(f"/containers/{segment(identity)}/stop", query={"t": 0})


@dataclass(frozen=True)
class StopUnit(Act):
    """Stop a unit of systemd, and the sockets that would start it again."""

    unit: str

    def __str__(self) -> str:
        return f"{self.unit} stopped"

    @property
    def stops(self) -> bool:
        """It does."""
        return True

    def do(self, lab: Lab, host: Host) -> None:  # noqa: ARG002  the contract's argument
        """Stop it."""
        told = host.system.unit_properties([self.unit], ["TriggeredBy"])[self.unit]
        sockets = [name for name in told.get("TriggeredBy", "").split() if name.endswith(".socket")]
        host.system.run(["systemctl", "stop", "--", self.unit, *sockets])

    def undo(self, lab: Lab, host: Host) -> None:  # noqa: ARG002
        """Start it again."""
        host.system.run(["systemctl", "reset-failed", "--", self.unit], accepted=(0, 1))
        host.system.run(["systemctl", "start", "--", self.unit], accepted=range(256))


@dataclass(frozen=True)
class HideFile(Act):
    """Put a file of the host out of sight."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} gone"

    @property
    def alone(self) -> bool:
        """Who uses the file is not known."""
        return True

    def do(self, lab: Lab, host: Host) -> None:  # noqa: ARG002
        """Give it another name."""
        Path(self.path).rename(self.path + SUFFIX)

    def undo(self, lab: Lab, host: Host) -> None:  # noqa: ARG002
        """Give it its name again."""
        with contextlib.suppress(FileNotFoundError):
            Path(self.path + SUFFIX).rename(self.path)


@dataclass(frozen=True)
class AddFile(Act):
    """Make a file where there is to be none."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} made"

    @property
    def alone(self) -> bool:
        """Who uses the file is not known."""
        return True

    def do(self, lab: Lab, host: Host) -> None:  # noqa: ARG002
        """Make it."""
        Path(self.path).touch(exist_ok=False)

    def undo(self, lab: Lab, host: Host) -> None:  # noqa: ARG002
        """Remove it."""
        Path(self.path).unlink(missing_ok=True)


@dataclass(frozen=True)
class DropInside(Act):
    """Remove a file in a service's containers, as root in there would."""

    address: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} removed in {self.address}"

    @property
    def replaces(self) -> str | None:
        """The service: only a new container has the file again."""
        return self.address

    def do(self, lab: Lab, host: Host) -> None:
        """Remove it with the container's own rm. Raises LabError where it has none."""
        _inside(self.address, ("rm", "-f", "--", self.path), lab, host)


@dataclass(frozen=True)
class AddInside(Act):
    """Make a file in a service's containers, where there is to be none."""

    address: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} made in {self.address}"

    @property
    def replaces(self) -> str | None:
        """The service: only a new container is without the file again."""
        return self.address

    def do(self, lab: Lab, host: Host) -> None:
        """Make it with the container's own touch. Raises LabError where it has none."""
        _inside(self.address, ("touch", "--", self.path), lab, host)


def containers(address: str, lab: Lab, host: Host, *, running: bool = False) -> list[str]:
    """Return the ids of a service's containers."""
    from labspec.core.resource import ADDRESS_LABEL, LAB_LABEL
    from labspec.host.docker import filters

    labels = [f"{LAB_LABEL}={lab.name}", f"{ADDRESS_LABEL}={address}"]
    query = {**({} if running else {"all": 1}), **filters(label=labels)}
    return [str(item["Id"]) for item in host.docker.get("/containers/json", query)]


def _inside(address: str, command: Sequence[str], lab: Lab, host: Host) -> None:
    """Run a program in every container of a service as root. Raises LabError where there is none, or it fails."""
    from labspec.host.sandbox.client import Client

    found = containers(address, lab, host, running=True)
    if not found:
        raise LabError(f"{address} has no container")
    for identity in found:
        Client(host.docker.address).call("exec", "--user", "0", identity, *command, seconds=30.0)
