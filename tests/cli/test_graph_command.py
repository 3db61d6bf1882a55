"""labspec graph: what is written where, and in which language."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

SPEC = """\
labspec: 1
lab: {name: tp, title: {en: A lab, fr: Un TP}, language: fr, languages: [fr, en]}
networks: {inner: {}}
services:
  web: {image: "x:1", ports: ["80:80"], networks: [inner]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "lab.yaml").write_text(SPEC)
    return tmp_path


def test_without_more_it_is_mermaid(spec: Path, labspec: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = labspec("graph", spec)
    assert code == 0
    assert out.startswith('flowchart TB\n  n0["réseau'.replace("é", "#233;"))
    assert labspec("graph", spec, "--lang", "en")[1].startswith('flowchart TB\n  n0["network')


@pytest.mark.parametrize(
    ("name", "begin"),
    [("lab.svg", "<svg "), ("lab.mmd", "flowchart TB"), ("lab.gv", 'digraph "tp" {'), ("LAB.DOT", 'digraph "tp" {')],
)
def test_the_ending_says_what_to_write(
    name: str, begin: str, spec: Path, labspec: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, err = labspec("graph", spec, "-o", spec / name)
    assert (code, out, err) == (0, "", "")
    assert (spec / name).read_text().startswith(begin)
    assert (spec / name).stat().st_mode & 0o777 == 0o644


def test_a_picture_has_the_title_of_its_language(spec: Path, labspec: Callable[..., tuple[int, str, str]]) -> None:
    assert "Un TP" in labspec("graph", spec, "--format", "svg")[1]
    assert "A lab" in labspec("graph", spec, "--format", "svg", "--lang", "en")[1]


def test_programs_get_nodes_and_edges(spec: Path, labspec: Callable[..., tuple[int, str, str]]) -> None:
    found = json.loads(labspec("graph", spec, "--json")[1])
    assert [node["id"] for node in found["nodes"]] == ["network.inner", "port.service.web/80/80", "service.web"]
    assert {(edge["from"], edge["to"]) for edge in found["edges"]} == {
        ("port.service.web/80/80", "service.web"),
        ("service.web", "network.inner"),
    }


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("-o", "lab.png"), "lab.png: its ending does not say what to write", "lab.svg"),
        (("--lang", "de"), "--lang de: the lab has no such language", "fr, en"),
        (("-o", "none/lab.svg"), "cannot write none/lab.svg", ""),
    ],
)
def test_mistakes_are_told(
    arguments: tuple[str, ...],
    message: str,
    hint: str,
    spec: Path,
    labspec: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(spec)
    code, out, err = labspec("graph", *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert hint in err
