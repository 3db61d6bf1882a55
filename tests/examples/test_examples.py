"""Every example is a small, commented, valid lab that needs nothing but debian:latest; every kind has one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from example_labs import EXAMPLES, NAMES, copied

from labspec.core.resource import Lab
from labspec.kinds import sections
from labspec.spec.loader import load

LONGEST = 40


def loaded(name: str, folder: Path) -> Lab:
    return load(copied(name, folder), variables={}, variable_files=[])


@pytest.mark.parametrize("name", NAMES)
def test_is_valid_and_bears_the_name_of_its_folder(name: str, tmp_path: Path) -> None:
    lab = loaded(name, tmp_path)
    assert lab.name == name
    assert lab.resources


@pytest.mark.parametrize("name", NAMES)
def test_is_small_and_begins_with_what_it_shows(name: str) -> None:
    lines = (EXAMPLES / name / "lab.yaml").read_text().splitlines()
    assert len(lines) <= LONGEST
    assert lines[0].startswith("# ")
    assert lines[0][2].isupper()


@pytest.mark.parametrize("name", NAMES)
def test_starts_from_debian_or_its_own_images(name: str, tmp_path: Path) -> None:
    for resource in loaded(name, tmp_path).resources:
        if resource.kind == "service":
            image = resource.options["image"]
            assert image == "debian:latest" or resource.options["image_address"], image
        for base in re.findall(r"(?m)^FROM (\S+)", str(resource.desired.get("dockerfile", ""))):
            assert base in ("debian:latest", "made")


def test_every_section_has_one() -> None:
    labs = [yaml.safe_load((EXAMPLES / name / "lab.yaml").read_text()) for name in NAMES]
    wanted = [section.name for section in sections()] + ["lab", "vars", "include"]
    assert [name for name in wanted if not any(said(lab, name) for lab in labs)] == []


def said(lab: Any, section: str) -> bool:
    """Return whether a lab has a section, by its name: images, or host.groups."""
    for key in section.split("."):
        lab = lab.get(key) if isinstance(lab, dict) else None
    return lab is not None


def test_the_index_lists_each_once() -> None:
    listed = re.findall(r"\]\(([a-z-]+)/lab\.yaml\)", (EXAMPLES / "README.md").read_text())
    assert sorted(listed) == NAMES
