"""The Compose specification's JSON Schema, read from the package that ships it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_PACKAGE = "check_jsonschema"
_PLACE = Path("builtin_schemas", "vendor", "compose-spec.json")


@cache
def compose_schema() -> dict[str, Any]:
    """Return the schema of a whole compose file. Raises LabError where the package does not have it."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise LabError(f"the Python package {_PACKAGE} is missing", hint="install labspec anew")
    try:
        found: dict[str, Any] = json.loads((Path(spec.origin).parent / _PLACE).read_bytes())
    except (OSError, ValueError) as error:
        raise LabError(
            f"the Python package {_PACKAGE} has no schema of compose files: {error}", hint="install it anew"
        ) from error
    return found


def definition_schema(name: str) -> dict[str, Any]:
    """Return the schema of one of the parts of a compose file ("service", "secret"), with all that it refers to."""
    schema = compose_schema()
    wanted = {key: schema["$defs"][key] for key in sorted(_reached(name, set()))}
    return {"$schema": schema["$schema"], "$ref": f"#/$defs/{name}", "$defs": wanted}


def _reached(name: str, seen: set[str]) -> set[str]:
    """Return the names of the definitions that one refers to, itself among them."""
    if name not in seen:
        seen.add(name)
        for reference in re.findall(r'"#/\$defs/([^"/]+)"', json.dumps(compose_schema()["$defs"][name])):
            _reached(reference, seen)
    return seen


@cache
def validator(definition: str | None = None) -> Draft202012Validator:
    """Return what checks a whole compose file, or one of its parts."""
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(compose_schema() if definition is None else definition_schema(definition))


def known_keys(schema_path: Sequence[str | int]) -> list[str]:
    """Return the keys of the object that a keyword of the schema, at this path, speaks about; sorted."""
    return sorted(set(_properties(_at(schema_path[:-1]))))


def name_patterns(schema_path: Sequence[str | int]) -> list[str]:
    """Return the patterns that the keys of the object must have where it may have any; as `known_keys`."""
    return [pattern for pattern in _at(schema_path[:-1]).get("patternProperties", {}) if pattern != "^x-"]


def is_extension(name: str) -> bool:
    """Return whether a key is one that compose leaves to others."""
    return name.startswith("x-")


def _at(path: Sequence[str | int]) -> Mapping[str, Any]:
    found: Any = compose_schema()
    for step in path:
        while isinstance(found, Mapping) and step not in found and "$ref" in found:
            found = _target(found)
        found = found[step]
    return found if isinstance(found, Mapping) else {}


def _target(schema: Mapping[str, Any]) -> Any:
    return compose_schema()["$defs"][schema["$ref"].rpartition("/")[2]]


def _properties(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", ())
    if "$ref" in schema:
        yield from _properties(_target(schema))
    for part in schema.get("allOf", ()):
        yield from _properties(part)
