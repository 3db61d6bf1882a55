"""What a spec may say of a pod of rkt: the flags of `rkt run` by their own names, with '_' for '-'."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from labspec.core.resource import Resource
from labspec.kinds.compose.values import text
from labspec.kinds.provider import Scope
from labspec.kinds.section import Line, ModelSection

INSECURE = Literal[
    "none",
    "image",
    "tls",
    "ondisk",
    "http",
    "pubkey",
    "capabilities",
    "paths",
    "seccomp",
    "all-fetch",
    "all-run",
    "all",
]
_LONGEST_UNIT = 240
_RKT_PATH = r"[^,&;%+\x00-\x20\x7f]+"

AcName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]
Unit = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$", max_length=_LONGEST_UNIT)]
Image = Annotated[str, Field(pattern=r"^[a-zA-Z0-9/][\x21-\x7e]*$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Absolute = Annotated[str, Field(pattern=r"^/[^,&;%+\x00-\x20\x7f]*$")]
"""rkt reads volumes and mounts as a query: characters that have a meaning there are not let in."""
Word = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.:/=-]+$")]
Capability = Annotated[str, Field(pattern=r"^CAP_[A-Z_]+$")]
Cpu = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?m?$")]
Memory = Annotated[str, Field(pattern=r"^[0-9]+([kMGT]i?)?$")]
"""For rkt a small m is a thousandth, not a million."""
Port = Annotated[
    str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*:(([0-9]{1,3}\.){3}[0-9]{1,3}:)?[0-9]{1,5}$", examples=["80-tcp:8080"])
]
Scalar = Line | int | float | bool


def _argument(value: str) -> str:
    if value == "---":
        raise ValueError("'---' ends the arguments of an app for rkt: it cannot be one of them")
    return value


def _path(value: str) -> str:
    if not re.fullmatch(_RKT_PATH, value):
        raise ValueError(_said(value))
    return value


def _said(path: str) -> str:
    return f"{path!r} is not a path that rkt can take: it has a space or one of , & ; % +"


Argument = Annotated[Line, AfterValidator(_argument), WithJsonSchema({"type": "string"})]
Source = Annotated[str, AfterValidator(_path), WithJsonSchema({"type": "string"})]

_CONFIG = ConfigDict(extra="forbid")


class Volume(BaseModel):
    """A folder that a pod can mount."""

    model_config = _CONFIG

    kind: Literal["host", "empty"] | None = None
    """A folder of the host, or one that is made for the pod; host where there is a source."""
    source: Source | None = None
    """The folder of the host, or one of the lab's."""
    read_only: bool | None = None
    """The pod cannot write to it."""


class Mount(BaseModel):
    """A volume in its place."""

    model_config = _CONFIG

    volume: AcName
    """One of `volumes`."""
    target: Absolute
    """Where the app has it."""


class Rkt(BaseModel):
    """A pod with one app, run by rkt as a transient unit of systemd."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "image": "docker://alpine",
                    "stage1": "coreos.com/rkt/stage1-fly:1.29.0",
                    "insecure_options": ["image"],
                    "exec": "/bin/sleep",
                    "args": ["9999"],
                }
            ]
        },
    )

    image: Image
    """The image: docker://NAME, an appc name, a URL, or the path of an .aci file."""
    stage1: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./_:-]*$")] | None = None
    """The name of the stage 1 image, such as coreos.com/rkt/stage1-fly:1.29.0; rkt's default where it is not given."""
    insecure_options: list[INSECURE] | None = None
    """Checks to leave out. Docker's images have no signature: they need `image`."""
    exec: Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]*$")] | None = None
    """The program to run in place of the image's: one path."""
    args: list[Argument] | None = None
    """Arguments of the program."""
    name: AcName | None = None
    """The name of the app; made of the entry's where it is not given."""
    unit: Unit | None = None
    """The name of the unit, without .service; `labspec-<lab>-<name>` where it is not given."""
    once: bool | None = None
    """The app ends by itself: a pod that has ended is as it should be."""
    net: Word | list[Word] | None = None
    """The networks of the pod: default, host, none, or names of configured ones."""
    hostname: Word | None = None
    """The host name of the pod."""
    dns: list[Word] | None = None
    """Name servers."""
    dns_search: list[Word] | None = None
    """Domains to look names up in."""
    dns_domain: Word | None = None
    """The pod's domain."""
    dns_opt: list[Word] | None = None
    """Options for resolv.conf."""
    hosts_entry: list[Word] | None = None
    """Lines of /etc/hosts, as ADDRESS=NAME."""
    ports: list[Port] | None = None
    """Ports on the host, as NAME:[ADDRESS:]PORT; NAME is a port of the image, such as 80-tcp."""
    set_env: dict[Variable, Scalar] | None = None
    """Environment of every app of the pod."""
    set_env_file: Line | None = None
    """A file of the lab with NAME=VALUE lines, for every app of the pod."""
    volumes: dict[AcName, Volume] | None = None
    """Folders that the app can mount."""
    mounts: list[Mount] | None = None
    """Where the app has its volumes."""
    environment: dict[Variable, Scalar] | None = None
    """Environment of the app; goes before `set_env`."""
    user: Word | int | None = None
    """The user that the app runs as: a number, or a name in the image."""
    group: Word | int | None = None
    """The group that the app runs as."""
    working_dir: Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]*$")] | None = None
    """The folder that the app starts in."""
    supplementary_gids: list[Annotated[int, Field(ge=0)]] | None = None
    """Further groups."""
    annotations: dict[Word, Line] | None = None
    """Annotations of the app."""
    caps_retain: list[Capability] | None = None
    """The capabilities to keep; all others are dropped."""
    caps_remove: list[Capability] | None = None
    """Capabilities to drop."""
    cpu: Cpu | None = None
    """The most CPU, such as 500m."""
    memory: Memory | None = None
    """The most memory, such as 64Mi."""
    cpu_shares: Annotated[int, Field(ge=2, le=262144)] | None = None
    """The weight of the app's CPU time."""
    oom_score_adj: Annotated[int, Field(ge=-1000, le=1000)] | None = None
    """How readily the kernel ends the app when memory is short."""
    readonly_rootfs: bool | None = None
    """The app cannot write to its root file system."""


class RktSection(ModelSection):
    """The section `rkt`."""

    name = "rkt"
    kind = "rkt"
    model = Rkt

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in one entry, and return whether there was none."""
        if not super().check(name, entry, scope):
            return False
        path = (self.name, name)
        if entry.get("caps_retain") and entry.get("caps_remove"):
            message = f"rkt '{name}' has both caps_retain and caps_remove"
            scope.error((*path, "caps_remove"), message, "keep one of them", key=True)
            return False
        if entry.get("ports") and "host" in (entry.get("net"), *_listed(entry.get("net"))):
            message = f"rkt '{name}' has ports, and the host's network"
            scope.error((*path, "ports"), message, "rkt refuses that: remove one of them", key=True)
            return False
        if "host" in _listed(entry.get("hosts_entry")) and len(entry["hosts_entry"]) > 1:
            message = "'host' takes the whole of the host's /etc/hosts, and no further lines"
            scope.error((*path, "hosts_entry"), message, "remove the other lines, or 'host'", key=True)
            return False
        return self._mounts_well(path, entry, scope)

    def _mounts_well(self, path: tuple[str, str], entry: Mapping[str, Any], scope: Scope) -> bool:
        fine = True
        volumes = entry.get("volumes") or {}
        for key, volume in volumes.items():
            where = (*path, "volumes", key)
            if (volume.get("kind") or "host") == "host" and not volume.get("source"):
                scope.error(where, f"volume '{key}' of the host has no source", "write source: /some/folder", key=True)
                fine = False
            elif volume.get("kind") == "empty" and volume.get("source"):
                scope.error((*where, "source"), f"volume '{key}' is empty and has a source", "keep one of them")
                fine = False
        for index, mount in enumerate(entry.get("mounts") or ()):
            if mount["volume"] not in volumes:
                known = f"'volumes' has {', '.join(volumes)}" if volumes else "add it to 'volumes'"
                scope.error((*path, "mounts", index, "volume"), f"there is no volume '{mount['volume']}'", known)
                fine = False
        return fine

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the pod."""
        path = (self.name, name)
        plain = re.sub(r"[^a-zA-Z0-9_-]", "-", name)
        unit = str(entry.get("unit") or f"labspec-{scope.lab}-{plain}".replace(".", "-"))
        if len(unit) > _LONGEST_UNIT:
            scope.error(path, f"the name of its unit is too long: {unit}", "give it a 'unit'", key=True)
            return
        app = entry.get("name") or re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        desired = {key: value for key, value in entry.items() if value is not None and key != "once"}
        for key in ("environment", "set_env"):
            if key in desired:
                desired[key] = {variable: text(value) for variable, value in desired[key].items()}
        if not self._found_files(path, desired, scope):
            return
        yield Resource(
            address=f"rkt.{name}",
            kind="rkt",
            name=unit,
            desired=desired,
            options={"app": app, "once": bool(entry.get("once")), "external": False},
        )

    def _found_files(self, path: tuple[str, str], desired: dict[str, Any], scope: Scope) -> bool:
        """Put absolute paths in the place of those in the lab's folder; return whether all are there."""
        if "set_env_file" in desired:
            file = scope.file((*path, "set_env_file"), desired["set_env_file"])
            if file is None:
                return False
            scope.read(file)
            desired["set_env_file"] = file
        volumes: dict[str, Any] = {}
        for key, volume in (desired.get("volumes") or {}).items():
            source = volume.get("source")
            if source is not None and not source.startswith("/"):
                source = scope.file((*path, "volumes", key, "source"), source, folder=True)
                if source is None:
                    return False
                if not re.fullmatch(_RKT_PATH, source):
                    scope.error((*path, "volumes", key, "source"), _said(source), "move the lab to another folder")
                    return False
            rest = {"read_only": True} if volume.get("read_only") else {}
            volumes[key] = {"kind": volume.get("kind") or "host", **({"source": source} if source else {}), **rest}
        if volumes:
            desired["volumes"] = volumes
        return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


SECTION = RktSection()
