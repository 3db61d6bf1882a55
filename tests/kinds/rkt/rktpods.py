"""What the tests of pods share: the stand-ins, the recordings."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from labspec.core.resource import Lab

STANDINS = Path(__file__).parent / "standin"
RECORDINGS = Path(__file__).parent / "recordings"
ALLOW = frozenset({"host-namespaces"})

LoadPods = Callable[..., Lab]


def kill(pid: int) -> None:
    """End a process; one that has ended is fine."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
