"""What the journal keeps of daemon.json: what each key was, and what the file would be without labspec.

An entry has `keys` (those that the spec named), `previous` (key -> its value as it was written, null for none),
`base` (the whole file without labspec, null for none), `written` (a digest of what labspec wrote), `files` (path ->
what was there), `accounts` (path -> lines added for userns-remap), `carried` (images taken along to another data
root), `made` (that data root, if it was not there before) and `pending` (what the daemon must still do to take the
file over: restart, reload or nothing).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from labspec.core.diff import digests
from labspec.host.system import FileState
from labspec.kinds.daemon.jsonfile import JsonFile

ADDRESS = "daemon.settings"
Entry = Mapping[str, Any]


def kept(state: FileState | None) -> dict[str, Any] | None:
    """Return a file as a JSON value; None for no file."""
    if state is None:
        return None
    content = base64.b64encode(state.content).decode()
    return {"content": content, "mode": state.mode, "uid": state.uid, "gid": state.gid}


def unkept(value: Mapping[str, Any] | None) -> FileState | None:
    """Return the file that `kept` made a JSON value."""
    if value is None:
        return None
    return FileState(base64.b64decode(value["content"]), value["mode"], value["uid"], value["gid"])


def mark(content: bytes | None) -> str:
    """Return what tells one content from another; empty for no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def reverted(file: JsonFile, previous: Mapping[str, str | None], keys: Sequence[str]) -> JsonFile:
    """Return the file with each key as it was before labspec set it."""
    made = file
    for key in keys:
        raw = previous.get(key)
        if raw is None:
            made = made.without(key)
        elif made.raw(key) != raw:
            made = made.with_raw(key, raw)
    return made


def edited(
    current: FileState | None, path: str, values: Mapping[str, Any], drop: Sequence[str], entry: Entry
) -> bytes | None:
    """Return the content of daemon.json with these values, and with the keys of `drop` as they were before.

    None for no file: where there is none, or was none without labspec, and nothing is to be in it.
    """
    file = JsonFile.read(current.content if current else None, path)
    file = reverted(file, entry.get("previous", {}), drop).with_values(values)
    none = current is None or entry.get("base", current) is None
    return file.content() if file.members or not none else None


def original(current: FileState | None, path: str, entry: Entry) -> FileState | None:
    """Return daemon.json as it would be without labspec; None for no file.

    That is the very file of before where nobody else has changed it since, else this one with labspec's keys reverted.
    """
    content = current.content if current else None
    base = unkept(entry.get("base"))
    if current is None or "base" not in entry:
        return current
    if mark(content) == entry.get("written"):
        return base
    previous = entry.get("previous", {})
    file = reverted(JsonFile.read(content, path), previous, list(previous))
    if base is None and not file.members:
        return None
    return FileState(file.content(), current.mode, current.uid, current.gid)


def remembered(
    entry: Entry,
    current: FileState | None,
    path: str,
    values: Mapping[str, Any],
    content: bytes | None,
    files: Mapping[str, FileState | None],
) -> dict[str, Any]:
    """Return the entry to record before `content` is written: `files` are what is at the places of further files.

    It still has what is taken back now, in case that fails; `settled` leaves that out.
    """
    before = JsonFile.read(current.content if current else None, path)
    old, old_files = entry.get("previous", {}), entry.get("files", {})
    keys = sorted({*values, *entry.get("keys", ())})
    return {
        **entry,
        "kind": "daemon",
        "path": path,
        "keys": keys,
        "previous": {key: old[key] if key in old else before.raw(key) for key in keys},
        "base": kept(original(current, path, entry)),
        "written": mark(content),
        "files": {name: old_files[name] if name in old_files else kept(state) for name, state in files.items()},
    }


def settled(entry: Entry, desired: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry once the daemon has taken over what the spec asks for."""
    values, files = desired.get("settings", {}), desired.get("files", {})
    return {
        **entry,
        "applied": digests(desired),
        "keys": sorted(values),
        "previous": {key: raw for key, raw in entry.get("previous", {}).items() if key in values},
        "files": {path: state for path, state in entry.get("files", {}).items() if path in files},
        "pending": "",
    }


def previous_values(entry: Entry) -> dict[str, Any]:
    """Return key -> value of before labspec, for the keys that had one."""
    return {key: json.loads(raw) for key, raw in entry.get("previous", {}).items() if raw is not None}
