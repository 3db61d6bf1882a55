"""What the sheet prints of an object of the lab: its file or command line, as `labspec render` writes it."""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

from labspec.core.diagnostic import Diagnostic, LabError, Position
from labspec.core.resource import Lab, Resource
from labspec.kinds.compose.document import rendered_document
from labspec.kinds.file.content import hidden_text
from labspec.kinds.rkt.command import sheet_command
from labspec.outputs.bundles import bundle_artifacts
from labspec.outputs.daemon import daemon_artifacts
from labspec.outputs.images import build_section
from labspec.outputs.machines import machine_artifacts
from labspec.outputs.render import BUILT, COMPOSE_FILE
from labspec.outputs.rkt import quadlet
from labspec.outputs.units import unit_artifacts

WHOLE = "lab"
_READABLE_BY_ALL = 0o004
_FILES = {"bundle": bundle_artifacts, "daemon": daemon_artifacts, "machine": machine_artifacts, "unit": unit_artifacts}
_LANGUAGES = {"bundle": "json", "daemon": "json", "machine": "ini", "unit": "systemd"}


class Printed(NamedTuple):
    """A file or command line to print."""

    name: str
    """What the file is called."""
    language: str
    """The name of a lexer of pygments."""
    text: str


def printed(lab: Lab, address: str, form: str, at: Position | None) -> Printed:
    """Return what is made of an object in a form. Raises LabError, at a place of the spec, where nothing is."""
    if address == WHOLE:
        return Printed(COMPOSE_FILE, "yaml", _yaml(_document(lab, lab.name)))
    resource = lab.by_address.get(address)
    if resource is None:
        return _stack(lab, address, at)
    if form == "compose":
        return Printed(COMPOSE_FILE, "yaml", _yaml(_fragment(lab, resource)))
    found = _of_object(resource, form)
    if found is None:
        raise LabError(Diagnostic(f"nothing can be printed of {address} as '{form}'", at, "show it with a command"))
    return found


def _of_object(resource: Resource, form: str) -> Printed | None:
    if resource.kind == "image" and "dockerfile" in resource.desired:
        return Printed("Dockerfile", "docker", resource.desired["dockerfile"])
    if resource.kind == "file":
        return Printed(resource.name, "", _file_text(resource))
    if resource.kind == "rkt" and form == "command":
        return Printed("rkt", "bash", shlex.join(sheet_command(resource.desired)))
    if resource.kind == "rkt" and form == "quadlet":
        name = resource.address.partition(".")[2]
        return Printed(f"{name}.container", "systemd", quadlet(name, resource.desired))
    artifact = next(iter(_FILES[resource.kind](resource)), None) if resource.kind in _FILES else None
    if artifact is None or artifact.content is None:
        return None
    name = artifact.path.rpartition("/")[2]
    return Printed(name, _LANGUAGES[resource.kind], artifact.content.decode(errors="replace"))


def _file_text(resource: Resource) -> str:
    """Return what a file holds, or a word on it where not everybody may read it: it may be a secret."""
    text = str(resource.desired["content"])
    mode = int(resource.desired.get("mode", "0644"), 8)
    return text if mode & _READABLE_BY_ALL else hidden_text(text.encode())


def _stack(lab: Lab, address: str, at: Position | None) -> Printed:
    """Return the compose file of a whole stack."""
    members = [resource for resource in lab.resources if resource.address.startswith(f"{address}.")]
    project = next((resource.project for resource in members if resource.project), None)
    if project is None:
        raise LabError(Diagnostic(f"nothing can be printed of {address}", at, "show it with a command"))
    return Printed(COMPOSE_FILE, "yaml", _yaml(_document(lab, project)))


def _fragment(lab: Lab, resource: Resource) -> dict[str, Any]:
    """Return the lines of a compose file that are about one object."""
    section, key = f"{resource.kind}s", resource.options["key"]
    return {section: {key: _document(lab, resource.project).get(section, {}).get(key) or {}}}


def _document(lab: Lab, project: str) -> dict[str, Any]:
    back = "./" if project == lab.name else "../../"
    built = [item for item in lab.resources if item.kind == "image" and item.options["source"] in BUILT]
    sections = {resource.address: build_section(resource, back) for resource in built}
    return rendered_document(lab, project, sections, folder=lab.root)


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
