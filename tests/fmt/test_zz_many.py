"""Whatever a spec says and however it is written: its canonical form says the same, and has the same comments."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from example_labs import NAMES, copied
from hypothesis import given, settings
from shuffling import shuffled
from writing import specs

from labspec.core.resource import Lab
from labspec.spec.formatting import formatted
from labspec.spec.loader import load
from labspec.spec.order import whole
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

SHAPE = whole()


def value(data: bytes) -> object:
    report = Report()
    document = parse(data, "lab.yaml", report)
    report.check()
    assert document is not None
    return document.value


@given(specs())
@settings(max_examples=4000, deadline=None)
def test_any_spec(spec: tuple[str, dict[str, Any], list[str]]) -> None:
    text, said, comments = spec
    data = text.encode()
    assert value(data) == said
    made = formatted(data, "lab.yaml", SHAPE)
    assert json.dumps(value(made), sort_keys=True) == json.dumps(said, sort_keys=True)
    assert formatted(made, "lab.yaml", SHAPE) == made
    assert sorted(re.findall(r"# number \d+$", made.decode().replace("\r", ""), re.MULTILINE)) == sorted(comments)
    assert len(made.split()) == len(data.split())
    top = [key for key in value(made) if key in SHAPE.keys]  # type: ignore[union-attr]
    assert top == sorted(top, key=SHAPE.keys.index)


def as_asked(lab: Lab) -> list[tuple[Any, ...]]:
    """Return what a lab asks for, without the places in its text."""
    return sorted(
        (item.address, item.name, json.dumps(item.desired, sort_keys=True), item.needs) for item in lab.resources
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_lab_is_the_same(name: str, tmp_path: Path) -> None:
    """A plan does not change, whatever the order of the keys: that of shuffled copies, and the canonical one."""
    folder = copied(name, tmp_path)
    spec = folder / "lab.yaml"
    before = load(spec, variables={}, variable_files=())
    copy = shuffled(spec.read_text(encoding="utf-8"), SHAPE, 1)
    for text in (copy, formatted(copy.encode(), "lab.yaml", SHAPE).decode()):
        spec.write_text(text, encoding="utf-8")
        assert as_asked(load(spec, variables={}, variable_files=())) == as_asked(before)
