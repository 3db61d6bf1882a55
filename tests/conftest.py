"""What every test may use."""

from __future__ import annotations

import threading

import pytest
from saying import Log


@pytest.fixture
def log() -> Log:
    """Return an empty log for steps to write to."""
    return Log([], threading.Lock())
