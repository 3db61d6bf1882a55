"""The examples of the schema: each stands at a key that is there, and is a value that the key may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from labspec.spec.examples import EXAMPLES


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Return the schema of a whole spec."""
    from labspec.spec import loader

    return loader.schema()


def shown(definitions: dict[str, Any]) -> Iterator[tuple[str, Any, list[Any]]]:
    """Yield (definition.key, schema, examples) of all keys that have examples."""
    for name, definition in definitions.items():
        for key, value in definition.get("properties", {}).items():
            if isinstance(value, dict) and "examples" in value:
                yield f"{name}.{key}", value, value["examples"]


def test_every_example_is_a_good_value(schema: dict[str, Any]) -> None:
    found = list(shown(schema["$defs"]))
    assert set(EXAMPLES) <= {name for name, _, _ in found}
    for name, value, examples in found:
        validator = Draft202012Validator({**value, "$defs": schema["$defs"]})
        assert [example for example in examples if not validator.is_valid(example)] == [], name


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    own = [name for name in schema["$defs"] if not name.startswith(("service", "secret", "config"))]
    lacking = [
        f"{name}.{key}"
        for name in own
        for key, value in schema["$defs"][name].get("properties", {}).items()
        if not value.get("description")
    ]
    assert lacking == []
