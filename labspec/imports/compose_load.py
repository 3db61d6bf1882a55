"""Compose files as compose loads them: variables, extends, includes, and files merged in their order."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labspec.core.diagnostic import Diagnostic, LabError, Position, did_you_mean
from labspec.imports.compose_given import give
from labspec.imports.compose_merge import merged, settled, unique
from labspec.imports.compose_paths import moved_project, moved_service
from labspec.imports.compose_read import Node, read_documents
from labspec.imports.compose_vars import Lookup, Variables, lookup_of
from labspec.kinds.compose.environment import parse_env_file
from labspec.kinds.compose.interpolate import InterpolationError
from labspec.kinds.compose.project import SECTIONS
from labspec.spec.report import shown_path
from labspec.spec.top import EXTENSION

_DEEPEST = 20
_KEYS = (*SECTIONS, "name", "include", "version")


@dataclass(frozen=True, slots=True)
class Around:
    """What a file is read in: its folder, as seen from the project, and the values of variables."""

    project: Path
    folder: str
    lookup: Lookup

    @property
    def path(self) -> Path:
        """The folder's path."""
        return self.project / self.folder

    def found(self, node: Node, relative: str) -> Path:
        """Return the path of a file that a node names. Raises LabError where there is none, or it is elsewhere."""
        if "://" in relative or relative.startswith("git@"):
            raise node.wrong(f"'{relative}' is not a file here", "get it, and name the copy")
        path = self.path / relative
        if not path.is_file():
            siblings = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
            raise node.wrong(f"there is no file {relative}", did_you_mean(path.name, siblings))
        return path


def load(files: Sequence[Path], lookup: Lookup, variables: Variables) -> Node:
    """Return what several files say together, paths as seen from the folder of the first. Raises LabError."""
    around = Around(files[0].absolute().parent, "", lookup)
    return settled(_together(files, around, variables, ()))


def environment_of(files: Sequence[Path], own: Mapping[str, str]) -> dict[str, str]:
    """Return what files of variables say; `own` goes before, where one refers to another. Raises LabError."""
    found: dict[str, str] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            given = parse_env_file(text, lookup_of(own, found))
        except (OSError, ValueError, InterpolationError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            line = re.match(r"line ([0-9]+)", str(reason))
            at = Position(shown_path(str(file)), int(line[1]) if line else 1, 1)
            raise LabError(Diagnostic(f"the file of variables cannot be read: {reason}", at)) from error
        found |= {name: value for name, value in given.items() if value is not None}
    return found


def _together(files: Sequence[Path], around: Around, variables: Variables, above: tuple[Path, ...]) -> Node:
    whole: Node | None = None
    for file in files:
        real = Path(os.path.realpath(file))
        if real in above:
            raise LabError(Diagnostic("the file includes itself", Position(shown_path(str(file)), 1, 1)))
        for document in read_documents(file):
            own = _document(document, around, variables, (*above, real))
            whole = own if whole is None else merged(whole, own)
            whole = unique(whole)
    if whole is None:
        hint = "a compose file has services: services: {web: {image: ...}}"
        raise LabError(Diagnostic("the file is empty", Position(shown_path(str(files[0])), 1, 1), hint))
    return whole


def _document(document: Node, around: Around, variables: Variables, above: tuple[Path, ...]) -> Node:
    if not isinstance(document.value, dict):
        raise document.wrong("a compose file is a mapping", "it begins with services:")
    _check_keys(document)
    variables.interpolate(document, around.lookup)
    for section in SECTIONS:
        node = document.get(section)
        if node is not None and node.value is not None and not isinstance(node.value, dict) and not node.tag:
            raise node.wrong(f"'{section}' is a mapping of names", f"write '{section}:', and below it 'name: ...'")
    services = document.get("services")
    if services is not None and isinstance(services.value, dict):
        whole: dict[str, Node] = {}
        for name in services.value:
            whole[name] = _extended(name, services, around, variables, ())
        services.value = whole
    included = document.value.pop("include", None)
    if included is not None:
        return _included(document, included, around, variables, above)
    return document


def _check_keys(document: Node) -> None:
    for key, node in document.value.items():
        if key in ("name", "version") and not isinstance(node.value, str):
            raise node.wrong(f"expected text as '{key}'", "put it in quotes")
        if key in _KEYS or key.startswith(EXTENSION):
            continue
        old = isinstance(node.value, dict) and not {"image", "build", "extends"}.isdisjoint(node.value)
        hint = "a file whose services stand at its top is of Compose 1: put them below 'services:'" if old else None
        raise node.wrong(f"unknown key '{key}' in a compose file", hint or did_you_mean(key, _KEYS), key=True)


def _extended(name: str, services: Node, around: Around, variables: Variables, chain: tuple[str, ...]) -> Node:
    own: Node = services.value[name]
    wanted = own.get("extends")
    if wanted is None:
        return own
    mark = f"{around.folder}:{name}"
    if mark in chain or len(chain) > _DEEPEST:
        raise wanted.wrong(f"service '{name}' extends itself", key=True)
    rest = own.with_value({key: item for key, item in own.value.items() if key != "extends"})
    named = wanted if isinstance(wanted.value, str) else wanted.get("service")
    if named is None or not isinstance(named.value, str):
        raise wanted.wrong("'extends' names no service", "write extends: {service: base}", key=True)
    file = wanted.get("file")
    if file is None or not file.value:
        if named.value not in services.value:
            raise named.wrong(f"there is no service '{named.value}'", did_you_mean(named.value, services.value))
        base = _copied(_extended(named.value, services, around, variables, (*chain, mark)))
    else:
        base = _of_file(file, named, around, variables, (*chain, mark))
    whole = merged(base, rest, ("services", name))
    # What an entry says for itself is where it is, and what stands around it.
    whole.key, whole.before, whole.behind, whole.tag = own.key, own.before, own.behind, own.tag
    return unique(whole, ("services", name))


def _of_file(file: Node, named: Node, around: Around, variables: Variables, chain: tuple[str, ...]) -> Node:
    path = around.found(file, str(file.value))
    inner = Around(around.project, _relative(path.parent, around.project), around.lookup)
    for document in read_documents(path):
        services = document.get("services")
        if services is None or not isinstance(services.value, dict) or named.value not in services.value:
            continue
        variables.interpolate(document, around.lookup)
        base = _copied(_extended(str(named.value), services, inner, variables, chain))
        if inner.folder != around.folder:
            moved_service(base, posixpath.relpath(inner.folder or ".", around.folder or "."))
        return base
    raise named.wrong(f"there is no service '{named.value}' in {file.value}")


def _included(document: Node, included: Node, around: Around, variables: Variables, above: tuple[Path, ...]) -> Node:
    if not isinstance(included.value, list):
        raise included.wrong("'include' is a list of files", "write include: [other.yaml]")
    for item in included.value:
        section = item.get("path") if isinstance(item.value, dict) else item
        if section is None:
            raise item.wrong("an included file has no 'path'")
        named = section.value if isinstance(section.value, list) else [section]
        paths = [around.found(node, str(node.value)) for node in named]
        given = item.get("project_directory")
        folder = _relative(around.path / str(given.value) if given else paths[0].parent, around.project)
        values = {} if variables.blank else _included_values(item, folder, around)
        inner = Around(around.project, folder, _behind(around.lookup, values))
        found = settled(_together(paths, inner, variables, above))
        give(found, values, variables, inner.path, builds=False)
        if inner.folder != around.folder:
            moved_project(found, posixpath.relpath(inner.folder or ".", around.folder or "."))
        _import(document, found)
    return document


def _included_values(item: Node, folder: str, around: Around) -> dict[str, str]:
    """Return the variables of an included file's own files of variables, but for those that the project has."""
    given = item.get("env_file")
    if given is not None:
        nodes = given.value if isinstance(given.value, list) else [given]
        files = [around.found(node, str(node.value)) for node in nodes]
    else:
        own = around.project / folder / ".env"
        files = [own] if own.is_file() and folder != around.folder else []
    return {name: value for name, value in environment_of(files, {}).items() if around.lookup(name) is None}


def _behind(lookup: Lookup, values: Mapping[str, str]) -> Lookup:
    """Return what finds a variable where `lookup` does, and then in `values`."""

    def found(name: str) -> str | None:
        value = lookup(name)
        return values.get(name) if value is None else value

    return found


def _import(document: Node, found: Node) -> None:
    """Take over the sections of an included project. Raises LabError for what is there already, and other."""
    for section in SECTIONS:
        other = found.get(section)
        if other is None or not isinstance(other.value, dict):
            continue
        mine = document.value.setdefault(section, other.with_value({}))
        if mine.value is None:
            mine.value = {}
        for name, entry in other.value.items():
            if name in mine.value and mine.value[name].plain() != entry.plain():
                one = section.removesuffix("s")
                raise mine.value[name].wrong(f"{one} '{name}' is in an included file too", f"that one is at {entry.at}")
            mine.value.setdefault(name, entry)


def _relative(path: Path, project: Path) -> str:
    found = os.path.relpath(os.path.normpath(path), project)
    return "" if found == "." else found


def _copied(node: Node) -> Node:
    """Return a node that can be changed without the other being changed."""
    value = node.value
    if isinstance(value, dict):
        value = {key: _copied(item) for key, item in value.items()}
    elif isinstance(value, list):
        value = [_copied(item) for item in value]
    made = node.with_value(value)
    made.tag, made.template, made.before, made.behind = node.tag, node.template, (), ""
    return made
