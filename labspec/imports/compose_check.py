"""Whether an imported spec says what its compose files say: labspec reads it, and docker compose compares."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from labspec.core.diagnostic import Diagnostic, LabError
from labspec.host import inputs
from labspec.imports.compose_fit import loss_of
from labspec.imports.compose_read import Node
from labspec.imports.report import Imported, Loss
from labspec.spec.top import EXTENSION

if TYPE_CHECKING:
    from labspec.core.resource import Lab
    from labspec.imports.compose import Request

Assemble = Callable[["Request"], tuple[dict[str, Any], dict[str, Any]]]
SpecPath = tuple[str | int, ...]

_SECONDS = 60
_DROPPED = re.compile(r"labspec cannot build with '(\w+)'")
_MOST = 50


def checked(request: Request, made: Imported, losses: list[Loss], assemble: Assemble) -> Imported:
    """Return the import whose spec labspec loads and docker compose finds equal; the rest of it are losses.

    Raises LabError, with places in the compose files, for what labspec or docker compose refuses.
    """
    lab: Lab | None = None
    for _ in range(_MOST):
        sections, head = assemble(request)
        made = replace(made, sections=sections, head=head)
        lab, wrong = _loaded(request, made)
        if not wrong:
            break
        dropped = [loss for path, diagnostic in wrong if (loss := _drop(request.root, path, diagnostic))]
        if not dropped:
            raise LabError(list(_at_source(request.root, wrong)))
        losses += dropped
    if lab is not None:
        losses += _absent(request, lab)
    if lab is not None and request.wish.compare and shutil.which("docker"):
        losses += _differences(request, lab)
    return replace(made, losses=tuple(losses))


def _absent(request: Request, lab: Lab) -> Iterator[Loss]:
    """Yield what services are built from, where it is not here: the spec names it, and labspec will look for it."""
    keys = {
        resource.options["image_address"]: resource.options["key"]
        for resource in reversed(lab.resources)
        if resource.kind == "service"
    }
    for resource in lab.resources:
        for why in resource.options.get("absent", ()):
            path = ("services", keys[resource.address], "build")
            yield loss_of(
                _node(request.root, path),
                ".".join(path),
                f"{why}; the spec names it all the same",
                "labspec plan needs it",
            )


def _loaded(request: Request, made: Imported) -> tuple[Lab | None, list[tuple[SpecPath, Diagnostic]]]:
    """Return the lab of the spec, or its mistakes, each with its path in the compose files."""
    from labspec.imports.writing import spec_text
    from labspec.spec.loader import load_text
    from labspec.spec.report import Report
    from labspec.spec.yamlfile import parse

    stand_ins = {name: "1" if value is None else value for name, value in made.sections.get("vars", {}).items()}
    sections = {**made.sections, **({"vars": stand_ins} if stand_ins else {})}
    text = spec_text(replace(made, sections=sections))
    try:
        with inputs.without_builds():
            return load_text(text, request.wish.folder.absolute() / "lab.yaml"), []
    except LabError as error:
        document = parse(text.encode(), "lab.yaml", Report())
        if document is None:
            raise
        paths = dict(_paths(document.place, ()))
        front = 0 if request.wish.stack is None else 2
        found = []
        for diagnostic in error.diagnostics:
            at = diagnostic.at
            path = paths.get((at.line, at.column), ()) if at else ()
            found.append((path[front:], diagnostic))
        return None, found


def _paths(place: Any, path: SpecPath) -> Iterator[tuple[tuple[int, int], SpecPath]]:
    """Yield (line, column) of every key and value, and its path."""
    from labspec.spec.report import BITS, Places

    mask = (1 << BITS) - 1
    mark = place.mark if isinstance(place, Places) else place
    yield (mark >> BITS & mask, mark & mask), path
    if not isinstance(place, Places):
        return
    for name, key_mark in (place.keys or {}).items():
        yield (key_mark >> BITS & mask, key_mark & mask), (*path, name)
    for key, inner in place.inner.items() if place.keys is not None else enumerate(place.inner):
        yield from _paths(inner, (*path, key))


def _node(root: Node, path: SpecPath) -> Node:
    """Return the node at a path, or the nearest around it."""
    found = root
    for step in path:
        inner = found.value
        if isinstance(inner, list):
            inner = dict(enumerate(inner))
        if not isinstance(inner, dict) or step not in inner:
            break
        found = inner[step]
    return found


def _drop(root: Node, path: SpecPath, diagnostic: Diagnostic) -> Loss | None:
    """Take what labspec does not know out of a build section, and return it as lost."""
    if not _DROPPED.fullmatch(diagnostic.message) or not path:
        return None
    parent = _node(root, path[:-1])
    node = parent.value.pop(path[-1], None) if isinstance(parent.value, dict) else None
    return loss_of(node, ".".join(map(str, path)), diagnostic.message) if node is not None else None


def _at_source(root: Node, wrong: list[tuple[SpecPath, Diagnostic]]) -> Iterator[Diagnostic]:
    for path, diagnostic in wrong:
        if not path:
            yield Diagnostic(diagnostic.message, hint=diagnostic.hint)
            continue
        loss = loss_of(_node(root, path), "", "")
        yield Diagnostic(diagnostic.message, loss.at, diagnostic.hint, loss.source)


def _differences(request: Request, lab: Lab) -> list[Loss]:
    """Return where docker compose sees something else in the spec than in the compose files."""
    source = _config(_source_arguments(request), None, request)
    if source is None:
        return []
    from labspec.imports.compose_render import whole_document

    document = whole_document(lab, request.name)
    profiles = [part for profile in request.profiles for part in ("--profile", profile)]
    folder = str(request.wish.folder.absolute())
    arguments = ["--project-directory", folder, "-p", request.name, *profiles, "-f", "-"]
    rendered = _config(arguments, document, request)
    if rendered is None:
        return []
    losses = []
    for path, before, after in differences(source, rendered):
        if str(path[0]).startswith(EXTENSION):
            continue  # told already
        node = _node(request.root, path)
        name = ".".join(map(str, path))
        reason = f"docker compose reads {_shown(before)} there, and of the spec {_shown(after)}"
        if after is None and path[2:3] == ("depends_on",):
            reason = "what it names has no active profile: the spec says it, what labspec renders does not"
        losses.append(loss_of(node, name, reason))
    return losses[:_MOST]


def _source_arguments(request: Request) -> list[str]:
    wish = request.wish
    arguments = ["-p", request.name]
    for option, items in (("--env-file", wish.env_files), ("--profile", request.profiles), ("-f", wish.files)):
        arguments += [part for item in items for part in (option, str(item))]
    return arguments


def _config(arguments: list[str], document: str | None, request: Request) -> Any:
    """Return what docker compose makes of files; None where it is not here. Raises LabError for what it refuses."""
    for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        command = ["docker", "compose", *arguments, "config", "--format", form]
        try:
            done = subprocess.run(
                command,
                input=document,
                stdin=subprocess.DEVNULL if document is None else None,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
                env={**request.wish.environment},
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode == 0:
            return read(done.stdout)
        if "MarshalJSON" not in done.stderr:
            break  # what some versions cannot write as JSON, such as keys of SSH, is no mistake of the file
    if "unknown command" in done.stderr or "is not a docker command" in done.stderr or not request.wish.interpolate:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip() and "level=warning" not in line]
    message = lines[-1] if lines else "docker compose refuses it"
    raise LabError(_refused(request.root, message, rendered=document is not None))


def _refused(root: Node, message: str, *, rendered: bool) -> Diagnostic:
    """Return what docker compose says, at the place that it names."""
    said = f"docker compose refuses {'the spec' if rendered else 'it'}: {message}"
    best: Node | None = None
    words = set(re.findall(r"[A-Za-z0-9_-]+(?:\.[0-9]+)?", message.replace(".", " ")))
    node, depth = root, 0
    while True:
        inner = (
            node.value.items()
            if isinstance(node.value, Mapping)
            else enumerate(node.value if isinstance(node.value, list) else ())
        )
        found = next((item for key, item in inner if str(key) in words), None)
        if found is None or depth > 8:
            break
        words -= {str(key) for key in (node.value if isinstance(node.value, Mapping) else ())}
        best = node = found
        depth += 1
    if best is None:
        return Diagnostic(said)
    loss = loss_of(best, "", "")
    return Diagnostic(said, loss.at, None, loss.source)


def differences(before: Any, after: Any, path: SpecPath = ()) -> Iterator[tuple[SpecPath, Any, Any]]:
    """Yield where two JSON values differ, with both values; None stands for what is not there."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, (*path, index))
    elif before != after and not (before in ({}, None) and after in ({}, None)):
        yield path, before, after


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
