"""What a spec may say of a service: the Compose specification's service, checked by its schema."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.compose.check import check_service
from labspec.kinds.compose.extends import extended
from labspec.kinds.compose.project import Project
from labspec.kinds.compose.schema import definition_schema
from labspec.kinds.provider import Scope
from labspec.kinds.service.resource import service_resources


class ServiceSection:
    """The section `services`."""

    name = "services"
    kind = "service"

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in one service, and return whether there was none."""
        return check_service(entry, (self.name, name), f"service '{name}'", scope)

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the service, the image that it builds, and with the first that joins it the default network."""
        document: Any = scope
        project = lab_project(document)
        whole = project.sections[self.name].get(name, entry)
        if whole is not entry and not check_service(whole, (self.name, name), f"service '{name}'", scope):
            return
        if not project.active(name):
            return
        yield from service_resources(name, whole, project)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one service."""
        return definition_schema("service")


@lru_cache(maxsize=1)
def lab_project(scope: Any) -> Project:
    """Return the project of the services of a lab's `Scope`, those that extend others completed."""
    return extended(Project.of_lab(scope))


SECTION = ServiceSection()
