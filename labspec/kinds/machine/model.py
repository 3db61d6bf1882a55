"""What a spec may say of a machine of systemd-nspawn."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from labspec.core.resource import Resource
from labspec.host.inputs import is_folder
from labspec.kinds.compose.values import text
from labspec.kinds.image.names import lab_image, normal_tag
from labspec.kinds.machine.settings import settings_lines
from labspec.kinds.provider import Scope
from labspec.kinds.section import ModelSection, Text

PLAIN_PATH = r"^/[A-Za-z0-9_.@+/-]+$"
"""Colons, spaces and backslashes have a meaning in a .nspawn file."""
_LONGEST_NAME = 64
PlainPath = Annotated[str, Field(pattern=PLAIN_PATH, max_length=4000)]
Reference = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.:/@-]*$", max_length=400)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_CONFIG = ConfigDict(extra="forbid")


class Mount(BaseModel):
    """A folder or file of the host in a place of the machine."""

    model_config = _CONFIG

    source: Annotated[str, Field(pattern=r"^(\./)?[A-Za-z0-9_.@+/-]+$")]
    """The folder or file of the host, or one of the lab's."""
    target: PlainPath
    """Where the machine has it."""
    read_only: bool | None = None
    """The machine cannot write to it."""


class Machine(BaseModel):
    """A machine of systemd-nspawn, with the files of an image."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"image": "debian:latest", "network": "private", "tmpfs": ["/scratch"]}]},
    )

    image: Reference
    """The image: one of `images` by its name, or any other."""
    network: Literal["private", "host"] | None = None
    """private, which is the default: nothing but a loopback interface; host: the host's network."""
    tmpfs: list[PlainPath] | None = None
    """Folders of the machine that live in memory."""
    mounts: list[Mount] | None = None
    """Folders and files of the host that the machine has."""
    boot: bool | None = None
    """The machine's own init is started: the image must have systemd, or another."""
    command: Annotated[list[Text], Field(min_length=1)] | None = None
    """The program that runs in it, and its arguments; with `boot`, arguments of its init."""
    env: dict[Variable, Text | int | float | bool] | None = None
    """Environment of the program."""
    state: Literal["prepared", "running"] | None = None
    """prepared: its files are there, for `systemd-nspawn -M`; running is the default for one with command or boot."""


class MachineSection(ModelSection):
    """The section `machines`."""

    name = "machines"
    kind = "machine"
    model = Machine

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the machine, with its .nspawn file."""
        path = (self.name, name)
        machine = re.sub(r"[^a-zA-Z0-9-]", "-", f"{scope.lab}-{name}")
        if len(machine) > _LONGEST_NAME or machine.endswith("-"):
            hint = "make the lab's or the machine's name shorter; it ends with a letter or digit"
            scope.error(path, f"'{machine}' cannot be the name of a machine", hint, key=True)
            return
        active = bool(entry.get("command") or entry.get("boot"))
        if entry.get("state") == "running" and not active:
            hint = "give it a 'command', or boot: true where its image has an init"
            scope.error((*path, "state"), f"machine '{name}' has nothing to run", hint, key=True)
            return
        mounts = _mounts(entry, path, scope)
        if mounts is None or not _places_well(entry, path, scope):
            return
        own = lab_image(scope, entry["image"])
        image, address = own or (normal_tag(entry["image"]) if "@" not in entry["image"] else entry["image"], "")
        desired: dict[str, Any] = {
            "image": image,
            "settings": settings_lines({**entry, "mounts": mounts, "network": entry.get("network") or "private"}),
            "state": entry.get("state") or ("running" if active else "prepared"),
        }
        if entry.get("command"):
            desired["command"] = entry["command"]
        if entry.get("env"):
            desired["env"] = {variable: text(value) for variable, value in entry["env"].items()}
        yield Resource(
            address=f"machine.{name}",
            kind="machine",
            name=machine,
            desired=desired,
            options={
                "unit": f"labspec-machine-{machine}",
                "image_address": address,
                "binds": [mount["source"] for mount in mounts],
                "network": entry.get("network") or "private",
                "external": False,
            },
            needs=(address,) if address else (),
        )


def _places_well(entry: Mapping[str, Any], path: tuple[str, str], scope: Scope) -> bool:
    places: list[tuple[tuple[str | int, ...], str]]
    places = [((*path, "tmpfs", index), place) for index, place in enumerate(entry.get("tmpfs") or ())]
    places += [
        ((*path, "mounts", index, "target"), mount["target"]) for index, mount in enumerate(entry.get("mounts") or ())
    ]
    fine = True
    for where, place in places:
        if ".." in place.split("/") or posixpath.normpath(place) in ("/", "//"):
            scope.error(where, f"nothing can be mounted at '{place}'", "write a whole path below /, without '..'")
            fine = False
    return fine


def _mounts(entry: Mapping[str, Any], path: tuple[str, str], scope: Scope) -> list[dict[str, Any]] | None:
    found = []
    for index, mount in enumerate(entry.get("mounts") or ()):
        source, where = mount["source"], (*path, "mounts", index, "source")
        if not source.startswith("/"):
            absolute = scope.file(where, source, folder=is_folder(posixpath.join(scope.root, source)))
            if absolute is None:
                return None
            if not re.fullmatch(PLAIN_PATH[1:-1], absolute):
                scope.error(where, f"'{absolute}' cannot stand in a .nspawn file", "move the lab to a plainer folder")
                return None
            source = absolute
        found.append({**mount, "source": posixpath.normpath(source)})
    return found


SECTION = MachineSection()
