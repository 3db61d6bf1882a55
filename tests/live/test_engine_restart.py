"""A restart of the engine is no change: tried on an engine of the test's own, which it may stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ownengine import NEEDS, Engine, own_engine

from labspec.engine import workflow
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.spec.loader import load

pytestmark = NEEDS

SPEC = """
labspec: 1
lab: {{name: restarted}}
volumes: {{data: {{}}}}
services:
  steady:
    image: {image}
    command: [sleep, "900"]
    stop_signal: SIGKILL
    network_mode: none
    restart: always
    volumes: ["data:/data"]
  fragile: {{image: {image}, command: [sleep, "900"], stop_signal: SIGKILL, network_mode: none}}
"""


@pytest.fixture
def private(busybox: str) -> Iterator[Engine]:
    with own_engine(busybox) as engine:
        yield engine


def test_only_what_the_restart_stopped_is_started_again(private: Engine, tmp_path: Path, busybox: str) -> None:
    (tmp_path / "lab.yaml").write_text(SPEC.format(image=busybox))
    lab = load(tmp_path, variables={}, variable_files=())
    host = Host(private.docker, StateFolder(tmp_path / "state"))
    outcome = workflow.apply(lab, host)
    assert outcome.failed == ()
    assert workflow.make_plan(lab, host).empty

    private.stop()
    private.start()
    plan = workflow.make_plan(lab, host)
    assert [(change.address, change.action.word, change.reason) for change in plan.changes] == [
        ("service.fragile", "start", "stopped (exit code 137)")
    ]
    workflow.apply(lab, host)
    assert workflow.make_plan(lab, host).empty

    private.stop()
    private.start()
    workflow.apply(lab, host, destroy=True)
    assert private.docker.get("/containers/json", {"all": 1}) == []
    assert (private.docker.get("/volumes")["Volumes"] or []) == []
