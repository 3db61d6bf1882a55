"""Names without value in services: compose gives them what `.env` says, which a spec has to say for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from labspec.imports.compose_read import Node
from labspec.imports.compose_vars import Variables
from labspec.kinds.compose.environment import parse_env_file
from labspec.kinds.compose.interpolate import InterpolationError
from labspec.kinds.compose.values import text as as_text


def give(root: Node, values: Mapping[str, str], variables: Variables, folder: Path, *, builds: bool = True) -> None:
    """Write the `values` of files of variables where services, and `builds`, name them only.

    Paths are as seen from `folder`.
    """
    services = root.get("services")
    for entry in services.value.values() if services is not None and isinstance(services.value, dict) else ():
        if not isinstance(entry.value, dict):
            continue
        _give(entry.get("environment"), values, variables)
        for name, at in _bare_in_files(entry, folder):
            _add(entry, name, at, values, variables)
        build = entry.get("build") if builds else None
        _give(build.get("args") if build is not None else None, values, variables)


def _give(node: Node | None, values: Mapping[str, str], variables: Variables) -> None:
    if node is not None and isinstance(node.value, dict):
        for name, item in node.value.items():
            if item.value is None and name in values:
                item.value, item.template = values[name], variables.stand_for(name, values[name])
    elif node is not None and isinstance(node.value, list):
        for item in node.value:
            if isinstance(item.value, str) and item.value in values:
                name = item.value
                item.value = f"{name}={values[name]}"
                item.template = f"{name}={variables.stand_for(name, values[name])}"


def _bare_in_files(entry: Node, folder: Path) -> Iterator[tuple[str, Node]]:
    """Yield (name, the place where the file is named) of what files of `env_file` name without value."""
    given = entry.get("env_file")
    for item in given.value if given is not None and isinstance(given.value, list) else [given] if given else ():
        path = item.get("path") if isinstance(item.value, dict) else item
        try:
            text = (folder / str(path.value)).read_text(encoding="utf-8") if path is not None else ""
            found = parse_env_file(text)
        except (OSError, ValueError, InterpolationError):
            continue  # what is wrong with it is told where the spec is read
        yield from ((name, item) for name, value in found.items() if value is None)


def _add(entry: Node, name: str, at: Node, values: Mapping[str, str], variables: Variables) -> None:
    if name not in values:
        return
    own = entry.value.setdefault("environment", at.with_value({}))
    made = Node(values[name], at.text, at.line, at.column, template=variables.stand_for(name, values[name]))
    if isinstance(own.value, dict):
        own.value.setdefault(name, made)
    elif isinstance(own.value, list) and all(as_text(item.value).partition("=")[0] != name for item in own.value):
        made.value, made.template = f"{name}={made.value}", f"{name}={made.template}"
        own.value.append(made)
