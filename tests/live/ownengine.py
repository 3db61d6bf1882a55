"""An engine of a test's own, which it may stop, kill and starve, beside the machine's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError, Docker

NEEDS = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="starts an engine of its own, which takes root"),
    pytest.mark.skipif(shutil.which("dockerd") is None, reason="starts an engine of its own, and dockerd is not here"),
]


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

    def kill(self) -> None:
        """End it without a word, as a crash does; what it ran goes on, or ends, without it."""
        self.docker.close()
        if self.process:
            self.process.kill()
            self.process.wait(60)
            self.process = None
        (self.folder / "pid").unlink(missing_ok=True)

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop it as SIGSTOP does, or let it go on."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT if thaw else signal.SIGSTOP)


@contextmanager
def own_engine(image: str, megabytes: int = 0) -> Iterator[Engine]:
    """Give an engine that has one image, and so much room if that is said; it is removed afterwards."""
    # A unix socket's path is short, and pytest's folders are long.
    folder = Path(tempfile.mkdtemp(prefix="labspec-test-", dir="/run"))
    engine = Engine(folder)
    data = folder / "data"
    data.mkdir()
    if megabytes:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(data)], check=True)
    try:
        engine.start()
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
            subprocess.run(
                ["docker", "-H", engine.docker.address, "load", "-q"], stdin=save.stdout, check=True, timeout=120
            )
        yield engine
    finally:
        engine.stop()
        if megabytes:
            subprocess.run(["umount", str(data)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
