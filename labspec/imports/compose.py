"""Compose files as a spec: the lab's services, or a stack of it, with variables as `vars` and comments kept."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.imports.compose_check import checked
from labspec.imports.compose_fit import fitted, loss_of
from labspec.imports.compose_given import give
from labspec.imports.compose_load import environment_of, load
from labspec.imports.compose_paths import moved_project
from labspec.imports.compose_read import Node, read_documents
from labspec.imports.compose_vars import OPEN, Variables, lookup_of
from labspec.imports.report import Imported, Loss
from labspec.kinds.compose.project import SECTIONS
from labspec.spec.head import LONGEST_NAME
from labspec.spec.top import EXTENSION

DEFAULTS = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
OVERRIDES = (
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
)


@dataclass(frozen=True, slots=True)
class ComposeFiles:
    """What is to be imported, and how."""

    files: tuple[Path, ...]
    folder: Path
    """Where the spec is going to be."""
    profiles: tuple[str, ...] = ()
    env_files: tuple[Path, ...] = ()
    name: str | None = None
    stack: str | None = None
    """The name of the stack that they become; None: they become the lab's own services."""
    interpolate: bool = True
    """The values of this host's environment go into the spec."""
    compare: bool = True
    """Ask docker compose, where it is installed, whether the spec says the same."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


def default_files(folder: Path) -> tuple[Path, ...]:
    """Return the compose file of a folder, and the file above it, as compose finds them. Raises LabError for none."""
    found = [
        next((folder / name for name in names if (folder / name).is_file()), None) for names in (DEFAULTS, OVERRIDES)
    ]
    if found[0] is None:
        raise LabError("there is no compose file here", hint=f"name one, or go to the folder of a {DEFAULTS[0]}")
    return tuple(path for path in found if path is not None)


def import_compose(wish: ComposeFiles) -> Imported:
    """Return the spec of compose files. Raises LabError, with positions, for what compose or labspec refuses."""
    project = wish.files[0].absolute().parent
    files = _variables_of_files(wish, project)
    environment = {**files, **wish.environment}
    profiles = wish.profiles or tuple(filter(None, re.split(r"[,\s]+", environment.get("COMPOSE_PROFILES") or "")))
    own_name = wish.name if wish.stack is None else None
    named = own_name or environment.get("COMPOSE_PROJECT_NAME") or ""
    wanted = named or _own_name(wish.files, environment) or project.resolve().name
    name = project_name(wanted)
    variables = Variables(project=name, blank=not wish.interpolate)
    root = load(wish.files, lookup_of(environment if wish.interpolate else {}), variables)
    folder = wish.folder.absolute()
    prefix = os.path.relpath(os.path.realpath(project), os.path.realpath(folder))
    if prefix != ".":
        moved_project(root, prefix)
    if wish.interpolate:
        give(root, {name: files[name] for name in files.keys() - wish.environment}, variables, folder)
    losses = fitted(root, folder)
    comment = _heading(root)
    losses += _others(root, lost=wish.stack is not None)
    if name != compose_name(wanted):
        losses.append(Loss("name", f"the project is called {compose_name(wanted)}; a lab's name is shorter: {name}"))
    made = Imported(wish.name or name, {}, (), {}, comment)
    request = Request(wish, project, name, profiles, root, variables)
    return checked(request, made, losses, _assembled)


@dataclass(slots=True)
class Request:
    """An import on its way: what was read, and what is needed to check the spec against it."""

    wish: ComposeFiles
    project: Path
    name: str
    profiles: tuple[str, ...]
    root: Node
    variables: Variables


def _assembled(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the sections of the spec, and further keys of its section `lab`."""
    stack = request.wish.stack
    depth = 0 if stack is None else 2
    found: dict[str, Any] = {}
    for section in SECTIONS:
        node = request.root.get(section)
        if node is not None and node.value:
            found[section] = commented(node, depth + 1)
    variables = _declared(request.variables, _used(found))
    if stack is None:
        head = {"profiles": list(request.profiles)} if request.profiles else {}
        found |= {key: commented(node, 1) for key, node in request.root.value.items() if key.startswith(EXTENSION)}
        variables = _declared(request.variables, _used(found))
        return {**({"vars": variables} if variables else {}), **found}, head
    profiles = {"profiles": list(request.profiles)} if request.profiles else {}
    lab = request.wish.name or request.name
    project = {"project": request.name} if request.name != f"{lab}-{stack}" else {}
    entry = {**project, **profiles, **found}
    return {**({"vars": variables} if variables else {}), "stacks": {stack: entry}}, {}


def _declared(variables: Variables, used: set[str]) -> Any:
    from ruamel.yaml.comments import CommentedMap

    found = CommentedMap({name: value for name, value in variables.values.items() if name in used})
    for name in variables.unset:
        if name.lower() in found and not found[name.lower()]:
            found.yaml_add_eol_comment(f"nothing gives {name} a value", name.lower(), column=0)
    return found


def _used(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(re.findall(r"\$\{\{ vars\.([A-Za-z0-9_]+) \}\}", value))
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, Sequence) else ()
    return {name for item in items for name in _used(item)}


def commented(node: Node, depth: int) -> Any:
    """Return what a node says as ruamel's values, with its comments; `depth` is how far its keys are indented."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    value = node.value
    if isinstance(value, dict):
        made = CommentedMap()
        for key, item in value.items():
            made[key] = commented(item, depth + 1)
            _comment(made, key, item, depth)
        return made
    if isinstance(value, list):
        listed = CommentedSeq([commented(item, depth + 1) for item in value])
        for index, item in enumerate(value):
            _comment(listed, index, item, depth)
        return listed
    if isinstance(value, str):
        return node.template if node.template is not None else value.replace(OPEN, f"${OPEN}")
    return value


def _comment(made: Any, key: str | int, node: Node, depth: int) -> None:
    if node.before:
        made.yaml_set_comment_before_after_key(key, before="\n".join(node.before), indent=2 * depth)
    if node.behind and not (isinstance(node.value, str) and "\n" in node.value):
        made.yaml_add_eol_comment(node.behind, key, column=0)


def _variables_of_files(wish: ComposeFiles, project: Path) -> dict[str, str]:
    own = project / ".env"
    return environment_of(wish.env_files or ((own,) if own.is_file() else ()), wish.environment)


def _own_name(files: Sequence[Path], environment: Mapping[str, str]) -> str:
    """Return the name that the files give the project; the last one that does."""
    found = ""
    for file in files:
        for document in read_documents(file):
            node = document.get("name")
            if node is not None and isinstance(node.value, str):
                Variables(project="").interpolate(node, lookup_of(environment))
                found = node.value or found
    return found


def compose_name(text: str) -> str:
    """Return the name of a project that compose makes of any text, such as its folder's name."""
    return re.sub(r"[^a-z0-9_-]", "", text.lower()).lstrip("_-")


def project_name(text: str) -> str:
    """Return a name of a project and a lab made of any text, as compose makes it but for its length."""
    return compose_name(text)[:LONGEST_NAME] or "lab"


def _heading(root: Node) -> str:
    """Return the comment at the top of the file, which then is not the first key's."""
    first = next(iter(root.value.values()), None)
    if first is None:
        return ""
    lines, first.before = first.before, ()
    return "\n".join(lines)


def _others(root: Node, *, lost: bool) -> list[Loss]:
    """Return the keys at the top that the spec has no place for."""
    losses = []
    for key, node in root.value.items():
        if lost and key.startswith(EXTENSION):
            reason = "a stack has no place for it; what anchors in it stand for is written out where it is used"
            losses.append(loss_of(node, key, reason))
    return losses
