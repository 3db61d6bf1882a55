"""The JSON Schema of a whole spec: of good form, closed, and in accord with the loader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml
from labs import HEAD, SECTIONS

from labspec.spec.head import KEYS
from labspec.spec.loader import schema
from labspec.spec.schema import whole_schema

GOOD = (
    "",
    "vars: {x: 1, y: [1], z: }\ninclude: [a.yaml]\nvolumes:\nnetworks: {a: }\n",
    "volumes: {v: {tmpfs: {size: '${{ vars.s }}', uid: '${{ vars.uid }}', mode: '0755'}, labels: {a: 1}}}\n",
    "networks: {n: {internal: '${{ vars.x }}', subnets: '${{ vars.subnets }}'}}\n",
    "networks: {n: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}\n",
    "networks: {n: '${{ vars.network }}'}\n",
    "things: {t: {value: 1, more: 2}, u: {value: '${{ vars.x }}'}}\n",
    "host: {places: {/a: 1, /b: }}\n",
    "host: {places: [/a, /b]}\n",
)
BAD = (
    "volums: {}",
    "volumes: []",
    "volumes: {v: {drivr: x}}",
    "volumes: {v: {tmpfs: {size: x}}}",
    "volumes: {v: {tmpfs: {uid: text}}}",
    "volumes: {-v: {}}",
    "networks: {n: {internal: 1}}",
    "networks: {n: {ipam: {config: [{subnt: x}]}}}",
    "things: {t: {value: x}}",
    "include: a.yaml",
    "vars: [1]",
    "host: [places]",
    "host: {place: [/a]}",
    "host: {places: [a]}",
    "host: {places: {/a: 2}}",
    "host.places: {/a: 1}",
)


def read(text: str) -> Any:
    return yaml.safe_load(HEAD + text)


@pytest.fixture
def validator() -> Any:
    return jsonschema_rs.Draft202012Validator(schema())


@pytest.mark.parametrize("text", GOOD)
def test_good(text: str, validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(read(text))] == []


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str, validator: Any) -> None:
    assert not validator.is_valid(read(text))


@pytest.mark.parametrize("lab", ["{name: TP}", "{nam: x}", "{}", "{name: a, language: de}", "{name: a, profiles: x}"])
def test_bad_labs(lab: str, validator: Any) -> None:
    assert not validator.is_valid(yaml.safe_load(f"labspec: 1\nlab: {lab}"))


def test_it_is_a_schema() -> None:
    assert jsonschema_rs.meta.is_valid(schema())


def test_every_reference_leads_somewhere() -> None:
    made = schema()
    references = set(values(made, "$ref"))
    assert "#/$defs/volume.Tmpfs" in references
    assert references <= {f"#/$defs/{name}" for name in made["$defs"]}


def test_every_key_has_a_description() -> None:
    made = schema()
    for properties in values({key: value for key, value in made.items() if key != "$defs"}, "properties"):
        for name, value in properties.items():
            assert value.get("description"), name
    assert made["properties"]["volumes"]["description"].startswith("The lab's volumes, by name. A volume")
    assert set(made["properties"]["lab"]["properties"]) == set(KEYS)


def test_definitions_of_one_name_do_not_clash() -> None:
    class Other:
        name, kind = "others", "other"

        def schema(self) -> dict[str, Any]:
            tree = {"type": "object", "properties": {"in": {"$ref": "#"}}, "additionalProperties": False}
            return {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": "#/definitions/Tmpfs",
                "definitions": {"Tmpfs": {"type": "object", "properties": {"$ref": {"const": 1}, "t": tree}}},
            }

    made = whole_schema((*SECTIONS, Other()))  # type: ignore[arg-type]
    assert made["$defs"]["other"] == {"$ref": "#/$defs/other.Tmpfs"}
    assert made["$defs"]["volume.Tmpfs"] != made["$defs"]["other.Tmpfs"]
    validator = jsonschema_rs.Draft202012Validator(made)
    assert validator.is_valid(read("others: {o: {t: {in: {t: {}}}, $ref: 1}}"))
    assert not validator.is_valid(read("others: {o: {t: {in: {t: {x: 1}}}}}"))


def values(tree: Any, key: str) -> Iterator[Any]:
    """Yield the values of a key, anywhere in a tree."""
    if isinstance(tree, dict):
        if key in tree:
            yield tree[key]
        for item in tree.values():
            yield from values(item, key)
    elif isinstance(tree, list):
        for item in tree:
            yield from values(item, key)
