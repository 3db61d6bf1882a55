"""Labs to test the language with: their sections are volumes, networks, and one that does whatever a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab, Resource
from labspec.kinds.network.model import SECTION as NETWORKS
from labspec.kinds.provider import Naming, Scope
from labspec.kinds.volume.model import SECTION as VOLUMES


class Things:
    """The section `things`: its entries say what to ask the scope for."""

    name = "things"
    kind = "thing"

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        if not isinstance(entry, dict):
            scope.error(("things", name), "a thing is a mapping")
            return False
        wrong = [key for key in ("file", "folder", "document") if not isinstance(entry.get(key, ""), str)]
        needs = entry.get("needs", [])
        if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
            wrong.append("needs")
        for key in wrong:
            scope.error(("things", name, key), "not so")
        return not wrong

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        path = ("things", name)
        options: dict[str, Any] = {"external": entry.get("external", False), "lab": scope.lab}
        if "raise" in entry:
            raise LabError(entry["raise"], hint="do not")
        if "file" in entry:
            found = scope.file((*path, "file"), entry["file"])
            options["file"] = found
            options["content"] = scope.read(found).decode() if found else None
        if "folder" in entry:
            options["folder"] = scope.file((*path, "folder"), entry["folder"], folder=True)
        if "document" in entry:
            found_document = scope.document((*path, "document"), entry["document"])
            if found_document:
                options["document"], inner = found_document
                for error in entry.get("wrong", ()):
                    inner.error(error, "wrong in the document")
                if "inner" in entry:
                    options["inner"] = inner.file(("file",), entry["inner"])
        for error in entry.get("errors", ()):
            scope.error(error, "wrong", key=bool(entry.get("key")))
        if "see" in entry:
            options["seen"] = [list(scope.names("things")), scope.entry("things", entry["see"]), sorted(scope.profiles)]
        for extra in entry.get("extra", ()):
            yield Resource(f"thing.{extra}", "thing", f"host-{extra}")
        host_name = str(entry.get("host", f"host-{name}"))
        needs = tuple(entry.get("needs", ()))
        yield Resource(f"thing.{name}", "thing", host_name, {"value": entry.get("value")}, options, needs)

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "description": "A thing.", "properties": {"value": {"type": "integer"}}}


class Places:
    """The section `host.places`, inside another: names are paths, and a list of them will do."""

    name = "host.places"
    kind = "place"
    naming = Naming(r"^/[a-z]*$", "begin with /")
    listed = True

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        if entry not in ({}, 1):
            scope.error((self.name, name), "a place is 1")
        return entry in ({}, 1)

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:  # noqa: ARG002
        yield Resource(f"place.{name}", "place", name, {"value": entry})

    def schema(self) -> dict[str, Any]:
        return {"const": 1, "description": "A place."}


SECTIONS = (NETWORKS, VOLUMES, Things(), Places())
HEAD = "labspec: 1\nlab: {name: tp1}\n"

Load = Callable[..., Lab]


def refusals(load: Load, *arguments: Any, **more: Any) -> list[str]:
    """Return "LINE:COLUMN: MESSAGE (HINT)" for every mistake of a lab, with the file in front if it is not lab.yaml."""
    with pytest.raises(LabError) as caught:
        load(*arguments, **more)
    shown = []
    for found in caught.value.diagnostics:
        at = str(found.at).removeprefix("lab.yaml:") + ": " if found.at else ""
        shown.append(f"{at}{found.message}" + (f" ({found.hint})" if found.hint else ""))
    return shown
