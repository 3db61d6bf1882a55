"""What compose takes and a spec does not, said in the way of a spec."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labspec.imports.compose_paths import bound_device, is_relative
from labspec.imports.compose_read import Node
from labspec.imports.report import Loss
from labspec.kinds.compose import values
from labspec.kinds.compose.mounts import Mount

_EMPTY = ("restart", "container_name", "dns", "mac_address", "platform")
"""What is as good as not there where it is empty text."""
_SWITCHES = ("external", "internal", "attachable", "enable_ipv4", "enable_ipv6")


def fitted(root: Node, folder: Path) -> list[Loss]:
    """Change compose files, paths as seen from `folder`, so that a spec can say them; return what it cannot."""
    losses: list[Loss] = []
    for section in ("networks", "volumes", "secrets", "configs"):
        node = root.get(section)
        for name, entry in node.value.items() if node is not None and isinstance(node.value, dict) else ():
            if entry.value is None:
                entry.value = {}
            if isinstance(entry.value, dict):
                _object(entry, f"{section}.{name}", losses)
                losses += _files(entry, section, name, folder)
    services = root.get("services")
    for name, entry in services.value.items() if services is not None and isinstance(services.value, dict) else ():
        if isinstance(entry.value, dict):
            losses += _service(entry, f"services.{name}", folder)
    return losses


def loss_of(node: Node, name: str, reason: str, hint: str | None = None) -> Loss:
    """Return the loss of a node's value."""
    line, column = node.key or (node.line, node.column)
    source = node.text.lines[line] if line < len(node.text.lines) else None
    return Loss(name, reason, node.text.position(line, column), source, hint)


def _object(entry: Node, name: str, losses: list[Loss]) -> None:
    others = [key for key in entry.value if key.startswith("x-")]
    losses += (loss_of(entry.value.pop(key), f"{name}.{key}", "compose leaves this key to others") for key in others)
    external = entry.get("external")
    if external is not None and isinstance(external.value, dict):
        entry.value |= external.value
        entry.value["external"] = external.with_value(True)
    for key in _SWITCHES:
        node = entry.get(key)
        if node is not None and isinstance(node.value, str):
            try:
                node.value, node.template = values.boolean(node.value), None
            except ValueError as error:
                raise node.wrong(str(error)) from None
    if external is not None and entry.value["external"].value is False:
        del entry.value["external"]


def _files(entry: Node, section: str, name: str, folder: Path) -> list[Loss]:
    """Give files that are not the lab's their whole path; return those that are not there."""
    losses = []
    file = entry.get("file") if section in ("secrets", "configs") else None
    if file is not None and isinstance(file.value, str) and not _is_own(file.value, folder):
        _make_absolute(file, folder)
        if not Path(file.value).exists():
            reason = f"there is no file {file.value}; the spec names it all the same"
            losses.append(loss_of(file, f"{section}.{name}.file", reason, "labspec plan needs it"))
    device = bound_device(entry) if section == "volumes" else None
    if device is not None:
        _make_absolute(device, folder)
    return losses


def _is_own(path: str, folder: Path) -> bool:
    """Return whether a path is that of something in the lab's folder."""
    if not is_relative(path):
        return True
    real = os.path.realpath(folder / path)
    return os.path.exists(real) and _is_inside(real, folder)  # noqa: PTH110  text, not files


def _is_inside(real: str, folder: Path) -> bool:
    top = os.path.realpath(folder)
    return real == top or real.startswith(top.rstrip("/") + "/")


def _make_absolute(node: Node, folder: Path) -> None:
    if is_relative(node.value):
        node.value, node.template = os.path.normpath(folder / node.value), None


def _service(entry: Node, name: str, folder: Path) -> Iterator[Loss]:
    """Change a service so that a spec can say it; yield what compose reads in it that cannot be meant."""
    for key in _EMPTY:
        node = entry.get(key)
        if node is not None and node.value == "":
            del entry.value[key]
    build = entry.get("build")
    if build is not None and build.value == {}:
        build.value = {"context": Node(".", build.text, build.line, build.column)}
    for key in ("command", "entrypoint"):
        node = entry.get(key)
        if node is not None and isinstance(node.value, str):
            _as_words(node)
    volumes = entry.get("volumes")
    for index, node in enumerate(volumes.value if volumes is not None and isinstance(volumes.value, list) else ()):
        source = node.get("source") if isinstance(node.value, dict) else node
        if source is not None and re.match(r"[A-Za-z]:\\", str(source.value)):
            raise source.wrong("this is a path of Windows", "name the folder on this host")
        _volume(node, folder)
        if isinstance(node.value, str) and re.match("[A-Za-z]:", node.value):
            reason = f"compose takes '{node.value[:2]}' for a drive of Windows; the spec mounts a volume of that name"
            yield loss_of(node, f"{name}.volumes.{index}", reason, "give the volume a longer name")


def _as_words(node: Node) -> None:
    """Write a command line that compose reads in its own way as the list that it makes of it."""
    try:
        values.words(node.value)
    except ValueError:
        words = _compose_words(node.value)
        if words is not None:
            node.value = [Node(word, node.text, node.line, node.column) for word in words]
            node.template = None


def _compose_words(line: str) -> list[str] | None:
    """Return the words of a line up to the first operator of a shell, where compose stops; None for none."""
    match = re.match(r"""(?:[^;&|<>'"\\]|'[^']*'|"(?:[^"\\]|\\.)*"|\\.)*""", line, re.DOTALL)
    try:
        return values.words(match[0]) if match and match.end() < len(line) else None
    except ValueError:
        return None


def _volume(node: Node, folder: Path) -> None:
    """Give a mount of the host a source that a lab may name: its own, or one anywhere by its whole path."""
    try:
        mount = Mount.parse(node.plain())
    except (ValueError, KeyError):
        return
    if mount.type != "bind" or _is_own(mount.source, folder):
        return
    inside = _is_inside(os.path.realpath(folder / mount.source), folder)
    if isinstance(node.value, dict):
        bind = node.get("bind")
        made = bind.get("create_host_path") if bind is not None and isinstance(bind.value, dict) else None
        if not inside or made is None or not made.value:
            _make_absolute(node.value["source"], folder)
        return
    source, _, rest = str(node.value).partition(":")
    template = node.template.partition(":")[0] if node.template is not None else None
    options = rest.partition(":")[2]
    if inside and options in ("", "ro", "rw"):
        node.value = _made_by_engine(node, source, template, mount)
        node.template = None
        return
    absolute = os.path.normpath(folder / source)
    rest_template = node.template.partition(":")[2] if node.template is not None else None
    node.value = f"{absolute}:{rest}"
    node.template = f"{absolute}:{rest_template}" if rest_template is not None else None


def _made_by_engine(node: Node, source: str, template: str | None, mount: Mount) -> dict[str, Node]:
    def inner(value: Any) -> Node:
        return Node(value, node.text, node.line, node.column)

    rest = (node.template or "").partition(":")[2].removesuffix(":ro").removesuffix(":rw")
    target = inner(mount.target)
    target.template = rest if "${{" in rest else None
    found = {"type": inner("bind"), "source": inner(source), "target": target}
    found["source"].template = template
    if mount.read_only:
        found["read_only"] = inner(True)
    return {**found, "bind": inner({"create_host_path": inner(True)})}
