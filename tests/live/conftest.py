"""What the tests on a real Docker engine share: a tiny image, a lab's name, and no trace afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from cleaning import remove_lab, run
from hostbox import HostBox, Shared

from labspec.core.diagnostic import LabError
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder

BUSYBOX = "labspec-test/busybox:latest"


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
    if engine.find(f"/images/{BUSYBOX}/json") is None:
        with tempfile.TemporaryDirectory() as folder:
            binary = shutil.copy(_static_busybox(Path(folder)), Path(folder, "busybox"))
            archive = Path(folder, "rootfs.tar")
            with tarfile.open(archive, "w") as tar:
                _add_busybox(tar, Path(binary))
            changes = ["--change", 'CMD ["sh"]', "--change", "ENV PATH=/bin"]
            run("docker", "import", *changes, str(archive), BUSYBOX)
    return BUSYBOX


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


def _static_busybox(folder: Path) -> Path:
    """Return the path of a busybox that needs no library: the machine's, or that of Debian's package."""
    installed = shutil.which("busybox")
    if installed and b"/ld-linux" not in Path(installed).read_bytes():
        return Path(installed)
    subprocess.run(["apt-get", "download", "-q", "busybox-static"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("busybox-static_*.deb")
    run("dpkg-deb", "--extract", str(package), str(folder / "package"))
    return next(path for path in folder.glob("package/**/bin/busybox") if path.is_file())


def _add_busybox(tar: tarfile.TarFile, binary: Path) -> None:
    for name, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777)):
        folder = tarfile.TarInfo(name)
        folder.type, folder.mode = tarfile.DIRTYPE, mode
        tar.addfile(folder)
    tar.add(binary, "bin/busybox", filter=_executable)
    for applet in run(str(binary), "--list").split():
        if applet != "busybox":
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)


def _executable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid = 0o755, 0, 0
    return member
