"""A sandbox for the tests of what needs systemd: made by labspec's own command line, and removed by it."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labspec.host.sandbox.objects import container_name

SECONDS = 600
"""With the sandbox's image to build; a few seconds without."""


@dataclass(frozen=True)
class HostBox:
    """A sandbox that runs."""

    name: str

    @property
    def container(self) -> str:
        """The name of its container."""
        return container_name(self.name)

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Return what a command in there did."""
        words = ["docker", "exec", "--interactive", self.container, *command]
        return subprocess.run(words, input=text, capture_output=True, text=True, timeout=SECONDS, check=False)

    def out(self, *command: str, text: str = "") -> str:
        """Return what a command in there printed; it must not fail."""
        done = self.run(*command, text=text)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def labspec(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Return what labspec in there did with the lab in a folder."""
        return labspec("--sandbox", self.name, *arguments, folder=folder)

    def planned(self, folder: Path, *arguments: str) -> dict[str, Any]:
        """Return the plan for the lab in a folder."""
        done = self.labspec(folder, "plan", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def reboot(self) -> None:
        """Restart it as a host restarts, and wait until systemd and Docker are there again."""
        subprocess.run(["docker", "restart", "--time", "60", self.container], check=True, capture_output=True)
        done = labspec("sandbox", "up", self.name)
        assert done.returncode == 0, done.stderr

    @property
    def untouched(self) -> bool:
        """Whether no lab, container or daemon.json is in there, so that other tests may have it."""
        said = "find /var/lib/labspec /etc/docker/daemon.json -type f 2>/dev/null; docker ps --all --quiet"
        return self.run("sh", "-c", said).stdout == ""


def labspec(*arguments: str, text: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Return what labspec did."""
    command = [sys.executable, "-m", "labspec", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder)


@contextmanager
def hostbox(*images: str, engine: str = "trixie") -> Iterator[HostBox]:
    """Give a sandbox with some images in it; it is removed afterwards."""
    name = f"t{uuid.uuid4().hex[:10]}"
    try:
        given = [part for image in images for part in ("--image", image)]
        done = labspec("sandbox", "up", name, "--engine", engine, *given)
        assert done.returncode == 0, done.stderr
        yield HostBox(name)
    finally:
        done = labspec("sandbox", "down", name)
    assert done.returncode == 0, done.stderr


class Shared:
    """One sandbox for many tests, made when first asked for, and made anew where tests have left something in it."""

    def __init__(self, *images: str) -> None:
        self._images = images
        self._stack = ExitStack()
        self._box: HostBox | None = None

    def box(self) -> HostBox:
        """Return it."""
        if self._box is not None and not self._box.untouched:
            self.close()
        if self._box is None:
            self._box = self._stack.enter_context(hostbox(*self._images))
        return self._box

    def close(self) -> None:
        """Remove it."""
        self._box = None
        self._stack.close()
