"""The first lab is valid, and one letter off in any of its keys is refused at the right line, with the right advice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from labspec.core.diagnostic import Diagnostic, LabError
from labspec.spec.loader import load

LAB = Path(__file__).parents[2] / "specs" / "tp1-b3"
NAMES = (
    *("title", "vars", "images", "volumes", "networks", "services", "stacks", "env", "arg", "build_args"),
    *("environment", "users", "groups", "files", "units", "bundles", "rkt", "Unit", "Service", "Install"),
)
"""Mappings whose keys are the user's own names, systemd's, or languages."""


class Key(NamedTuple):
    """A key of a spec: its text, and its place from 0."""

    file: str
    text: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line + 1}:{self.text}"


def keys(file: str, node: yaml.Node, parent: str = "") -> Iterator[tuple[Key, str]]:
    """Yield every key below a node, with the key of the mapping that it stands in."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield Key(file, key.value, key.start_mark.line, key.start_mark.column), parent
            yield from keys(file, value, key.value if parent not in NAMES else f"({key.value})")
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from keys(file, item, parent)


def all_keys() -> list[tuple[Key, str]]:
    found = []
    for file in ("lab.yaml", "host.yaml", "portainer.yml"):
        found += list(keys(file, yaml.compose((LAB / file).read_text())))
    return found


WORDS = [key for key, parent in all_keys() if parent not in NAMES]
REFERENCED = ["base", "http_port", "listen", "PYTHON_PORC", "foo", "portainer_data", "local", "PORTAINER"]
NAMED = [key for key, parent in all_keys() if parent in NAMES and key.text in REFERENCED]


def one_letter_off(text: str, at: int) -> str:
    other = "q" if text[at] != "q" else "z"
    return text[:at] + other + text[at + 1 :]


def diagnostics(key: Key, changed: str, tmp_path: Path) -> tuple[Diagnostic, ...]:
    folder = tmp_path / "lab"
    shutil.copytree(LAB, folder)
    lines = (LAB / key.file).read_text().splitlines()
    line = lines[key.line]
    assert line[key.column :].startswith(key.text)
    lines[key.line] = line[: key.column] + changed + line[key.column + len(key.text) :]
    (folder / key.file).write_text("\n".join(lines) + "\n")
    with pytest.raises(LabError) as refused:
        load(folder, variables={}, variable_files=())
    return refused.value.diagnostics


def test_it_is_valid() -> None:
    lab = load(LAB, variables={}, variable_files=())
    assert [resource.address for resource in lab.resources if resource.kind == "image"] == [
        "image.nagini",
        "image.ubuntu",
        "image.portainer",
    ]
    web = lab.by_address["service.web"]
    assert web.desired["ports"] == ["1010:9999/tcp"]
    assert set(web.needs) == {"image.nagini", "network.default"}
    assert "stack.portainer.service.portainer" in lab.by_address


@pytest.mark.parametrize("key", WORDS, ids=str)
def test_a_word_of_the_language(key: Key, tmp_path: Path) -> None:
    # The first letter, and one in the middle: near enough for a suggestion wherever it is.
    for at in {0, len(key.text) // 2}:
        changed = one_letter_off(key.text, at)
        found = diagnostics(key, changed, tmp_path / str(at))
        mine = [item for item in found if item.at and item.at.line == key.line + 1 and item.at.file.endswith(key.file)]
        assert mine, f"{changed}: reported elsewhere: {found}"
        assert any(item.hint == f"did you mean '{key.text}'?" for item in mine), mine
        assert changed in (mine[0].source or "")


@pytest.mark.parametrize("key", NAMED, ids=str)
def test_a_name_that_is_used_elsewhere(key: Key, tmp_path: Path) -> None:
    changed = one_letter_off(key.text, len(key.text) // 2)
    found = diagnostics(key, changed, tmp_path)
    assert any(
        {changed, key.text} & set((item.hint or "").replace("'", " ").replace(".", " ").split()) for item in found
    )


def test_the_seeds_portainer_file_is_refused(tmp_path: Path) -> None:
    key = next(key for key, _ in all_keys() if key.text == "networks" and key.file == "portainer.yml")
    found = diagnostics(key, "network", tmp_path)
    assert [str(item.at).rpartition("/")[2] for item in found] == [f"portainer.yml:{key.line + 1}:{key.column + 1}"]
    assert found[0].hint == "did you mean 'networks'?"
