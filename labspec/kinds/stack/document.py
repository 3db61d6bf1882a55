"""The compose file of a stack: found, its variables replaced, and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from labspec.host import inputs
from labspec.kinds.compose.check import check_document
from labspec.kinds.compose.environment import parse_env_file
from labspec.kinds.compose.interpolate import InterpolationError, interpolate, variables_in
from labspec.kinds.compose.project import Path
from labspec.kinds.compose.values import optional_mapping, text, texts
from labspec.kinds.provider import Scope
from labspec.kinds.stack.objects import check_objects, plain_objects

Entry = Mapping[str, Any]


class StackDocument(NamedTuple):
    """A compose file of good form, and where it is written."""

    value: dict[str, Any]
    scope: Scope
    path: Path
    variables: dict[str, str] | None = None
    secret: Mapping[str, frozenset[str]] = {}
    """Service -> names of its variables that hold what came from a file or from this process."""


def inline_document(entry: Entry, path: Path, scope: Scope) -> StackDocument | None:
    """Return what a stack says in the spec itself; None where it has mistakes, which are reported."""
    sections = {name: entry[name] for name in ("services", "secrets", "configs") if entry.get(name) is not None}
    objects = {name: entry[name] for name in ("networks", "volumes") if entry.get(name) is not None}
    good = check_document(sections, scope, path, "the stack")
    if not check_objects(objects, path, scope) or not good:
        return None
    return StackDocument({**sections, **objects}, scope, path)


def file_document(entry: Entry, path: Path, scope: Scope) -> StackDocument | None:
    """Return what the compose file of a stack says; None where there are mistakes, which are reported."""
    loaded = scope.document((*path, "file"), entry["file"])
    if loaded is None:
        return None
    written, inner = loaded
    if not isinstance(written, Mapping):
        check_document(written, inner)
        return None
    given = _files_variables(entry, path, scope, inner)
    if given is None:
        return None
    given |= {name: here for name in entry.get("env_from") or () if (here := inputs.variable(name)) is not None}
    own = {name: text(value) for name, value in (entry.get("env") or {}).items()}
    if given.keys() - own.keys():
        inputs.note_private()  # they may stand anywhere in the document
    mistakes: list[Path] = []

    def report(where: Path, message: str, hint: str | None) -> None:
        mistakes.append(where)
        inner.error(where, message, hint)

    value: dict[str, Any] = interpolate(written, {**given, **own}, report)
    if not check_document(value, inner, whole=not mistakes) or mistakes:
        return None
    try:
        value = plain_objects(value)
    except ValueError as error:
        inner.error((), str(error))
        return None
    if not check_objects(value, (), inner):
        return None
    return StackDocument(value, inner, (), {**given, **own}, _secret(written, given.keys() - own.keys()))


def _files_variables(entry: Entry, path: Path, scope: Scope, inner: Scope) -> dict[str, str] | None:
    """Return the variables of the stack's `env_file`, or of the `.env` beside its compose file."""
    files: list[tuple[Scope, Path, str]] = [(scope, (*path, "env_file"), name) for name in texts(entry.get("env_file"))]
    if not files and inputs.is_there(os.path.join(inner.root, ".env")):  # noqa: PTH118  text, not files
        files = [(inner, (), ".env")]
    found: dict[str, str] = {}
    for of, where, name in files:
        absolute = of.file(where, name)
        if absolute is None:
            return None
        try:
            given = parse_env_file(of.read(absolute).decode("utf-8"), found.get)
        except (ValueError, InterpolationError) as error:
            of.error(where, f"the file of variables '{name}' cannot be read: {error}")
            return None
        found |= {key: value for key, value in given.items() if value is not None}
    return found


def _secret(written: Entry, hidden: set[str]) -> dict[str, frozenset[str]]:
    services = written.get("services")
    if not hidden or not isinstance(services, Mapping):
        return {}
    return {
        name: frozenset(
            key
            for key, value in optional_mapping(entry.get("environment")).items()
            if value is not None and not hidden.isdisjoint(variables_in(value))
        )
        for name, entry in services.items()
        if isinstance(entry, Mapping)
    }
