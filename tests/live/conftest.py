"""What the tests on a real Docker engine share: a tiny image, a lab's name, and no trace afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from busybox import made_busybox
from cleaning import remove_lab
from hostbox import HostBox, Shared

from labspec.core.diagnostic import LabError
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[Docker]:
    """Return the engine. Skips where none answers; in CI that is a failure."""
    docker = Docker()
    try:
        docker.get("/version")
    except LabError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs a Docker engine: {error}")
        pytest.skip(f"no Docker engine: {error.diagnostics[0].message}")
    yield docker
    docker.close()


@pytest.fixture(scope="session")
def busybox(engine: Docker) -> str:
    """Return the tag of an image with nothing but Debian's busybox-static; made once, and kept for the next time."""
    assert engine
    return made_busybox()


@pytest.fixture(scope="session")
def shared(busybox: str) -> Iterator[Shared]:
    """Return the sandbox that test files take turns with."""
    made = Shared("debian:latest", busybox)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lab_host(shared: Shared) -> HostBox:
    """Return a sandbox with debian:latest and busybox, in which nothing is left of other tests."""
    return shared.box()


@pytest.fixture
def lab_name() -> Iterator[str]:
    """Return a name for a lab; afterwards whatever bears it as label is removed."""
    name = f"labspec-test-{uuid.uuid4().hex[:8]}"
    yield name
    remove_lab(name)


@pytest.fixture
def host(tmp_path: Path, engine: Docker) -> Host:
    """Return this host, with a state folder of its own."""
    return Host(engine, StateFolder(tmp_path / "state"))
