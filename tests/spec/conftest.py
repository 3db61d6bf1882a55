"""A lab in an empty folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from labs import HEAD, SECTIONS, Load

from labspec.core.resource import Lab, Resource


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the lab's folder, which is the current one."""
    monkeypatch.setattr("labspec.spec.loader.sections", lambda: SECTIONS)
    home = tmp_path / "lab"
    home.mkdir()
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def load(folder: Path) -> Load:
    """Return a function that writes lab.yaml and further files, and loads the lab."""

    def write_and_load(
        text: str | bytes, /, files: dict[str, str] | None = None, var_files: Iterable[str] = (), **variables: str
    ) -> Lab:
        from labspec.spec.loader import load as load_spec

        for name, content in {"lab.yaml": text, **(files or {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_spec(None, variables=variables, variable_files=[Path(file) for file in var_files])

    return write_and_load


@pytest.fixture
def things(load: Load) -> Callable[..., dict[str, Resource]]:
    """Return a function that loads a lab of a `things` section, and returns its resources by name."""

    def of(text: str, /, **more: Any) -> dict[str, Resource]:
        lab = load(HEAD + text, **more)
        return {item.address.removeprefix("thing."): item for item in lab.resources if item.kind == "thing"}

    return of
