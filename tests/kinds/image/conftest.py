"""Labs that have just images."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.kinds.image.model import SECTION
from labspec.spec.loader import load

LoadImages = Callable[[Mapping[str, Any]], dict[str, Resource]]


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadImages:
    """Return a function that loads a section `images` in the folder `tmp_path`, by address."""
    monkeypatch.setattr("labspec.spec.loader.sections", lambda: (SECTION,))

    def loaded(section: Mapping[str, Any]) -> dict[str, Resource]:
        content = {"labspec": 1, "lab": {"name": "tp"}, "images": section}
        (tmp_path / "lab.yaml").write_text(json.dumps(content, indent=1))
        return load(tmp_path, variables={}, variable_files=[]).by_address

    return loaded


@pytest.fixture
def refusals(images: LoadImages, tmp_path: Path) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return a function that gives "SOURCE LINE: MESSAGE (HINT)" for each mistake in a section `images`."""

    def refused(section: Mapping[str, Any]) -> list[str]:
        with pytest.raises(LabError) as caught:
            images(section)
        lines = (tmp_path / "lab.yaml").read_text().splitlines()
        shown = []
        for found in caught.value.diagnostics:
            assert found.at is not None, found
            at = lines[found.at.line - 1][found.at.column - 1 :].rstrip(", ")
            shown.append(f"{at}: {found.message}" + (f" ({found.hint})" if found.hint else ""))
        return shown

    return refused
