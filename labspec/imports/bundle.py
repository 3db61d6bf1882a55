"""The config.json of an OCI bundle as a bundle of a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from labspec.core.diagnostic import LabError
from labspec.imports.jsonfile import escaped, place_of, read_object
from labspec.imports.report import Imported, Loss
from labspec.kinds.bundle.config import config, default_config, flat
from labspec.kinds.bundle.model import Bundle
from labspec.kinds.mistakes import mistakes

_ACCESS = ("ro", "rw")
_ITSELF = ("ociVersion", "root.path")
"""What labspec decides: the version of the format, and where the image's files are in the folder."""


def import_bundle(file: Path, name: str, image: str, lab: str) -> Imported:
    """Return the spec with the bundle of a config.json; `image` is what its root file system is to be made of.

    What a spec cannot say of it is lost by its path: linux.resources.memory.limit, mounts[/data].
    """
    found, text = read_object(file)
    process = found.get("process")
    if not isinstance(process, Mapping) or not process.get("args"):
        raise LabError(f"{file} says nothing of a process", hint="'runc spec' writes a whole config.json")
    try:
        wishes, entry = _wishes(found, name)
        Bundle.model_validate({"image": image, **entry}, strict=True)
    except ValidationError as error:
        told = mistakes(error, Bundle, {"image": image, **entry}, f"bundle '{name}'")
        raise LabError("\n".join(f"{file}: {'.'.join(map(str, item.path))}: {item.message}" for item in told)) from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LabError(f"{file} is not as the OCI's runtime specification has it: {error}") from error
    losses = tuple(Loss(path, reason, *place_of(file, text, key)) for path, key, reason in _lost(found, config(wishes)))
    return Imported(lab, {"bundles": {name: escaped({"image": image, **entry})}}, losses)


def _wishes(found: Mapping[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `config` takes, and the same as a spec says it."""
    process = found["process"]
    usual = default_config()
    entry: dict[str, Any] = {"args": list(process["args"])}
    hostname = found.get("hostname")
    if hostname is not None and hostname != name:
        entry["hostname"] = hostname
    known = dict(line.split("=", 1) for line in usual["process"]["env"])
    variables = dict(line.split("=", 1) for line in process.get("env") or ())
    env = {key: value for key, value in variables.items() if known.get(key) != value}
    if env:
        entry["env"] = env
    if process.get("cwd", "/") != "/":
        entry["cwd"] = process["cwd"]
    user = process.get("user") or {}
    uid, gid = user.get("uid", 0), user.get("gid", 0)
    if uid or gid:
        entry["user"] = f"{uid}:{gid}"
    if process.get("terminal"):
        entry["terminal"] = True
    readonly = bool((found.get("root") or {}).get("readonly", False))
    if readonly != usual["root"]["readonly"]:
        entry["readonly"] = readonly
    namespaces = [item["type"] for item in (found.get("linux") or {}).get("namespaces") or ()]
    if "network" not in namespaces:
        entry["network"] = "host"
    usual_targets = {mount["destination"] for mount in usual["mounts"]}
    mounts = [_mount(mount) for mount in found.get("mounts") or () if mount["destination"] not in usual_targets]
    if any(mounts):
        entry["mounts"] = [mount for mount in mounts if mount]
    wishes = {key: value for key, value in entry.items() if key not in ("user", "mounts")}
    wishes["hostname"] = hostname or name
    if "user" in entry:
        wishes["user"] = {"uid": uid, "gid": gid}
    if "mounts" in entry:
        wishes["mounts"] = [_canonical(mount) for mount in entry["mounts"]]
    return wishes, entry


def _mount(mount: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a mount as a spec says it; None for a type that it has not."""
    options = mount.get("options") or []
    access = {"read_only": True} if "ro" in options else {}
    if mount.get("type") == "tmpfs":
        size = next((option[5:] for option in options if option.startswith("size=")), None)
        said = {"size": int(size) if size.isdigit() else size} if size else {}
        return {"type": "tmpfs", "target": mount["destination"], **access, **said}
    if mount.get("type") in ("bind", "none") or {"bind", "rbind"} & set(options):
        return {"source": mount["source"], "target": mount["destination"], **access}
    return None


def _canonical(mount: Mapping[str, Any]) -> dict[str, Any]:
    kind = mount.get("type", "bind")
    return {**mount, "type": kind}


def _lost(found: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (path, last key, reason) for everything in which the made config.json differs from the found one."""
    ours, theirs = flat(_plain(made)), flat(_plain(found))
    for path in sorted({*ours, *theirs}):
        if path in _ITSELF or ours.get(path) == theirs.get(path):
            continue
        key = path.rpartition(".")[2]
        if path not in theirs:
            yield path, key, "the file does not say it, and a spec's bundle has it as 'runc spec' does"
        else:
            yield path, key, "a spec has no word for it" if path not in ours else "a spec's bundle has another value"


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config.json with lists in which order means nothing as mappings, so that each item has a path."""
    made = dict(value)
    made["mounts"] = {f"[{mount['destination']}]": _normal(mount) for mount in value.get("mounts") or ()}
    process = dict(value.get("process") or {})
    process["env"] = dict(line.split("=", 1) for line in process.get("env") or ())
    process["user"] = {key: item for key, item in (process.get("user") or {}).items() if item}
    process = {key: item for key, item in process.items() if item not in (None, False, {}, [])}
    linux = dict(value.get("linux") or {})
    linux["namespaces"] = {item["type"]: item.get("path", "") for item in linux.get("namespaces") or ()}
    linux = {key: item for key, item in linux.items() if item not in (None, {}, [])}
    root = {key: item for key, item in (value.get("root") or {}).items() if item}
    return {**made, "process": process, "linux": linux, "root": root}


def _normal(mount: Mapping[str, Any]) -> dict[str, Any]:
    options = ["rbind" if option == "bind" else option for option in mount.get("options") or () if option != "rw"]
    kind = "bind" if mount.get("type") in (None, "none", "bind") or "rbind" in options else mount["type"]
    size = [re.sub(r"^size=.*", "size", option) for option in options]
    known = {"nosuid", "nodev"} if kind == "tmpfs" else set()
    return {"type": kind, "source": "" if kind == "tmpfs" else mount.get("source"), "options": sorted({*size, *known})}
