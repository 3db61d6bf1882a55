"""The paths in a compose file: as seen from another folder."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from labspec.imports.compose_read import Node
from labspec.kinds.compose.mounts import Mount

Move = Callable[[Node], None]


def moved_project(root: Node, prefix: str) -> None:
    """Change all relative paths of a compose file so that they start at another folder, from which `prefix` leads."""
    services = root.get("services")
    for entry in services.value.values() if services and isinstance(services.value, dict) else ():
        moved_service(entry, prefix)
    for section in ("secrets", "configs"):
        node = root.get(section)
        for entry in node.value.values() if node and isinstance(node.value, dict) else ():
            file = entry.get("file")
            if file is not None:
                _move(file, prefix)
    volumes = root.get("volumes")
    for entry in volumes.value.values() if volumes and isinstance(volumes.value, dict) else ():
        device = bound_device(entry)
        if device is not None:
            _move(device, prefix)


def moved_service(entry: Node, prefix: str) -> None:
    """Change the relative paths of one service."""
    for node in plain_paths(entry):
        _move(node, prefix)
    build = entry.get("build")
    if build is not None:
        context = build if isinstance(build.value, str) else build.get("context")
        if context is not None:
            _move(context, prefix)
        elif isinstance(build.value, dict):
            build.value["context"] = Node(prefix, build.text, build.line, build.column, build.key)
        additional = build.get("additional_contexts")
        for node in _values(additional):
            _move_behind_equals(node, prefix, listed=additional is not None and isinstance(additional.value, list))
    for node in _values(entry.get("volumes")):
        _move_volume(node, prefix)


def plain_paths(entry: Node) -> Iterator[Node]:
    """Yield the values of a service that are paths, but for those of builds and volumes."""
    for key in ("env_file", "label_file"):
        given = entry.get(key)
        for node in _values(given) if given and isinstance(given.value, list) else [given] if given else ():
            path = node.get("path") if isinstance(node.value, dict) else node
            if path is not None:
                yield path
    develop = entry.get("develop")
    watch = develop.get("watch") if develop else None
    for node in _values(watch):
        path = node.get("path")
        if path is not None:
            yield path


def bound_device(entry: Node) -> Node | None:
    """Return the folder that a local volume is a bind of, or None."""
    options = entry.get("driver_opts")
    if options is None or not isinstance(options.value, dict):
        return None
    driver, kind, device = entry.get("driver"), options.get("o"), options.get("device")
    local = driver is None or driver.value in (None, "local")
    bound = kind is not None and "bind" in str(kind.value).split(",")
    return device if local and bound and device is not None and isinstance(device.value, str) else None


def _values(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if isinstance(node.value, dict):
        return list(node.value.values())
    return node.value if isinstance(node.value, list) else []


def is_relative(path: str) -> bool:
    """Return whether a path starts at the project's folder."""
    return not path.startswith(("/", "~")) and "://" not in path and not path.startswith("git@")


def _move(node: Node, prefix: str) -> None:
    if not isinstance(node.value, str) or not is_relative(node.value):
        return
    template = node.template
    same = template is not None and _literal_start(template) and not template.startswith("..")
    node.value = _joined(prefix, node.value)
    node.template = _joined(prefix, template) if same and template is not None else None


def _literal_start(template: str) -> bool:
    """Return whether what a path starts with is no variable, which might be absolute."""
    return not template.startswith("${{")


def _joined(prefix: str, path: str) -> str:
    found = posixpath.normpath(posixpath.join(prefix, path))
    return found if found.startswith("..") or found == "." else f"./{found}"


def _move_behind_equals(node: Node, prefix: str, *, listed: bool) -> None:
    if not listed:
        _move(node, prefix)
        return
    name, separator, path = str(node.value).partition("=")
    if separator and is_relative(path):
        node.value, node.template = f"{name}={_joined(prefix, path)}", None


def _move_volume(node: Node, prefix: str) -> None:
    try:
        mount = Mount.parse(node.plain())
    except (ValueError, KeyError):
        return
    if mount.type != "bind":
        return
    if isinstance(node.value, dict):
        _move(node.value["source"], prefix)
        return
    source, _, rest = str(node.value).partition(":")
    first = Node(source, node.text, node.line, node.column)
    if node.template is not None:
        first.template, _, template_rest = node.template.partition(":")
    _move(first, prefix)
    node.value = f"{first.value}:{rest}"
    node.template = f"{first.template or first.value}:{template_rest}" if node.template is not None else None
