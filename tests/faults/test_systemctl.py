"""A systemctl that fails or never ends: a plain error, in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.kinds.unit import steps


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("echo 'Failed to connect to bus' >&2; exit 1", "a.service does not start: .*Failed to connect to bus"),
        ("exec sleep 600", r"a.service does not start: 'systemctl start -- a.service' did not end within 0.3 s"),
    ],
)
def test_it_is_told(program: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("systemctl", "journalctl"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{program if name == 'systemctl' else 'exit 1'}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(steps, "START_SECONDS", 0.3)
    with pytest.raises(LabError, match=said):
        steps.run_unit("a.service", "start", Host(Docker("unix:///nowhere"), StateFolder(tmp_path / "state")))
