"""The steps that make, change, run and remove machines of systemd-nspawn."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.diff import digests
from labspec.core.resource import Resource
from labspec.host.rootfs import export_image, remove_tree
from labspec.host.state import write_atomic
from labspec.kinds.machine import settings
from labspec.kinds.machine.settings import run_command, settings_file, settings_text

if TYPE_CHECKING:
    from labspec.host.host import Host

START_SECONDS = 120.0


def root_of(machine: str) -> Path:
    """Return the folder with a machine's files."""
    return Path(settings.MACHINES, machine)


def marker_of(machine: str) -> Path:
    """Return the file that says whose a machine is: beside it, where the machine itself cannot write."""
    return Path(settings.MACHINES, f".{machine}.labspec.json")


def marker(machine: str, lab: str, address: str) -> dict[str, Any] | None:
    """Return what labspec wrote of a machine, or None where it is not this one of this lab."""
    try:
        found = json.loads(marker_of(machine).read_bytes())
    except (OSError, ValueError):
        return None
    own = isinstance(found, dict) and (found.get("lab"), found.get("address")) == (lab, address)
    return found if own else None


@dataclass(frozen=True)
class MachineStep(Step):
    """A step for one machine."""

    lab: str
    address: str
    machine: str
    unit: str


@dataclass(frozen=True)
class MakeMachine(MachineStep):
    """Make a machine's files and its .nspawn file. `spec` is what was asked for, as JSON text."""

    spec: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step for the machine of a resource."""
        return cls(lab, resource.address, resource.name, resource.options["unit"], json.dumps(resource.desired))

    def __str__(self) -> str:
        image = json.loads(self.spec)["image"]
        return f"make machine {self.machine}: the files of image {image}, and {settings_file(self.machine)}"

    def run(self, host: Host) -> None:
        """Make it beside its place, and put it there whole."""
        root = root_of(self.machine)
        if root.exists() and marker(self.machine, self.lab, self.address) is None:
            raise LabError(f"{root} is there already and is not this lab's", hint="rename the lab or the machine")
        record(host, self.lab, self.address, self.machine, self.unit, self.spec)
        partial = root.with_name(f".{root.name}.partial")
        remove_tree(partial)
        try:
            root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.mkdir(mode=0o755)
        except OSError as error:
            raise LabError(f"cannot make the machine's folder {root}: {error.strerror}") from error
        identity = export_image(host.docker, json.loads(self.spec)["image"], partial)
        if not os.path.lexists(partial / "usr"):
            # Without it systemd-nspawn takes the files for no system at all; small images have none.
            (partial / "usr").mkdir(mode=0o755)
        remove_tree(root)
        partial.rename(root)
        write_settings(self.machine, self.lab, self.address, self.spec, identity)


@dataclass(frozen=True)
class WriteSettings(MachineStep):
    """Write a machine's .nspawn file anew; its files stay as they are."""

    spec: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step for the machine of a resource."""
        return cls(lab, resource.address, resource.name, resource.options["unit"], json.dumps(resource.desired))

    def __str__(self) -> str:
        return f"write {settings_file(self.machine)}"

    def run(self, host: Host) -> None:
        """Write it, and what was asked for."""
        found = marker(self.machine, self.lab, self.address) or {}
        record(host, self.lab, self.address, self.machine, self.unit, self.spec)
        write_settings(self.machine, self.lab, self.address, self.spec, str(found.get("image_id", "")))


@dataclass(frozen=True)
class RunMachine(MachineStep):
    """Run a machine as a transient unit."""

    spec: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step for the machine of a resource."""
        return cls(lab, resource.address, resource.name, resource.options["unit"], json.dumps(resource.desired))

    @property
    def command(self) -> list[str]:
        """The line that is run."""
        spec = json.loads(self.spec)
        return run_command(self.machine, self.unit, spec.get("command") or [], spec.get("env") or {})

    def __str__(self) -> str:
        return shlex.join(self.command)

    def run(self, host: Host) -> None:
        """Start it anew, and wait until it says that it runs."""
        stop_unit(host, self.machine, self.unit)
        host.system.run(self.command, seconds=START_SECONDS)


@dataclass(frozen=True)
class StopMachine(MachineStep):
    """Stop a machine; its files stay."""

    def __str__(self) -> str:
        return f"systemctl stop {self.unit}.service"

    def run(self, host: Host) -> None:
        """Stop it; one that does not run is fine."""
        stop_unit(host, self.machine, self.unit)


@dataclass(frozen=True)
class RemoveMachine(MachineStep):
    """Remove a machine's files, its .nspawn file, and the folders that labspec made for them."""

    def __str__(self) -> str:
        return f"remove machine {self.machine} and {settings_file(self.machine)}"

    def run(self, host: Host) -> None:
        """Remove it, if it still is this lab's."""
        entry = host.journal(self.lab).entries().get(self.address, {})
        remove_tree(root_of(self.machine).with_name(f".{self.machine}.partial"))
        if marker(self.machine, self.lab, self.address) is not None:
            remove_tree(root_of(self.machine))
            host.system.remove(settings_file(self.machine))
            host.system.remove(str(marker_of(self.machine)))
        for folder in (entry.get("before") or {}).get("folders", ()):
            try:
                Path(folder).rmdir()
            except OSError:
                continue


def record(host: Host, lab: str, address: str, machine: str, unit: str, spec: str) -> None:
    """Write into the journal which machine it is, and which folders are made for it, before it is made."""
    journal = host.journal(lab)
    made = [folder for folder in (settings.SETTINGS, settings.MACHINES) if not Path(folder).exists()]
    # Whichever of the lab's machines goes last takes the folders along.
    for entry in journal.entries().values():
        if entry.get("kind") == "machine":
            made += (entry.get("before") or {}).get("folders", ())
    applied = digests(json.loads(spec))
    before = {"folders": list(dict.fromkeys(made))}
    journal.record(address, {"kind": "machine", "name": machine, "unit": unit, "applied": applied, "before": before})


def write_settings(machine: str, lab: str, address: str, spec: str, image_id: str) -> None:
    """Write the .nspawn file, and what it was made from."""
    desired = json.loads(spec)
    own = {"lab": lab, "address": address, "image": desired["image"], "image_id": image_id, "applied": digests(desired)}
    write_atomic(marker_of(machine), json.dumps(own, sort_keys=True, indent=1).encode())
    try:
        Path(settings.SETTINGS).mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"cannot make {settings.SETTINGS}: {error.strerror}") from error
    write_atomic(Path(settings_file(machine)), settings_text(desired["settings"]).encode(), 0o644)


def stop_unit(host: Host, machine: str, unit: str) -> None:
    """Stop a unit if it is the one that runs this machine."""
    name = f"{unit}.service"
    found = host.system.unit_properties([name], ["LoadState", "Transient", "ExecStart"])[name]
    if found.get("Transient") == "yes" and f"--machine={machine}" in found.get("ExecStart", "").split():
        host.system.run(["systemctl", "stop", name], accepted=(0, 5), seconds=START_SECONDS)
        host.system.run(["systemctl", "reset-failed", name], accepted=(0, 1, 5))
