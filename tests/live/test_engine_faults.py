"""An engine that is killed, frozen or cut off while labspec works: a plain error in time, then all is well again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from ownengine import NEEDS, Engine, own_engine

from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.engine import workflow
from labspec.host import whales
from labspec.host.docker import Docker, filters
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.kinds.network.steps import CreateNetwork
from labspec.kinds.service.compose_steps import PullImage
from labspec.spec.loader import load

pytestmark = NEEDS

DEADLINE = 2


@pytest.fixture(scope="module")
def private(busybox: str) -> Iterator[Engine]:
    with own_engine(busybox) as engine:
        yield engine


@pytest.fixture
def lab(tmp_path: Path, busybox: str, lab_name: str) -> Path:
    """Return the folder of a lab with five containers."""
    service = {"image": busybox, "command": ["sleep", "900"], "stop_signal": "SIGKILL", "network_mode": "none"}
    spec = {
        "labspec": 1,
        "lab": {"name": lab_name},
        "volumes": {"data": {}},
        "services": {"a": {**service, "scale": 5}},
    }
    (tmp_path / "lab.yaml").write_text(json.dumps(spec))
    return tmp_path


def labspec(engine: Engine, folder: Path, *arguments: str, hasty: bool = False) -> subprocess.Popen[str]:
    """Start labspec on an engine; a hasty one waits for little."""
    own = {"DOCKER_HOST": engine.docker.address, "LABSPEC_STATE_DIR": str(folder / "state")}
    if hasty:
        own |= {"LABSPEC_API_SECONDS": str(DEADLINE), "LABSPEC_COMMAND_SECONDS": str(2 * DEADLINE)}
    return subprocess.Popen(
        [sys.executable, "-m", "labspec", *arguments],
        cwd=folder,
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str], code: int) -> str:
    """Return what labspec said, once it ends with a code."""
    out, err = process.communicate(timeout=100)
    assert process.returncode == code, out + err
    assert "internal error" not in err
    assert "Traceback" not in err
    return out + err


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"it never said {text}")


def test_a_killed_engine_is_told_and_the_next_apply_goes_on(private: Engine, lab: Path) -> None:
    process = labspec(private, lab, "apply", "-y")
    wait_for_line(process, "create containers of service.a, 5 in all ...")
    private.kill()
    said = finished(process, 1)
    assert "service.a" in said
    assert "no Docker engine answers" in finished(labspec(private, lab, "plan"), 1)
    private.start()
    finished(labspec(private, lab, "apply", "-y"), 0)
    finished(labspec(private, lab, "plan", "--detailed-exitcode"), 0)
    finished(labspec(private, lab, "destroy", "-y"), 0)


def test_a_frozen_engine_is_told_by_the_deadline(private: Engine, lab: Path) -> None:
    private.freeze()
    try:
        for command in (("plan",), ("apply", "-y")):
            said = finished(labspec(private, lab, *command, hasty=True), 1)
            assert f"did not answer within {DEADLINE} s" in said
    finally:
        private.freeze(thaw=True)
    process = labspec(private, lab, "apply", "-y", hasty=True)
    wait_for_line(process, "create containers of service.a, 5 in all ...")
    private.freeze()
    try:
        said = finished(process, 1)
    finally:
        private.freeze(thaw=True)
    assert "did not end in time" in said or f"did not answer within {DEADLINE} s" in said
    end = time.monotonic() + 60
    while (process := labspec(private, lab, "apply", "-y")).wait(60) == 75 and time.monotonic() < end:
        process.communicate()
        time.sleep(0.2)
    finished(process, 0)
    finished(labspec(private, lab, "plan", "--detailed-exitcode"), 0)
    finished(labspec(private, lab, "destroy", "-y"), 0)


def test_a_full_disk_of_the_engine_is_told_and_the_next_apply_goes_on(busybox: str, lab: Path) -> None:
    with own_engine(busybox, megabytes=32) as engine:
        filler = engine.folder / "data/filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        said = finished(labspec(engine, lab, "apply", "-y"), 1)
        assert "no space left on device" in said
        filler.unlink()
        finished(labspec(engine, lab, "apply", "-y"), 0)
        finished(labspec(engine, lab, "plan", "--detailed-exitcode"), 0)
        finished(labspec(engine, lab, "destroy", "-y"), 0)


@contextmanager
def registry(*, answers: bool) -> Iterator[str]:
    """Give the address of a registry that drops its callers, or never says a word."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                caller.close() if answers else held.append(caller)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for caller in held:
        caller.close()


def test_a_registry_that_stalls_or_drops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whales, "COMMAND_SECONDS", DEADLINE)
    docker = Docker()
    host = Host(docker, StateFolder(tmp_path))
    for answers, reason in ((False, f"it did not end within {DEADLINE} s"), (True, "(EOF|reset by peer)")):
        with registry(answers=answers) as address, pytest.raises(LabError, match=f"cannot be pulled: .*{reason}"):
            PullImage(f"{address}/labspec-test/none:1").run(host)
    docker.close()


def test_a_clock_that_steps(lab: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    real, steps = time.time, iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: real() + (-1) ** next(steps) * 3.2e7)
    loaded = load(lab, variables={}, variable_files=())
    assert workflow.apply(loaded, host).failed == ()
    assert workflow.make_plan(loaded, host).empty
    assert workflow.apply(loaded, host, destroy=True).failed == ()


def test_what_appears_between_the_plan_and_its_steps(host: Host, lab_name: str) -> None:
    spec = Resource("network.front", "network", f"{lab_name}_front", {}, {"key": "front"}, project=lab_name)
    step = CreateNetwork.of(lab_name, spec)
    step.run(host)
    step.run(host)
    with pytest.raises(LabError, match=r"network .* appeared meanwhile and is not this lab's"):
        CreateNetwork.of(f"{lab_name}-other", spec).run(host)
    assert [found["Name"] for found in host.docker.get("/networks", filters(name=[f"{lab_name}_front"]))] == [spec.name]
