"""A restart of the engine is no change: tried on an engine of the test's own, which it may stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.engine import workflow
from labspec.host.docker import ApiError, Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.spec.loader import load

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="starts an engine of its own, which takes root"),
    pytest.mark.skipif(shutil.which("dockerd") is None, reason="starts an engine of its own, and dockerd is not here"),
]

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


class Engine:
    """A dockerd with folders and a network namespace of its own, so that it does not meet the machine's.

    Without the namespace, a dockerd that is to have no bridge removes docker0.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.docker = Docker(f"unix://{folder}/docker.sock")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            "unshare",
            "--net",
            "--",
            "dockerd",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
        ]
        command += [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec"]
        command += [f"--pidfile={self.folder}/pid", f"--host=unix://{self.folder}/docker.sock"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(200):
            try:
                self.docker.get("/version")
            except (LabError, ApiError):
                time.sleep(0.1)
            else:
                return
        pytest.fail((self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        self.docker.close()
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None


@pytest.fixture
def private(busybox: str) -> Iterator[Engine]:
    # A unix socket's path is short, and pytest's folders are long.
    folder = Path(f"/run/labspec-test-{os.getpid()}")
    folder.mkdir()
    engine = Engine(folder)
    try:
        engine.start()
        with subprocess.Popen(["docker", "save", busybox], stdout=subprocess.PIPE) as save:
            subprocess.run(
                ["docker", "-H", engine.docker.address, "load", "-q"], stdin=save.stdout, check=True, timeout=120
            )
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


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
