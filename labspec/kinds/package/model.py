"""What a spec may say of a package: that it is installed, in which version, or that it is not there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from labspec.core.resource import Resource
from labspec.kinds.provider import Naming, Scope
from labspec.kinds.section import ModelSection

PACKAGE_PATTERN = r"^[a-zA-Z0-9]([a-zA-Z0-9+._-]*[a-zA-Z0-9+])?(:[a-z0-9]+)?$"


class Package(BaseModel):
    """A package of the distribution. What labspec installed goes when it leaves the spec; what was there stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "present"}]})

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+:~^_-]*$", max_length=100)] | None = None
    """The version, as the distribution spells it; whichever there is where it is not given."""
    state: Literal["present", "absent"] | None = None
    """`present`, as where it is not given, or `absent` for a package that must not be there."""


class PackageSection(ModelSection):
    """The section `host.packages`."""

    name = "host.packages"
    kind = "package"
    model = Package
    naming = Naming(PACKAGE_PATTERN, "write a package as the distribution spells it: iproute2, libc6:amd64")

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the package."""
        state, version = entry.get("state") or "present", entry.get("version")
        if version is not None and state == "absent":
            hint = "remove one of the two"
            scope.error((self.name, name, "version"), f"package '{name}' is absent and has a version", hint, key=True)
            return
        desired = {"state": state, **({} if version is None else {"version": version})}
        yield Resource(f"package.{name}", self.kind, name, desired)


SECTION = PackageSection()
