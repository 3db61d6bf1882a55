"""What every test may use."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from saying import Log


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where labs are kept during a test: a new one."""
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LABSPEC_CACHE_DIR", str(place))
    return place


@pytest.fixture
def log() -> Log:
    """Return an empty log for steps to write to."""
    return Log([], threading.Lock())
