"""What a `docker run` command line mounts: -v, --mount, and the volumes that they name."""

from __future__ import annotations

import csv
import os
import re
from typing import Any

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.imports.run_words import CommandLine

_ALIASES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}
_KNOWN = (
    "type", "source", "target", "readonly", "bind-propagation", "bind-nonrecursive", "bind-recursive", "consistency",
    "volume-driver", "volume-opt", "volume-nocopy", "volume-label", "volume-subpath", "tmpfs-size", "tmpfs-mode",
)  # fmt: skip


def mounts(line: CommandLine, service: dict[str, Any], sections: dict[str, Any]) -> None:
    """Say in a service what it mounts, and in the spec which volumes there are."""
    driver = line.value("volume-driver")
    found = [_short(item, sections, driver) for item in line.flags.get("volume", ())]
    found += [_long(item, sections) for item in line.flags.get("mount", ())]
    if found:
        service["volumes"] = found


def _short(item: str, sections: dict[str, Any], driver: str | None) -> Any:
    parts = item.split(":")
    if len(parts) == 1:
        return item
    source = parts[0]
    if source.startswith(("/", "~", ".")):
        absolute = os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111  as the shell and docker do
        kept = source if source.startswith("/") else absolute
        return ":".join([kept, *parts[1:]])
    key = _volume(source, sections, {"driver": driver} if driver else {})
    if len(source) == 1:
        # Compose takes one letter before a colon for a drive of Windows.
        named: dict[str, Any] = {"type": "volume", "source": key, "target": parts[1]}
        return {**named, "read_only": True} if "ro" in parts[2:] else named
    return ":".join([key, *parts[1:]])


def _volume(name: str, sections: dict[str, Any], more: dict[str, Any]) -> str:
    """Add a volume to the spec, by the name that it has on the host, and return its key."""
    key = re.sub(r"[^a-zA-Z0-9_.-]", "-", name)
    entry = sections.setdefault("volumes", {}).setdefault(key, {"name": name})
    entry.update({option: value for option, value in more.items() if value})
    return key


def _long(item: str, sections: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"type": "volume"}
    options: dict[str, str] = {}
    labels: dict[str, str] = {}
    for part in next(csv.reader([item])):
        written, equals, value = part.partition("=")
        name = _ALIASES.get(written, written)
        if name not in _KNOWN:
            raise LabError(f"--mount {item}: {written} is not known", hint=did_you_mean(written, _KNOWN))
        if name in ("volume-opt", "volume-label"):
            pair, _, content = value.partition("=")
            (options if name == "volume-opt" else labels)[pair] = content
        else:
            given[name] = value if equals else "true"
    if "target" not in given:
        raise LabError(f"--mount {item}: it has no target", hint="write target=/path")
    return _mount(item, given, options, labels, sections)


def _mount(
    item: str, given: dict[str, Any], options: dict[str, str], labels: dict[str, str], sections: dict[str, Any]
) -> dict[str, Any]:
    kind = given["type"]
    found: dict[str, Any] = {"type": kind}
    source = given.get("source")
    if kind == "volume" and source:
        more = {"driver": given.get("volume-driver"), "driver_opts": options, "labels": labels}
        found["source"] = _volume(source, sections, more)
    elif source:
        found["source"] = os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111
    found["target"] = given["target"]
    if "readonly" in given:
        found["read_only"] = given["readonly"] in ("true", "1")
    details: dict[str, Any] = {}
    if kind == "volume":
        details = {"nocopy": _on(given.get("volume-nocopy")), "subpath": given.get("volume-subpath")}
    elif kind == "tmpfs":
        mode = given.get("tmpfs-mode")
        details = {"size": given.get("tmpfs-size"), "mode": int(mode, 8) if mode else None}
    elif kind == "bind":
        details = {"propagation": given.get("bind-propagation")}
        if _on(given.get("bind-nonrecursive")) or given.get("bind-recursive") not in (None, "enabled"):
            raise LabError(f"--mount {item}: the Compose specification has no key for its recursion")
    else:
        raise LabError(f"--mount {item}: a mount is of type bind, volume or tmpfs")
    details = {name: value for name, value in details.items() if value}
    return {**found, **({kind: details} if details else {})}


def _on(value: str | None) -> bool:
    return value in ("true", "1")
