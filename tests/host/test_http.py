"""The HTTP client: answers of every framing, requests sent ahead, and what is no answer."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.docker import Docker
from labspec.host.http import BrokenAnswerError, Connection

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n%s\r\n"


class Other:
    """The other end of a connection."""

    def __init__(self) -> None:
        ours, self.socket = socket.socketpair()
        ours.settimeout(5)
        self.connection = Connection(lambda: ours)

    def says(self, *answers: bytes, end: bool = False) -> None:
        for answer in answers:
            self.socket.sendall(answer)
        if end:
            self.socket.shutdown(socket.SHUT_WR)


@pytest.fixture
def other() -> Iterator[Other]:
    made = Other()
    yield made
    made.connection.close()
    made.socket.close()


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nTrailer: 1\r\n\r\n",
            b"hello!",
        ),
        (CHUNKED % b"0\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
    ],
    ids=["length", "chunks", "no chunk", "continued", "nothing", "not modified", "until closed"],
)
def test_framings(other: Other, answer: bytes, data: bytes) -> None:
    other.says(answer, end=True)
    assert other.connection.ask("GET", "/x").data == data


def test_a_large_answer_in_pieces(other: Other) -> None:
    whole = b"x" * 300_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole)
    sender = threading.Thread(target=other.says, args=(head, whole[:7], whole[7:]))
    sender.start()
    assert other.connection.ask("GET", "/x").data == whole
    sender.join()


def test_requests_are_sent_ahead_and_answered_in_order(other: Other) -> None:
    other.connection.send(("GET", "/a", None), ("POST", "/b", b"{}"), ("POST", "/c", None))
    asked = other.socket.recv(4096)
    assert asked.count(b" HTTP/1.1\r\n") == 3
    assert b"POST /b HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" in asked
    assert asked.endswith(b"POST /c HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n")
    for number in (1, 2, 3):
        other.says(b"HTTP/1.1 20%d OK\r\nX-Name:  Value \r\nContent-Length: 0\r\n\r\n" % number)
    answers = [other.connection.receive() for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 202, 203]
    assert answers[0].headers["x-name"] == "Value"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 3 + b"".join(b"h%d: x\r\n" % number for number in range(300)),
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"x" * 70_000,
    ],
    ids=["nothing", "half a head", "half a body", "length", "chunk", "long chunk", "headers", "ssh", "status", "line"],
)
def test_what_is_no_answer(other: Other, answer: bytes) -> None:
    other.says(answer, end=True)
    with pytest.raises(BrokenAnswerError):
        other.connection.ask("GET", "/x")


def test_a_closed_connection_is_opened_anew() -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    left = iter(pairs)
    connection = Connection(lambda: next(left)[0])
    for _, theirs in pairs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        assert connection.ask("GET", "/x").status == 200
    for ours, theirs in pairs:
        assert ours.fileno() == -1
        theirs.close()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a stand-in for ssh writes its arguments; it leads to this machine's engine."""
    said = tmp_path / "said"
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {said}\nexec docker system dial-stdio\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return said


@pytest.mark.live
def test_an_engine_over_ssh(ssh: Path) -> None:
    docker = Docker("ssh://me@host:2222/run/other.sock", timeout=20)
    try:
        assert docker.get("/version")["ApiVersion"]
        assert len(docker.find_all(["/version"] * 9)) == 9
    finally:
        docker.close()
    arguments = ssh.read_text().splitlines()
    assert arguments[:9] == ["-o", "ConnectTimeout=30", "-T", "-l", "me", "-p", "2222", "--", "host"]
    assert arguments[9] == "docker --host unix:///run/other.sock system dial-stdio"


def test_a_context_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    with pytest.raises(LabError, match="elsewhere"):
        Docker()
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert Docker().address.startswith("unix://")
