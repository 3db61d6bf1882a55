"""A host whose rkt and systemd are stand-ins, and labs that have just pods."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rktpods import STANDINS, LoadPods, kill

from labspec.core.resource import Lab
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.kinds.rkt import command
from labspec.spec.loader import load


@pytest.fixture
def pods_of(tmp_path: Path) -> LoadPods:
    """Return a function that loads a lab with a section `rkt` from the folder `tmp_path/lab`."""

    def loaded(**section: Mapping[str, Any]) -> Lab:
        folder = tmp_path / "lab"
        folder.mkdir(exist_ok=True)
        content = {"labspec": 1, "lab": {"name": "tp1"}, "rkt": section}
        (folder / "lab.yaml").write_text(json.dumps(content, indent=1))
        return load(folder, variables={}, variable_files=[])

    return loaded


@pytest.fixture
def pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put the stand-ins first on PATH, stage 1 beside them, and return the folder where the pods are kept."""
    state, units, images = tmp_path / "rkt", tmp_path / "units", tmp_path / "images"
    for folder in (state, units, images):
        folder.mkdir()
    (images / "stage1-fly.aci").touch()
    monkeypatch.setenv("PATH", f"{STANDINS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RKT_STANDIN", str(state))
    monkeypatch.setenv("SYSTEMD_STANDIN", str(units))
    monkeypatch.setattr(command, "RUN_FOLDER", str(tmp_path / "run"))
    monkeypatch.setattr("labspec.host.rkt.STAGE1_FOLDERS", (str(images),))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    yield state / "pods"
    for pod in (state / "pods").glob("*.json"):
        kill(json.loads(pod.read_text())["pid"])


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Return a host with a state folder of its own, whose Docker engine has nothing of any lab."""
    host = Host(state=StateFolder(tmp_path / "state"))
    monkeypatch.setattr("labspec.engine.observe.lives", only_rkt)
    monkeypatch.setattr("labspec.engine.ahead._LISTS", {})
    yield host
    host.docker.close()


def only_rkt() -> tuple[Any, ...]:
    from labspec.kinds.rkt.live import LIVE

    return (LIVE,)
