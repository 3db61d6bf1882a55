"""A lab without Docker objects is planned and applied on a host without a Docker engine; another one is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labspec.core.change import Action
from labspec.core.diagnostic import LabError
from labspec.engine import workflow
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.spec.loader import load


def planned(tmp_path: Path, **sections: Any) -> list[tuple[str, Action]]:
    """Return what is planned where nobody answers at the engine's address."""
    (tmp_path / "lab.yaml").write_text(json.dumps({"labspec": 1, "lab": {"name": "tp"}, **sections}))
    lab = load(tmp_path, variables={}, variable_files=[])
    host = Host(Docker(f"unix://{tmp_path}/nobody.sock"), StateFolder(tmp_path / "state"))
    return [(change.address, change.action) for change in workflow.make_plan(lab, host).changes]


def test_a_lab_of_the_host_alone_needs_no_engine(tmp_path: Path) -> None:
    path = f"{tmp_path}/hello"
    assert planned(tmp_path, host={"files": {path: {"content": "hello"}}}) == [(f"file.{path}", Action.CREATE)]


def test_a_lab_with_a_volume_does(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no Docker engine answers"):
        planned(tmp_path, host={"files": {f"{tmp_path}/hello": {"content": "hello"}}}, volumes={"data": {}})
