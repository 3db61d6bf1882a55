"""What a spec may say of a volume: the Compose specification's keys, and `tmpfs` for one that lives in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from labspec.core.resource import Resource
from labspec.kinds.provider import Scope
from labspec.kinds.section import ModelSection, Name, Size, Text, goes_with_external
from labspec.kinds.volume.resource import volume_resource


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


SECTION = VolumeSection()
