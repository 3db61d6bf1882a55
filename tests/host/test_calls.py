"""Calls of python-on-whales in its own process: what comes back, many at once, and what is left when one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labspec.host import calls
from labspec.host.calls import CallError, call


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test a process of its own."""
    monkeypatch.setattr(calls._Process, "current", None)  # noqa: SLF001
    yield
    process = calls._Process.current  # noqa: SLF001
    if process is not None:
        process.end()


def program(script: str, *words: str) -> dict[str, Any]:
    """Return a client whose docker is a shell script."""
    return {"client_call": ["sh", "-c", script, "docker", *words]}


def up(script: str, *words: str) -> Iterator[str]:
    return call(program(script, *words), "compose.up", services=["a"], detach=True, stream_logs=True)


def test_lines_come_as_they_are_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    lines = up(
        'echo "$@" >&2; read word <"$0/go"; echo "last \N{SNOWMAN}" >&2; printf "\\377" >&2'.replace(
            "$0", str(tmp_path)
        )
    )
    assert next(lines).split()[-4:] == ["compose", "up", "--detach", "a"]
    (tmp_path / "go").write_text("go\n")
    assert list(lines) == ["last \N{SNOWMAN}\n", "\N{REPLACEMENT CHARACTER}"]


def test_a_program_that_fails() -> None:
    lines = up("echo one; echo two >&2; exit 3")
    assert sorted([next(lines), next(lines)]) == ["one\n", "two\n"]
    with pytest.raises(CallError) as failed:
        next(lines)
    assert (failed.value.code, failed.value.said) == (3, "two\n")
    with pytest.raises(CallError) as failed:
        list(call(program("echo no such image >&2; exit 1"), "image.load", input="/none", quiet=True))
    assert (failed.value.code, failed.value.said.strip()) == (1, "no such image")
    with pytest.raises(CallError) as failed:
        list(call(program("exit 4"), "image.load", input="/secret", quiet=True))
    assert (failed.value.code, failed.value.said) == (4, "")


def test_what_python_on_whales_refuses() -> None:
    with pytest.raises(CallError, match="unexpected keyword"):
        list(call(program("true"), "image.load", colour="red"))
    with pytest.raises(CallError, match="no attribute"):
        list(call(program("true"), "image.launch"))
    assert list(up("echo still there")) == ["still there\n"]


def test_a_program_does_not_read_what_is_for_the_process() -> None:
    assert list(up("cat; echo read")) == ["read\n"]


def test_many_at_once_in_one_process(tmp_path: Path) -> None:
    """Each waits until all are there."""
    count = 12
    script = f'touch "$1"; while [ "$(ls {tmp_path} | wc -l)" -lt {count} ]; do sleep 0.05; done; echo "$1 $PPID"'
    found: list[str] = []

    def run(number: int) -> None:
        found.extend(up(script, str(tmp_path / str(number))))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    names, parents = zip(*(line.split() for line in found), strict=True)
    assert (len(set(names)), len(set(parents))) == (count, 1)


def test_a_long_call_and_long_lines() -> None:
    word = "x" * 200_000
    arguments = [word[:100_000], word[100_000:]]  # the kernel takes no longer ones
    client = program('for word in "$@"; do echo "${#word}"; done; head -c 300000 /dev/zero | tr "\\0" y')
    *lengths, last = list(call(client, "build", arguments=arguments))
    assert [line.strip() for line in lengths][-2:] == ["100000", "100000"]
    assert last == "y" * 300_000


def test_the_process_is_killed_and_there_is_a_new_one() -> None:
    lines = up("echo $PPID; exec sleep 60")
    pid = int(next(lines))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(CallError, match="has ended"):
        next(lines)
    assert [int(line) for line in up("echo $PPID")] != [pid]


def test_it_has_the_environment_and_the_folder_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(up("true"))
    monkeypatch.setenv("LABSPEC_TEST", "given")
    monkeypatch.chdir(tmp_path)
    assert list(up('echo "$LABSPEC_TEST $PWD"')) == [f"given {tmp_path}\n"]


def test_a_python_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/none/python")
    calls.get_ready()
    with pytest.raises(FileNotFoundError, match="/none/python"):
        list(up("true"))


def test_ctrl_c_is_not_for_it() -> None:
    assert [int(line) for line in up("cut -d' ' -f5 /proc/$PPID/stat")] != [os.getpgrp()]


def test_given_up_before_it_is_called() -> None:
    calls.get_ready()
    process = calls._Process.current  # noqa: SLF001
    assert process is not None
    calls.give_up()
    with pytest.raises(ChildProcessError):
        os.waitpid(process._pid, 0)  # noqa: SLF001
    assert list(up("echo anew")) == ["anew\n"]
    process = calls._Process.current  # noqa: SLF001
    calls.give_up()
    assert (calls._Process.current, list(up("echo still there"))) == (process, ["still there\n"])  # noqa: SLF001


LEFT = """
import sys
from labspec.host import calls
client = {"client_call": ["sh", "-c", "echo $PPID; exec sleep 60", "docker"]}
for line in calls.call(client, "compose.up", stream_logs=True):
    print(line, end="", flush=True)
"""


def test_it_ends_with_labspec() -> None:
    with subprocess.Popen([sys.executable, "-c", LEFT], stdout=subprocess.PIPE, text=True) as labspec:
        assert labspec.stdout is not None
        pid = int(labspec.stdout.readline())
        labspec.kill()
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}/stat").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
