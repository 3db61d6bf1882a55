"""Merging compose files, and services with what they extend, by compose's rules; !reset and !override among them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import Any

from labspec.imports.compose_read import Node
from labspec.kinds.compose.values import text as as_text

Path = tuple[str | int, ...]

_ANY = "*"
_REPLACED = ("services.*.command", "services.*.entrypoint", "services.*.healthcheck.test")
_PAIRS = (
    "services.*.annotations",
    "services.*.build.additional_contexts",
    "services.*.build.args",
    "services.*.build.labels",
    "services.*.deploy.labels",
    "services.*.environment",
    "services.*.labels",
    "services.*.sysctls",
    "networks.*.labels",
    "volumes.*.labels",
)
"""What may be a mapping or a list of NAME=VALUE."""
_TEXTS = ("services.*.dns", "services.*.dns_opt", "services.*.dns_search", "services.*.env_file", "services.*.tmpfs")
"""What may be one text or a list."""
_NAMES: Mapping[str, dict[str, Any] | None] = {
    "services.*.networks": None,
    "services.*.depends_on": {"condition": "service_started", "required": True},
    "services.*.build.ssh": None,
}
"""What may be a list of names: what then stands for a name."""


def merged(base: Node, own: Node, path: Path = ()) -> Node:
    """Return what compose makes of a value and the one above it. Raises LabError where the two do not fit."""
    if own.tag in ("override", "reset"):
        return own
    if _matches(path, _REPLACED):
        return own
    if _matches(path, ("services.*.logging",)) and _drivers_differ(base, own):
        return own
    if _matches(path, ("services.*.build",)):
        base, own = (_section(node, "context") for node in (base, own))
    for pattern, default in _NAMES.items():
        if _matches(path, (pattern,)):
            base, own = _named(base, default), _named(own, default)
    if _matches(path, _TEXTS):
        base, own = _listed(base), _listed(own)
    if _matches(path, ("services.*.extra_hosts",)):
        base, own = _hosts(base), _hosts(own)
    if _matches(path, _PAIRS) and type(base.value) is not type(own.value):
        base, own = _paired(base), _paired(own)
    if own.value is None:
        return base
    if base.value is None or (_matches(path, ("services.*.ulimits.*",)) and not _both(base, own, dict)):
        return own
    if _both(base, own, dict):
        return _mappings(base, own, path)
    if _both(base, own, list):
        return _replace(own, [*base.value, *own.value])
    if isinstance(base.value, dict | list) or isinstance(own.value, dict | list):
        where = ".".join(map(str, path))
        raise own.wrong(
            f"cannot merge {where} with what is at {base.at}", "write it in the same form, or use !override"
        )
    return own


def settled(node: Node) -> Node:
    """Return a value with what is tagged !reset taken out, and !override done."""
    if isinstance(node.value, dict):
        kept = {key: settled(item) for key, item in node.value.items() if item.tag != "reset"}
        return _replace(node, kept)
    if isinstance(node.value, list):
        return _replace(node, [settled(item) for item in node.value if item.tag != "reset"])
    node.tag = ""
    return node


def unique(node: Node, path: Path = ()) -> Node:
    """Return a value whose lists name nothing twice: the later of two entries stands, in the first's place."""
    if isinstance(node.value, dict):
        return _replace(node, {key: unique(item, (*path, key)) for key, item in node.value.items()})
    if not isinstance(node.value, list):
        return node
    index = next((index for pattern, index in _KEYS.items() if _matches(path, (pattern,))), None)
    items = [unique(item, (*path, number)) for number, item in enumerate(node.value)]
    if index is None:
        return _replace(node, items)
    found: dict[Any, Node] = {}
    for number, item in enumerate(items):
        found[index(item.plain(), number)] = item
    return _replace(node, list(found.values()))


def _matches(path: Path, patterns: tuple[str, ...]) -> bool:
    for pattern in patterns:
        steps = pattern.split(".")
        if len(steps) == len(path) and all(want in (_ANY, have) for want, have in zip(steps, path, strict=True)):
            return True
    return False


def _both(base: Node, own: Node, kind: type) -> bool:
    return isinstance(base.value, kind) and isinstance(own.value, kind)


def _replace(node: Node, value: Any) -> Node:
    node.value = value
    return node


def _mappings(base: Node, own: Node, path: Path) -> Node:
    found = dict(base.value)
    for key, item in own.value.items():
        found[key] = merged(found[key], item, (*path, key)) if key in found else item
    return base.with_value(found)


def _drivers_differ(base: Node, own: Node) -> bool:
    drivers = [node.get("driver") for node in (base, own)]
    names = [node.value for node in drivers if node is not None]
    return len(names) == 2 and names[0] != names[1]


def _section(node: Node, key: str) -> Node:
    if not isinstance(node.value, str):
        return node
    inner = Node(node.value, node.text, node.line, node.column, node.key, template=node.template, folder=node.folder)
    return node.with_value({key: inner})


def _listed(node: Node) -> Node:
    if isinstance(node.value, list) or node.value is None:
        return node
    inner = Node(node.value, node.text, node.line, node.column, template=node.template, folder=node.folder)
    return node.with_value([inner])


def _named(node: Node, default: dict[str, Any] | None) -> Node:
    """Return a list of names as a mapping."""
    if not isinstance(node.value, list):
        return node
    found = {}
    for item in node.value:
        inner = item.with_value(None)
        if default is not None:
            inner.value = {key: Node(value, item.text, item.line, item.column) for key, value in default.items()}
        inner.key = (item.line, item.column)
        found[as_text(item.value)] = inner
    return node.with_value(found)


def _paired(node: Node) -> Node:
    """Return a list of NAME=VALUE as a mapping."""
    if not isinstance(node.value, list):
        return node
    found = {}
    for item in node.value:
        name, there, value = as_text(item.value).partition("=")
        inner = item.with_value(value if there else None)
        template_name, _, template = (item.template or "").partition("=")
        inner.template = template if item.template is not None and template_name == name else None
        inner.key = (item.line, item.column)
        found[name] = inner
    return node.with_value(found)


def _hosts(node: Node) -> Node:
    """Return a mapping of hosts as a list of NAME=ADDRESS: a host may have several."""
    if not isinstance(node.value, dict):
        return node
    found = []
    for name, item in node.value.items():
        for address in item.value if isinstance(item.value, list) else [item]:
            made = address.with_value(f"{name}={as_text(address.value)}")
            made.template = f"{name}={address.template}" if address.template is not None else None
            found.append(made)
    return node.with_value(found)


def _by_name(value: Any, _number: int) -> Any:
    return as_text(value).partition("=")[0] if not isinstance(value, dict | list) else str(value)


def _by_text(value: Any, number: int) -> Any:
    return as_text(value) if not isinstance(value, dict | list) else number


def _by_volume(value: Any, number: int) -> Any:
    if isinstance(value, dict):
        return value.get("target") or number
    parts = as_text(value).split(":")
    return posixpath.normpath(parts[1] if len(parts) > 1 else parts[0])


def _by_device(value: Any, number: int) -> Any:
    return _by_volume(value, number)


def _by_mount(folder: str) -> Callable[[Any, int], Any]:
    def index(value: Any, number: int) -> Any:
        if isinstance(value, dict):
            target = value.get("target") or value.get("source") or number
            return target if str(target).startswith("/") else f"{folder}/{target}"
        return f"{folder}/{value}"

    return index


def _by_file(value: Any, number: int) -> Any:
    return value.get("path") or number if isinstance(value, dict) else value


def _by_port(value: Any, number: int) -> Any:
    if not isinstance(value, dict):
        return as_text(value)
    if not value.get("target"):
        return number
    return tuple(as_text(value.get(key)) for key in ("host_ip", "published", "target", "protocol"))


_KEYS: Mapping[str, Callable[[Any, int], Any]] = {
    "networks.*.labels": _by_name,
    "services.*.annotations": _by_name,
    "services.*.build.additional_contexts": _by_name,
    "services.*.build.args": _by_name,
    "services.*.build.labels": _by_name,
    "services.*.build.platforms": _by_name,
    "services.*.build.tags": _by_name,
    "services.*.cap_add": _by_name,
    "services.*.cap_drop": _by_name,
    "services.*.configs": _by_mount(""),
    "services.*.deploy.labels": _by_name,
    "services.*.devices": _by_device,
    "services.*.dns": _by_name,
    "services.*.dns_opt": _by_name,
    "services.*.dns_search": _by_name,
    "services.*.env_file": _by_file,
    "services.*.environment": _by_name,
    "services.*.expose": _by_name,
    "services.*.extra_hosts": _by_text,
    "services.*.labels": _by_name,
    "services.*.links": _by_name,
    "services.*.networks.*.aliases": _by_name,
    "services.*.networks.*.link_local_ips": _by_name,
    "services.*.ports": _by_port,
    "services.*.profiles": _by_name,
    "services.*.secrets": _by_mount("/run/secrets"),
    "services.*.sysctls": _by_name,
    "services.*.tmpfs": _by_name,
    "services.*.volumes": _by_volume,
}
"""Place -> what tells the entries of a list apart, of an entry's value and number."""
