"""Volumes, tmpfs and devices of a service, in the short and the long form of a compose file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labspec.kinds.compose.values import boolean, size, text

_PROPAGATIONS = ("shared", "slave", "private", "rshared", "rslave", "rprivate")
_IGNORED = ("rw", "cached", "delegated", "consistent", "nosuid", "copy")


@dataclass(frozen=True, slots=True)
class Mount:
    """Something of the host, a volume or memory, at `target` in a container; `source` as written."""

    type: str
    target: str
    source: str = ""
    read_only: bool = False
    propagation: str = ""
    selinux: str = ""
    nocopy: bool = False
    subpath: str = ""
    tmpfs_size: int = 0
    tmpfs_mode: int = 0
    made: bool = False
    """The engine makes the folder of the host where it is missing, and the spec says so."""

    @classmethod
    def parse(cls, entry: Any) -> Mount:
        """Return the mount that one entry of `volumes` stands for. Raises ValueError."""
        return _long(entry) if isinstance(entry, Mapping) else _short(str(entry))


def _short(entry: str) -> Mount:
    parts = entry.split(":")
    if len(parts) > 3:
        raise ValueError(f"'{entry}' has too many colons: write SOURCE:TARGET[:OPTIONS]")
    if not all(parts):
        raise ValueError(f"'{entry}' has an empty part: write SOURCE:TARGET[:OPTIONS]")
    if len(parts) == 1:
        return Mount("volume", _target(parts[0]))
    source, target = parts[:2]
    if re.fullmatch(r"[a-zA-Z]", source) and target.startswith("\\"):
        raise ValueError(f"'{entry}' is a Windows path: labs run on Linux")
    kind = "bind" if source.startswith((".", "/", "~")) else "volume"
    given: dict[str, Any] = {}
    for option in parts[2].split(",") if len(parts) == 3 else ():
        given |= _option(option, entry)
    return Mount(kind, _target(target), source, **given)


def _option(option: str, entry: str) -> dict[str, Any]:
    if option == "ro":
        return {"read_only": True}
    if option in ("z", "Z"):
        return {"selinux": option}
    if option == "nocopy":
        return {"nocopy": True}
    if option in _PROPAGATIONS:
        return {"propagation": option}
    if option in _IGNORED:
        return {}
    from labspec.core.diagnostic import did_you_mean

    known = ("ro", "z", "Z", "nocopy", *_PROPAGATIONS, *_IGNORED)
    hint = did_you_mean(option, known) or "known are ro, rw, z, Z, nocopy and propagation modes such as rslave"
    raise ValueError(f"'{option}' in '{entry}' is no option of a mount: {hint}")


def _long(entry: Mapping[str, Any]) -> Mount:
    kind = entry["type"]
    if not entry.get("target"):
        raise ValueError("a mount lacks the key 'target'")
    source = text(entry.get("source"))
    if kind in ("bind", "image") and not source:
        raise ValueError(f"a mount of type {kind} lacks the key 'source'")
    if kind == "tmpfs" and source:
        raise ValueError("a mount of type tmpfs has no source")
    if kind == "volume" and not source and boolean(entry.get("read_only") or False):
        raise ValueError("a volume without a name is empty at first, and cannot be read-only: write its source")
    bind, volume, tmpfs, image = (entry.get(key) or {} for key in ("bind", "volume", "tmpfs", "image"))
    if bind.get("propagation") and bind["propagation"] not in _PROPAGATIONS:
        raise ValueError(f"'{bind['propagation']}' is no propagation: one of {', '.join(_PROPAGATIONS)}")
    return Mount(
        kind,
        _target(entry["target"]),
        source,
        read_only=boolean(entry.get("read_only") or False),
        propagation=text(bind.get("propagation")),
        selinux=text(bind.get("selinux")),
        nocopy=boolean(volume.get("nocopy") or False),
        subpath=text(volume.get("subpath") or image.get("subpath")),
        tmpfs_size=size(tmpfs.get("size") or 0),
        tmpfs_mode=file_mode(tmpfs.get("mode") or 0),
        made=boolean(bind.get("create_host_path") or False),
    )


def file_mode(value: Any) -> int:
    """Return permissions: a number as it is, text in octal. Raises ValueError."""
    if isinstance(value, str):
        if not re.fullmatch(r"(0o)?[0-7]{1,5}", value):
            raise ValueError(f"'{value}' are no permissions in octal")
        return int(value.removeprefix("0o"), 8)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(f"{value} are no permissions: write them as text, in octal")
    return int(value)


def _target(value: str) -> str:
    clean = posixpath.normpath(value)
    if not clean.startswith("/"):
        raise ValueError(f"the target '{value}' is not an absolute path")
    if clean.lstrip("/") == "":
        raise ValueError("the target is '/': a container's root folder cannot be mounted over")
    return "/" + clean.lstrip("/")


def parse_tmpfs(entry: str) -> tuple[str, str]:
    """Return target and options of one entry of `tmpfs`."""
    target, _, options = entry.partition(":")
    return _target(target), options


def parse_device(entry: Any) -> str:
    """Return "HOST:CONTAINER:PERMISSIONS" of one entry of `devices`. Raises ValueError."""
    if isinstance(entry, Mapping):
        source = text(entry["source"])
        parts = [source, text(entry.get("target")) or source, text(entry.get("permissions")) or "rwm"]
    else:
        parts = entry.split(":")
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise ValueError(f"'{entry}' is no device: write HOST[:CONTAINER[:rwm]]")
    host, container, permissions = parts[0], "", "rwm"
    for part in parts[1:]:
        if part.startswith("/"):
            container = part
        elif re.fullmatch("[rwm]{1,3}", part):
            permissions = part
        else:
            raise ValueError(f"'{part}' is neither a device in the container nor permissions out of rwm")
    return f"{host}:{container or host}:{permissions}"


def is_cdi_device(entry: Any) -> bool:
    """Return whether an entry of `devices` names a device of the Container Device Interface: VENDOR/CLASS=NAME."""
    source = entry.get("source", "") if isinstance(entry, Mapping) else entry
    return not str(source).startswith("/") and "=" in str(source)
