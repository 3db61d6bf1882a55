"""Whatever a stranger writes: a lab or a plain refusal comes of it, and a text stays the text that it was."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from injections import BUSYBOX, loaded

from labspec.core.diagnostic import LabError
from labspec.kinds.compose.document import execution_document
from labspec.kinds.unit.unitfile import settings_of
from labspec.spec.loader import load

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
YAMLISH = st.text(st.sampled_from(" \n:-[]{}&*!|>'\"#%@`,?abc01.$~\t"), max_size=60)
SECTIONS = st.sampled_from(["vars", "images", "networks", "volumes", "services", "stacks", "units", "host", "daemon"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def read(content: bytes) -> None:
    """Load a spec; nothing but a refusal may be raised."""
    with TemporaryDirectory() as folder:
        Path(folder, "lab.yaml").write_bytes(content)
        with suppress(LabError):
            load(Path(folder), variables={}, variable_files=())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80) | YAMLISH.map(str.encode) | TEXTS.map(str.encode))
def test_any_bytes(content: bytes) -> None:
    read(content)
    read(b"labspec: 1\nlab: {name: any}\nvars:\n  a: " + content)


@settings(max_examples=80, deadline=None)
@given(SECTIONS, st.sampled_from(["a", "a.service", "docker"]), VALUES)
def test_any_value(section: str, name: str, value: Any) -> None:
    read(json.dumps({"labspec": 1, "lab": {"name": "any"}, section: {name: value}}).encode())
    read(json.dumps({"labspec": 1, "lab": {"name": "any"}, section: value}).encode())


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_a_variable_stays_a_text(text: str) -> None:
    spec = {"vars": {"a": text}, "services": {"s": {"image": BUSYBOX, "environment": {"A": "${{ vars.a }}"}}}}
    lab = loaded(spec)
    if lab is not None and "${{" not in text:
        service = lab.by_address["service.s"]
        assert service.desired["environment"]["A"] == text
        made = execution_document(lab, service.project)["services"]["s"]["environment"]
        assert str(dict(made)["A"]).replace("$$", "$") == text


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_a_unit_has_the_settings_that_were_asked_for(text: str) -> None:
    lab = loaded({"units": {"a.service": {"Unit": {"Description": text}, "Service": {"ExecStart": "/bin/true"}}}})
    if lab is not None:
        found = [(item.section, item.key) for item in settings_of(lab.by_address["unit.a.service"].options["text"])]
        assert found in ([("Unit", "Description"), ("Service", "ExecStart")], [("Service", "ExecStart")])


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_a_dockerfile_has_the_instructions_that_were_asked_for(text: str) -> None:
    lab = loaded({"images": {"a": {"from": BUSYBOX, "steps": [{"env": {"A": text}}, {"workdir": "/srv"}]}}})
    if lab is not None:
        lines = lab.by_address["image.a"].desired["dockerfile"].splitlines()
        words = [line.split(" ")[0] for line in lines if line and not line.startswith("#")]
        assert words == ["FROM", "ENV", "WORKDIR"]
