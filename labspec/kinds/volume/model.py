"""What a spec may say of a volume: the Compose specification's keys, and `tmpfs` for one that lives in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from labspec.core.resource import Resource
from labspec.kinds.compose.values import mapping, text
from labspec.kinds.provider import Scope
from labspec.kinds.section import ModelSection, Name, Size, Text, goes_with_external


class Tmpfs(BaseModel):
    """Options of a volume in memory; see mount(8), section tmpfs."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"size": "100m", "uid": 1000}]},
    )

    size: Size | None = None
    """The most that it holds: bytes, or a number with k, m or g. Half of the memory where it is not given."""
    uid: Annotated[int, Field(ge=0, le=2**32 - 2)] | None = None
    """The user that owns the volume's top folder."""
    gid: Annotated[int, Field(ge=0, le=2**32 - 2)] | None = None
    """The group that owns the volume's top folder."""
    mode: Annotated[str, Field(pattern=r"^[0-7]{3,4}$")] | None = None
    """The permissions of the volume's top folder, in octal."""


class Volume(BaseModel):
    """A volume, in the Compose specification's vocabulary."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    """The volume's name on the host; `<lab>_<key>` where it is not given."""
    driver: Name | None = None
    """The volume driver; `local` where it is not given."""
    driver_opts: dict[Name, Text | int | float] | None = None
    """Options for the driver, such as `type`, `device` and `o` of the local one."""
    tmpfs: Tmpfs | None = None
    """A volume in memory: short for the local driver with type and device tmpfs."""
    external: bool | None = None
    """The volume is somebody else's: it must be there, and labspec never makes, changes or removes it."""
    labels: dict[str, Text | int | float | bool | None] | list[Text] | None = None
    """Labels to put on the volume."""


class VolumeSection(ModelSection):
    """The section `volumes`."""

    name = "volumes"
    kind = "volume"
    model = Volume

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the volume, with `tmpfs` written out as driver options."""
        path = ("volumes", name)
        if entry.get("tmpfs") is not None:
            for key in ("driver", "driver_opts", "external"):
                if entry.get(key):
                    scope.error((*path, key), f"volume '{name}' has both tmpfs and {key}", "keep one of them", key=True)
                    return
        if not goes_with_external(entry, ("driver", "driver_opts", "labels"), path, self.kind, scope):
            return
        yield volume_resource(f"volume.{name}", scope.lab, name, entry)


def volume_resource(address: str, project: str, key: str, entry: Mapping[str, Any]) -> Resource:
    """Return the resource for one valid entry of a `volumes` section, of a spec or of a compose file."""
    compose = {name: value for name, value in entry.items() if name != "tmpfs" and value is not None}
    tmpfs = entry.get("tmpfs")
    if tmpfs is not None:
        pairs = [f"{name}={tmpfs[name]}" for name in ("size", "uid", "gid", "mode") if tmpfs.get(name) is not None]
        compose |= {"driver": "local", "driver_opts": {"type": "tmpfs", "device": "tmpfs"}}
        if pairs:
            compose["driver_opts"]["o"] = ",".join(pairs)
    host_name = str(entry.get("name") or (key if entry.get("external") else f"{project}_{key}"))
    compose["name"] = host_name
    desired: dict[str, Any] = {}
    if not entry.get("external"):
        if compose.get("driver"):
            desired["driver"] = compose["driver"]
        if compose.get("driver_opts"):
            desired["options"] = {name: text(value) for name, value in compose["driver_opts"].items()}
        if compose.get("labels"):
            desired["labels"] = labels_mapping(compose["labels"])
    return Resource(
        address=address,
        kind="volume",
        name=host_name,
        desired=desired,
        options={"key": key, "compose": compose, "external": bool(entry.get("external"))},
        project=project,
    )


def labels_mapping(labels: Mapping[str, Any] | list[str]) -> dict[str, str]:
    """Return labels, written as a mapping or as a list of KEY=VALUE, as a mapping of texts."""
    return mapping(labels)


SECTION = VolumeSection()
