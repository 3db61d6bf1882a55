"""What a spec may say of an OCI bundle."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from labspec.core.resource import Resource
from labspec.host.inputs import is_folder
from labspec.kinds.bundle.config import config, flat
from labspec.kinds.compose.values import text
from labspec.kinds.image.names import lab_image, normal_tag
from labspec.kinds.provider import Scope
from labspec.kinds.section import Line, ModelSection, Size, Text, size_bytes

HOSTNAME_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$"
Absolute = Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]*$")]
Reference = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.:/@-]*$", max_length=400)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_CONFIG = ConfigDict(extra="forbid")


class Mount(BaseModel):
    """Something in a place of the container: a folder or file of the host, or memory."""

    model_config = _CONFIG

    type: Literal["bind", "tmpfs"] | None = None
    """bind for a source of the host, tmpfs for memory; bind where there is a source."""
    source: Line | None = None
    """The folder or file of the host, or one of the lab's."""
    target: Absolute
    """Where the container has it."""
    read_only: bool | None = None
    """The container cannot write to it."""
    size: Size | None = None
    """The most that a tmpfs holds."""


class Bundle(BaseModel):
    """An OCI bundle: config.json and the root file system of an image."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"image": "debian:latest", "args": ["sleep", "99"], "hostname": "box"}]},
    )

    image: Reference
    """The image: one of `images` by its name, or any other."""
    args: Annotated[list[Text], Field(min_length=1)]
    """The program and its arguments; the image's own command is not looked at."""
    hostname: Annotated[str, Field(pattern=HOSTNAME_PATTERN)] | None = None
    """The host name; the entry's name where it is not given."""
    env: dict[Variable, Text | int | float | bool] | None = None
    """Environment, besides PATH and TERM."""
    cwd: Absolute | None = None
    """The folder that the program starts in."""
    user: Annotated[str, Field(pattern=r"^[0-9]{1,10}(:[0-9]{1,10})?$")] | Annotated[int, Field(ge=0)] | None = None
    """The user, and behind ':' the group, as numbers."""
    terminal: bool | None = None
    """The program gets a terminal, for `runc run` by hand."""
    readonly: bool | None = None
    """The program cannot write to its root file system; true where it is not given, as `runc spec` has it."""
    network: Literal["private", "host"] | None = None
    """private: nothing but a loopback interface; host: the host's network."""
    mounts: list[Mount] | None = None
    """What is mounted besides /proc, /dev and /sys."""
    state: Literal["prepared", "running"] | None = None
    """prepared: the folder is there, for `runc run`; running: runc runs it as labspec-<lab>-<name>."""
    path: Absolute | None = None
    """The bundle's folder; /var/lib/labspec/<lab>/bundles/<name> where it is not given."""


class BundleSection(ModelSection):
    """The section `bundles`."""

    name = "bundles"
    kind = "bundle"
    model = Bundle

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the bundle, with its config.json."""
        path = (self.name, name)
        if entry.get("terminal") and entry.get("state") == "running":
            scope.error(
                (*path, "terminal"), "a bundle that runs in the background has no terminal", "remove it", key=True
            )
            return
        place = entry.get("path")
        if place is not None and (posixpath.normpath(place) != place or place.count("/") < 2):
            hint = "write it whole, as /srv/bundles/box: no '..', no '/' at its end"
            scope.error((*path, "path"), f"'{place}' cannot be the folder of a bundle", hint)
            return
        wishes = wishes_of(name, entry, path, scope)
        if wishes is None:
            return
        own = lab_image(scope, entry["image"])
        image, address = own or (normal_tag(entry["image"]) if "@" not in entry["image"] else entry["image"], "")
        made = config(wishes)
        desired: dict[str, Any] = {"image": image, "config": _set(wishes, flat(made))}
        for key in ("state", "path"):
            if entry.get(key) is not None:
                desired[key] = entry[key]
        yield Resource(
            address=f"bundle.{name}",
            kind="bundle",
            name=f"labspec-{scope.lab}-{name}",
            desired=desired,
            options={
                "key": name,
                "config": made,
                "path": place or "",
                "image_address": address,
                "binds": [mount["source"] for mount in wishes.get("mounts") or () if mount["type"] == "bind"],
                "network": entry.get("network") or "private",
                "external": False,
            },
            needs=(address,) if address else (),
        )


def wishes_of(name: str, entry: Mapping[str, Any], path: tuple[str, str], scope: Scope) -> dict[str, Any] | None:
    """Return what `config` takes, in canonical form; None, and a report, where something is wrong."""
    hostname = entry.get("hostname") or name
    if not re.fullmatch(HOSTNAME_PATTERN, hostname):
        scope.error(path, f"'{hostname}' cannot be a host name", "give it a 'hostname'", key=True)
        return None
    wishes: dict[str, Any] = {"args": entry["args"], "hostname": hostname}
    for key in ("cwd", "terminal", "readonly", "network"):
        if entry.get(key) is not None:
            wishes[key] = entry[key]
    if entry.get("user") is not None:
        uid, _, gid = str(entry["user"]).partition(":")
        wishes["user"] = {"uid": int(uid), "gid": int(gid or 0)}
        if max(wishes["user"].values()) > 2**32 - 2:
            scope.error((*path, "user"), f"{entry['user']} is larger than any user or group")
            return None
    if entry.get("env"):
        wishes["env"] = {variable: text(value) for variable, value in entry["env"].items()}
    mounts = [_mount(mount, (*path, "mounts", index), scope) for index, mount in enumerate(entry.get("mounts") or ())]
    if None in mounts:
        return None
    if mounts:
        wishes["mounts"] = mounts
    return wishes


def _mount(mount: Mapping[str, Any], path: tuple[str | int, ...], scope: Scope) -> dict[str, Any] | None:
    kind = mount.get("type") or ("bind" if mount.get("source") else "tmpfs")
    target = posixpath.normpath(mount["target"])
    access = {"read_only": True} if mount.get("read_only") else {}
    if target in ("/", "//") or ".." in mount["target"].split("/"):
        scope.error((*path, "target"), f"nothing can be mounted at '{mount['target']}'", "write a whole path below /")
        return None
    if kind == "tmpfs":
        if mount.get("source"):
            scope.error((*path, "source"), "a tmpfs has no source", "remove it, or write type: bind", key=True)
            return None
        size = {"size": size_bytes(mount["size"])} if mount.get("size") is not None else {}
        return {"type": "tmpfs", "target": target, **size, **access}
    if mount.get("size") is not None:
        scope.error((*path, "size"), "only a tmpfs has a size", "remove it, or write type: tmpfs", key=True)
        return None
    source = mount.get("source")
    if not source:
        scope.error(path, "a bind mount needs a source", "write source: /some/folder")
        return None
    if not source.startswith("/"):
        found = scope.file((*path, "source"), source, folder=is_folder(posixpath.join(scope.root, source)))
        if found is None:
            return None
        source = found
    return {"type": "bind", "source": posixpath.normpath(source), "target": target, **access}


def _set(wishes: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a config.json that the spec decides."""
    paths = {
        "args": "process.args",
        "hostname": "hostname",
        "cwd": "process.cwd",
        "terminal": "process.terminal",
        "readonly": "root.readonly",
        "env": "process.env",
        "mounts": "mounts",
        "network": "linux.namespaces",
    }
    found = {path: whole[path] for key, path in paths.items() if key in wishes}
    if "user" in wishes:
        found |= {f"process.user.{key}": value for key, value in wishes["user"].items()}
    return found


SECTION = BundleSection()
