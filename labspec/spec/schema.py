"""The JSON Schema of a whole spec, put together from those of the kinds, for editors to complete and check by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labspec.kinds.naming import naming
from labspec.kinds.provider import Part, Section
from labspec.spec.examples import with_examples
from labspec.spec.head import KEYS
from labspec.spec.top import VERSION

_LOOKUP_REF = {"$ref": "#/$defs/lookup"}
_LOOKUP = {
    "type": "string",
    "pattern": r"\$\{\{.*\}\}",
    "description": "A lookup such as ${{ vars.port }}; one that stands alone keeps the type of its value.",
    "examples": ["${{ vars.port }}"],
}
_DEFINITIONS = ("$defs", "definitions")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Keywords that hold schemas by name: a name in them is no keyword."""
_PLAIN = ("examples", "default", "enum", "const", "required", "pattern", "description", "title")
"""Keywords that hold no schema."""
_NOTES = ("description", "examples", "default", "deprecated", "title")


def whole_schema(sections: Iterable[Section], parts: Iterable[Part] = ()) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a spec with these sections and parts."""
    definitions: dict[str, Any] = {"lookup": _LOOKUP}
    properties = _own_keys()
    for section in sections:
        definitions |= _hoisted(section.kind, section.schema())
        schema = _section(section, definitions)
        above, inside, key = section.name.rpartition(".")
        target = properties.setdefault(above, _around(above))["properties"] if inside else properties
        target[key] = schema
    for part in parts:
        definitions |= _hoisted(part.name, part.schema())
        description = str(definitions[part.name].get("description", ""))
        properties[part.name] = {
            "description": description,
            "anyOf": [{"$ref": f"#/$defs/{part.name}"}, {"type": "null"}],
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lab.yaml",
        "description": "A lab, as labspec makes it: what should be on the host.",
        "type": "object",
        "properties": properties,
        "patternProperties": {"^x-": {"description": "Left alone: a place for what anchors stand for."}},
        "required": ["labspec", "lab"],
        "additionalProperties": False,
        "$defs": with_examples(definitions),
    }


def _own_keys() -> dict[str, Any]:
    lab = {
        "type": "object",
        "description": "What the lab is called, for people and for the host.",
        "properties": {key: _with_lookups(value) for key, value in KEYS.items()},
        "required": ["name"],
        "additionalProperties": False,
        "examples": [{"name": "tp1", "title": "Containers"}],
    }
    return {
        "labspec": {
            "const": VERSION,
            "description": "The version of the spec language.",
            "examples": [VERSION],
        },
        "lab": lab,
        "vars": {
            "type": ["object", "null"],
            "description": "Variables by name, with their values: ${{ vars.name }} stands for one. --var and "
            "--var-file set others of the same type; one without value must be set.",
            "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_-]*$"},
            "examples": [{"http_port": 8080, "user": "student"}],
        },
        "include": {
            "type": ["array", "null"],
            "items": {"type": "string"},
            "description": "Further files of the lab's folder with sections of the same names; every path in them "
            "starts from the lab's folder too.",
            "examples": [["services.yaml"]],
        },
    }


def _section(section: Section, definitions: Mapping[str, Any]) -> dict[str, Any]:
    description = str(definitions[section.kind].get("description", ""))
    fixed: tuple[str, ...] = getattr(section, "entries", ())
    if fixed:
        return {
            "type": ["object", "null"],
            "description": description,
            "properties": {name: _fixed(f"{section.kind}.{name}", definitions) for name in fixed},
            "additionalProperties": False,
        }
    entry = {"anyOf": [{"$ref": f"#/$defs/{section.kind}"}, {"type": "null"}, _LOOKUP_REF]}
    listed = getattr(section, "listed", False)
    name = {"pattern": naming(section).pattern}
    form: dict[str, Any] = {"propertyNames": name, "additionalProperties": entry}
    if listed:
        form = {"items": {"type": "string", **name}, "uniqueItems": True, **form}
    what = section.name.rpartition(".")[2].replace("_", " ")
    return {
        "type": ["object", "array", "null"] if listed else ["object", "null"],
        "description": f"The lab's {what}, by name. {description}".strip(),
        **form,
    }


def _fixed(name: str, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an entry that has a name and a form of its own."""
    description = str(definitions[name].get("description", ""))
    return {"description": description, "anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}, _LOOKUP_REF]}


def _around(name: str) -> dict[str, Any]:
    """Return the schema of a section that has sections in it."""
    return {
        "type": ["object", "null"],
        "description": f"What the lab changes of the {name}.",
        "properties": {},
        "additionalProperties": False,
    }


def _hoisted(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the definitions that a kind's schema makes in the whole: its entry as KIND, its own ones as KIND.NAME."""
    own = {name: value for key in _DEFINITIONS for name, value in schema.get(key, {}).items()}
    entry = {key: value for key, value in schema.items() if key not in (*_DEFINITIONS, "$schema", "$id", "id")}
    moved = {kind: entry, **{f"{kind}.{name}": value for name, value in own.items()}}
    return {name: _relocated(value, kind) for name, value in moved.items()}


def _relocated(schema: Any, kind: str) -> Any:
    """Return a schema with its references pointing to where the definitions are now, and lookups let in."""
    if isinstance(schema, list):
        return [_relocated(item, kind) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str):
            made[key] = _reference(value, kind)
        elif key in _NAMED and isinstance(value, dict):
            made[key] = {name: _with_lookups(_relocated(item, kind)) for name, item in value.items()}
        elif key in _PLAIN:
            made[key] = value
        elif key in ("items", "additionalProperties"):
            made[key] = _with_lookups(_relocated(value, kind))
        else:
            made[key] = _relocated(value, kind)
    return made


def _reference(reference: str, kind: str) -> str:
    if reference == "#":
        return f"#/$defs/{kind}"
    for key in _DEFINITIONS:
        prefix = f"#/{key}/"
        if reference.startswith(prefix):
            return f"#/$defs/{kind}.{reference.removeprefix(prefix)}"
    return reference


def _with_lookups(schema: Any) -> Any:
    """Return the schema of a value that may as well be a lookup, where that would not be text of its form anyway."""
    if not isinstance(schema, dict) or not schema or schema == _LOOKUP_REF:
        return schema
    if schema.get("type") == "string" and not {"pattern", "enum", "const", "format", "maxLength"} & schema.keys():
        return schema
    if schema.get("type") == "null":
        return schema
    notes = {key: value for key, value in schema.items() if key in _NOTES}
    rule = {key: value for key, value in schema.items() if key not in _NOTES}
    branches = rule["anyOf"] if set(rule) == {"anyOf"} else [rule]
    return {**notes, "anyOf": [*branches, _LOOKUP_REF]} if rule else schema
