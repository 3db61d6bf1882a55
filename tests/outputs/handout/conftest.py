"""The sheet of the sample lab in every edition, format and language, made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import sheets

from labspec.core.resource import Lab
from labspec.outputs.handout import render

Made = Callable[[str, str, str], bytes]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Return the sample lab."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABSPEC_CACHE", "off")
        return sheets.sample(tmp_path_factory.mktemp("sheet"))


@pytest.fixture(scope="session")
def made(sample: Lab) -> Made:
    """Return a function that makes the sample's sheet: edition, format, language."""

    @cache
    def make(edition: str, form: str, language: str) -> bytes:
        return render(sample, sheets.SAMPLE_CAPTURES, edition=edition, format=form, language=language)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for a lab of its own."""
    place = tmp_path / "lab"
    place.mkdir()
    return place
