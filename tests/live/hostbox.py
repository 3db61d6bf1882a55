"""A sandbox for the tests of what needs systemd: made by labspec's own command line, and removed by it."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 600
"""With the sandbox's image to build; a few seconds without."""


@dataclass(frozen=True)
class HostBox:
    """A sandbox that runs."""

    name: str

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Return what a command in there did."""
        return labspec("sandbox", "exec", self.name, "--", *command, text=text)

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


def labspec(*arguments: str, text: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Return what labspec did."""
    command = [sys.executable, "-m", "labspec", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder)


@contextmanager
def hostbox(*images: str) -> Iterator[HostBox]:
    """Give a sandbox with some images in it; it is removed afterwards."""
    name = f"t{uuid.uuid4().hex[:10]}"
    try:
        given = [part for image in images for part in ("--image", image)]
        done = labspec("sandbox", "up", name, *given)
        assert done.returncode == 0, done.stderr
        yield HostBox(name)
    finally:
        done = labspec("sandbox", "down", name)
    assert done.returncode == 0, done.stderr
