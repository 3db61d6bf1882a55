"""What every test may use."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from saying import Log

# How long an example takes depends on what else the machine does; it decides no test.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


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
