"""How units are read from the host: their files, the links that enable them, and what systemd says of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import LabError
from labspec.host.system import FileState
from labspec.kinds.unit.names import FOLDER, is_template
from labspec.kinds.unit.unitfile import UnitSyntaxError, settings_of

if TYPE_CHECKING:
    from labspec.host.system import System
    from labspec.kinds.unit.unitfile import Setting

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "Type",
    "NeedDaemonReload",
    "FragmentPath",
    "ExecMainStartTimestampMonotonic",
)
_RUNNING = ("active", "activating", "reloading", "refreshing", "maintenance")


def booted() -> bool:
    """Return whether systemd is the host's init; see sd_booted(3)."""
    return Path("/run/systemd/system").is_dir()


def properties(system: System, units: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return unit -> property -> value by one request; nothing of templates, which are no units to systemd."""
    if not booted():
        return {}
    return system.unit_properties([unit for unit in units if not is_template(unit)], PROPERTIES)


def exists(shown: Mapping[str, str]) -> bool:
    """Return whether systemd has such a unit."""
    return shown.get("LoadState", "not-found") != "not-found"


def state_of(shown: Mapping[str, str]) -> str:
    """Return what a unit does: started, stopped or failed. A oneshot that has run without a mistake is started."""
    active = shown.get("ActiveState", "inactive")
    if active == "failed" or shown.get("SubState") == "auto-restart":
        return "failed"
    if active in _RUNNING:
        return "started"
    ran = shown.get("ExecMainStartTimestampMonotonic", "0") not in ("", "0")
    return "started" if shown.get("Type") == "oneshot" and ran and shown.get("Result") == "success" else "stopped"


def content_of(system: System, path: str) -> str | None:
    """Return the text of the unit file at a path; None where there is none, or a link in its place."""
    if Path(path).is_symlink():
        return None
    found = system.read(path)
    return None if found is None else found.content.decode(errors="replace")


def settings_in(content: str | None) -> tuple[Setting, ...]:
    """Return the settings of a file on the host; none of one that systemd could not read either."""
    try:
        return settings_of(content or "")
    except UnitSyntaxError:
        return ()


def links() -> dict[str, str]:
    """Return path -> target of every link among the administrator's units: what is enabled, aliased and masked."""
    found: dict[str, str] = {}
    for folder, _, files in _walk():
        for name in files:
            path = Path(folder, name)
            if path.is_symlink():
                found[str(path)] = str(path.readlink())
    return found


def folders() -> list[str]:
    """Return the folders of links that there are: multi-user.target.wants, ..."""
    return sorted(folder for folder, _, _ in _walk() if folder != FOLDER)


def links_of(family: Iterable[str], among: Mapping[str, str], path: str | None) -> dict[str, str]:
    """Return those links that are named like a unit of a family or lead to one, but for what is at `path`."""
    names = set(family)
    return {
        link: target
        for link, target in among.items()
        if link != path and (Path(link).name in names or Path(target).name in names)
    }


def enabled(unit: str, among: Mapping[str, str]) -> bool:
    """Return whether a link makes something else want a unit, or is another name of it."""
    return any(Path(target).name == unit and Path(link) != Path(FOLDER, unit) for link, target in among.items())


def snapshot(system: System, unit: str, path: str | None) -> dict[str, Any]:
    """Return what is needed to put a unit back as it is now."""
    shown = properties(system, [unit]).get(unit, {})
    at = Path(path) if path else None
    link = str(at.readlink()) if at and at.is_symlink() else None
    file = system.read(path) if path and link is None else None
    return {
        "file": None if file is None else as_json(file),
        "link": link,
        "folder": at is None or at.parent.is_dir(),
        "links": links(),
        "folders": folders(),
        "active": shown.get("ActiveState") in _RUNNING,
    }


def as_json(file: FileState) -> dict[str, Any]:
    """Return a file as the journal keeps it."""
    content = base64.b64encode(file.content).decode()
    return {"content": content, "mode": file.mode, "uid": file.uid, "gid": file.gid}


def from_json(kept: Mapping[str, Any]) -> FileState:
    """Return the file that the journal keeps."""
    return FileState(base64.b64decode(kept["content"]), str(kept["mode"]), int(kept["uid"]), int(kept["gid"]))


def _walk() -> Iterable[tuple[str, list[str], list[str]]]:
    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise LabError(f"cannot read {error.filename}: {error.strerror}") from error

    for folder, inner, files in os.walk(FOLDER, onerror=refuse):
        # Links to folders are no folders of links.
        yield folder, inner, files + [name for name in inner if Path(folder, name).is_symlink()]
