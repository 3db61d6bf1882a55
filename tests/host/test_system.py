"""The host outside Docker: files that are what they seem, programs that end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.system import FileState, System

SYSTEM = System()


def test_a_file_with_all_that_makes_it_up(tmp_path: Path) -> None:
    path = str(tmp_path / "motd")
    assert SYSTEM.read(path) is None
    state = FileState(b"hello\x00\xff", "0640", os.getuid(), os.getgid())
    SYSTEM.write(path, state)
    assert SYSTEM.read(path) == state
    SYSTEM.remove(path)
    SYSTEM.remove(path)
    assert SYSTEM.read(path) is None


@pytest.mark.parametrize("what", ["symlink", "folder", "fifo"])
def test_what_is_no_file_is_not_read(tmp_path: Path, what: str) -> None:
    path = tmp_path / "thing"
    {"symlink": lambda: path.symlink_to("/etc/passwd"), "folder": path.mkdir, "fifo": lambda: os.mkfifo(path)}[what]()
    with pytest.raises(LabError, match="not a file that labspec can manage"):
        SYSTEM.read(str(path))


def test_a_program_and_what_it_says() -> None:
    done = SYSTEM.run(["sh", "-c", "cat; echo $LC_ALL >&2; exit 3"], stdin=b"in", accepted=(3,))
    assert (done.stdout, done.stderr, done.returncode) == ("in", "C.UTF-8\n", 3)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["labspec-no-such-program"], "labspec-no-such-program is not installed on this host"),
        (["sh", "-c", "echo first; echo why >&2; exit 1"], "failed: why"),
        (["false"], "failed: exit code 1"),
        (["sleep", "60"], "did not end within 0.2 s"),
    ],
)
def test_a_program_that_does_not(command: list[str], message: str) -> None:
    with pytest.raises(LabError) as refused:
        SYSTEM.run(command, seconds=0.2 if command[0] == "sleep" else 20)
    assert message in str(refused.value)
