"""labspec's own folder: files whole or not at all, private, one writer at a time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host import calls
from labspec.host.calls import CallError
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import LockedError, StateFolder, write_atomic


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "applied.json"
    path.write_text("old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["applied.json"]


def test_a_symlink_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = tmp_path / "file"
    link.symlink_to(victim)
    write_atomic(link, b"new")
    assert victim.read_text() == "mine"
    assert not link.is_symlink()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_the_folder_is_private(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state").lab("tp1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(LabError, match="cannot make labspec's state folder"):
        StateFolder(tmp_path / "state").lab("tp1")


def test_the_record_of_what_was_applied(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    assert state.applied("tp1") == {}
    state.record_applied("tp1", {"a": {"x": "1"}, "b": {"y": "2"}}, keep=set())
    state.record_applied("tp1", {"c": {"z": "3"}}, keep={"b"})
    assert state.applied("tp1") == {"b": {"y": "2"}, "c": {"z": "3"}}
    (tmp_path / "tp1" / "applied.json").write_text('{"half":')
    assert state.applied("tp1") == {}, "a broken record is an empty one"


HOLD = """
import sys
import time
from pathlib import Path
from labspec.host.state import StateFolder
with StateFolder(Path(sys.argv[1])).lock("tp1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"being changed by labspec, process {other.pid}") as refused:
            state.lock("tp1").__enter__()
        assert refused.value.exit_code == 75
        with state.lock("tp2"):
            pass
        other.kill()
    with state.lock("tp1"):
        pass


LEAVE = """
import sys
from pathlib import Path
from labspec.host import calls
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.host.system import System
state = StateFolder(Path(sys.argv[1]))
with state.lock("tp1"):
    if sys.argv[2] == "system":
        System(state).run(["sh", "-c", "echo started >&2; echo $$ > $0/pid; exec sleep 300", sys.argv[1]])
    else:
        client = Host(Docker("unix:///nowhere"), state).whales.client()
        lock = client["client_call"][: client["client_call"].index("env")]
        client["client_call"] = [*lock, "sh", "-c", "echo $$ > $0/pid; exec sleep 300", sys.argv[1]]
        list(calls.call(client, "image.pull", x="none"))
"""


def test_a_program_is_not_started_for_a_labspec_that_is_gone(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    with state.lock("tp1"):
        client = Host(Docker("unix:///nowhere"), state).whales.client()
        *lock, pid = client["client_call"][: client["client_call"].index("env")]
        assert pid == str(os.getpid())
        for number, started in ((pid, True), (str(os.getppid()), False)):
            client["client_call"] = [*lock, number, "sh", "-c", 'touch "$0"', str(tmp_path / number)]
            with suppress(CallError):
                list(calls.call(client, "image.pull", x="none"))
            assert (tmp_path / number).exists() is started


@pytest.mark.parametrize("way", ["system", "whales"])
def test_a_program_that_a_killed_labspec_has_left_keeps_the_lab_locked(tmp_path: Path, way: str) -> None:
    pid = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", LEAVE, str(tmp_path), way]) as other:
        end = time.monotonic() + 30
        while not (pid.exists() and pid.read_text().endswith("\n")) and time.monotonic() < end:
            time.sleep(0.02)
        other.kill()
    left = int(pid.read_text())
    try:
        said = f"being changed by 'sleep 300', process {left}, which a labspec that was killed has left"
        with pytest.raises(LockedError, match=said):
            StateFolder(tmp_path).lock("tp1").__enter__()
    finally:
        os.kill(left, signal.SIGKILL)
    while Path(f"/proc/{left}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    with StateFolder(tmp_path).lock("tp1"):
        pass


def test_only_its_own_files_are_forgotten(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.write("tp1", "tp1.compose.json", b"{}")
    state.record_applied("tp1", {"a": {}}, keep=set())
    state.forget("tp1")
    assert not (tmp_path / "tp1").exists()
    state.write("tp1", "notes.txt", b"mine")
    state.forget("tp1")
    assert (tmp_path / "tp1" / "notes.txt").read_text() == "mine"
    state.forget("never-there")


def test_a_folder_with_nothing_but_its_lock_goes(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    with state.lock("tp1"):
        assert (tmp_path / "tp1" / "lock").exists()
    assert list(tmp_path.iterdir()) == []
    with state.lock("tp1"):
        state.write("tp1", "tp1.compose.json", b"{}")
    assert (tmp_path / "tp1" / "tp1.compose.json").exists()
    with state.lock("tp1"):
        state.forget("tp1")
    assert list(tmp_path.iterdir()) == []


def test_the_root_goes_with_the_last_lab_where_labspec_chose_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labspec.host.state.default_state_root", lambda: tmp_path / "var" / "labspec")
    monkeypatch.delenv("LABSPEC_STATE_DIR", raising=False)
    state = StateFolder()
    with state.lock("tp1"), StateFolder().lock("tp2"):
        pass
    assert list((tmp_path / "var").iterdir()) == []


def test_a_lock_that_was_removed_meanwhile_locks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, removed = os.open, []

    def removed_by_its_holder(path: str, *rest: int) -> int:
        handle = real(path, *rest)
        if not removed:
            removed.append(path)
            Path(path).unlink()
        return handle

    monkeypatch.setattr(os, "open", removed_by_its_holder)
    with StateFolder(tmp_path).lock("tp1"), pytest.raises(LockedError):
        StateFolder(tmp_path).lock("tp1").__enter__()
