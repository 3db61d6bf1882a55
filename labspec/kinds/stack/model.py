"""What a spec may say of a stack: a compose file of the lab, or one written in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from labspec.core.resource import Resource
from labspec.kinds.compose.extends import extended
from labspec.kinds.compose.meaning import meaning_mistakes
from labspec.kinds.compose.project import SECTIONS, Project
from labspec.kinds.provider import Scope
from labspec.kinds.section import Line, ModelSection, Text
from labspec.kinds.service.resource import service_resources
from labspec.kinds.stack.document import StackDocument, file_document, inline_document
from labspec.kinds.stack.objects import object_resources
from labspec.kinds.unit.resource import stack_unit

PROJECT_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

_OF_FILES = ("env", "env_file", "env_from")


class Stack(BaseModel):
    """A compose project of its own: the compose file `file`, or `services` and what they use."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"file": "portainer.yml"}]})

    file: Line | None = None
    """The compose file, in the lab's folder."""
    env: dict[Variable, Text | int | float | bool | None] | None = None
    """Values of the variables in the compose file."""
    env_file: Line | list[Line] | None = None
    """Files with values of the variables; `.env` beside the compose file where it is not given."""
    env_from: list[Variable] | None = None
    """Names of variables whose value comes from the environment of labspec."""
    profiles: list[Line] | None = None
    """The active profiles of this stack, besides those of the lab."""
    project: Annotated[str, Field(pattern=PROJECT_PATTERN, max_length=200)] | None = None
    """The name of the compose project; `<lab>-<stack>` where it is not given."""
    systemd: bool | None = None
    """A unit of systemd, labspec-<project>.service, starts the stack's containers with the host and stops them."""
    services: dict[str, Any] | None = None
    """Services, as in the section `services`."""
    networks: dict[str, Any] | None = None
    """Networks, as in the section `networks`."""
    volumes: dict[str, Any] | None = None
    """Volumes, as in the section `volumes`."""
    secrets: dict[str, Any] | None = None
    """Secrets, as in the section `secrets`."""
    configs: dict[str, Any] | None = None
    """Configs, as in the section `configs`."""


class StackSection(ModelSection):
    """The section `stacks`."""

    name = "stacks"
    kind = "stack"
    model = Stack

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in one entry, and return whether there was none; a file is not yet read."""
        if not super().check(name, entry, scope):
            return False
        path = (self.name, name)
        inline = [section for section in SECTIONS if entry.get(section) is not None]
        if entry.get("file") is None and not inline:
            scope.error(path, f"stack '{name}' has neither a file nor services", "write file: compose.yaml", key=True)
            return False
        for section in inline if entry.get("file") is not None else ():
            hint = "keep one of them: a stack is a file, or written here"
            scope.error((*path, section), f"stack '{name}' has both file and {section}", hint, key=True)
            return False
        for key in _OF_FILES if entry.get("file") is None else ():
            if entry.get(key) is not None:
                hint = "use lookups such as ${{ vars.name }} in a stack written in the spec"
                scope.error((*path, key), f"stack '{name}' has {key}, and no file to use it in", hint, key=True)
                return False
        project = project_name(name, entry, scope)
        if not re.fullmatch(PROJECT_PATTERN, project):
            hint = "give it a 'project' of small letters, digits, '-' and '_'"
            scope.error(path, f"'{project}' cannot be the name of a compose project", hint, key=True)
            return False
        return True

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the networks and volumes that are used, the images that are built, and the services."""
        path = (self.name, name)
        document = (file_document if entry.get("file") else inline_document)(entry, path, scope)
        if document is None:
            return
        project = extended(_project(name, entry, document, scope))
        services: list[Resource] = []
        for key in project.services:
            whole = project.sections["services"][key]
            if _complete(key, whole, document, project):
                services += service_resources(key, whole, project)
        yield from object_resources(project, {address for resource in services for address in resource.needs})
        yield from services
        if entry.get("systemd"):
            yield stack_unit(scope.lab, name, project.name, [resource.address for resource in services])


def project_name(name: str, entry: Any, scope: Scope) -> str:
    """Return the name of a stack's compose project."""
    return str(entry.get("project") or f"{scope.lab}-{name}")


def _project(name: str, entry: Any, document: StackDocument, scope: Scope) -> Project:
    sections = {
        section: {key: value or {} for key, value in (document.value.get(section) or {}).items()}
        for section in SECTIONS
    }
    return Project(
        project_name(name, entry, scope),
        f"stack.{name}.",
        document.scope,
        document.path,
        sections,
        scope.profiles | frozenset(entry.get("profiles") or ()),
        scope,
        document.variables,
        document.secret,
    )


def _complete(key: str, whole: Any, document: StackDocument, project: Project) -> bool:
    """Return whether a service that extends another is good as a whole; what is wrong is reported."""
    if "extends" not in document.value["services"][key]:
        return True
    found = list(meaning_mistakes(whole, f"service '{key}'"))
    for mistake in found:
        project.error(project.at(key, *mistake.path), mistake.message, mistake.hint, key=mistake.key)
    return not found


SECTION = StackSection()
