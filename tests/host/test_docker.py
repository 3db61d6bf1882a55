"""The Engine API client where the engine is not as it should be; a real engine answers in tests/live."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError, Docker, filters, segment

PING = b"HTTP/1.1 200 OK\r\nApi-Version: %s\r\nContent-Length: 2\r\n\r\nOK"


@contextmanager
def engine(path: Path, *answers: Callable[[socket.socket], None]) -> Iterator[list[bytes]]:
    """Listen on a unix socket; each connection is handled by the next function."""
    seen: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                answer(client)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield seen


def replies(*payloads: bytes) -> Callable[[socket.socket], None]:
    """Return a handler that answers one request after the other, then closes the connection."""

    def handle(client: socket.socket) -> None:
        requests = client.makefile("rb")
        for payload in payloads:
            head = b"".join(iter(requests.readline, b"\r\n"))
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            requests.read(int(length[1]) if length else 0)
            client.sendall(payload)
        requests.close()

    return handle


def json_reply(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@pytest.fixture
def docker() -> Iterator[Callable[[Path], Docker]]:
    """Return a function that makes a client which soon loses patience."""
    made: list[Docker] = []

    def make(path: Path) -> Docker:
        made.append(Docker(f"unix://{path}", timeout=0.3))
        return made[-1]

    yield make
    for client in made:
        client.close()


Make = Callable[[Path], Docker]


def test_no_socket(tmp_path: Path, docker: Make) -> None:
    with pytest.raises(LabError, match=r"no Docker engine answers at unix:.*No such file") as refused:
        docker(tmp_path / "none.sock").get("/info")
    assert "systemctl start docker" in (refused.value.diagnostics[0].hint or "")


def test_nobody_listens(tmp_path: Path, docker: Make) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(LabError, match="Connection refused"):
        docker(path).get("/info")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user to be refused, which takes root")
def test_no_permission(tmp_path: Path, docker: Make) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "docker.sock"
    with engine(path):
        path.chmod(0o600)
        child = os.fork()
        if child == 0:
            os.seteuid(65534)
            try:
                docker(path).get("/info")
            except LabError as error:
                os._exit(0 if "no permission" in str(error) or "No such file" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_too_old(tmp_path: Path, docker: Make) -> None:
    path = tmp_path / "old.sock"
    with (
        engine(path, replies(PING % b"1.40")),
        pytest.raises(LabError, match=r"too old: it speaks API 1\.40, labspec needs 1\.41"),
    ):
        docker(path).get("/info")


def test_an_engine_that_hangs(tmp_path: Path, docker: Make) -> None:
    path = tmp_path / "hung.sock"
    released = threading.Event()
    with engine(path, lambda _client: released.wait(5)):  # type: ignore[arg-type,return-value]
        with pytest.raises(LabError, match=r"did not answer within 0\.3 s"):
            docker(path).get("/info")
        released.set()


def test_a_read_is_asked_again_where_the_engine_closed_an_idle_connection(tmp_path: Path, docker: Make) -> None:
    path = tmp_path / "idle.sock"
    with engine(path, replies(PING % b"1.45"), replies(json_reply(b'{"a": 1}'))):
        client = docker(path)
        assert client.get("/info") == {"a": 1}
        assert client.requests == 2  # it asks for the version first


def test_refusals(tmp_path: Path, docker: Make) -> None:
    path = tmp_path / "docker.sock"
    missing = json_reply(b'{"message": "no such thing"}', b"404 Not Found")
    conflict = json_reply(b'{"message": "taken"}', b"409 Conflict")
    with engine(path, replies(PING % b"1.45", missing, conflict)):
        client = docker(path)
        assert client.find("/volumes/x") is None
        with pytest.raises(ApiError, match="taken") as refused:
            client.post("/volumes/create", {})
        assert refused.value.status == 409


@pytest.mark.parametrize("address", ["npipe:////./pipe/docker", "nonsense"])
def test_addresses_that_it_does_not_speak(address: str) -> None:
    with pytest.raises(LabError, match="cannot reach a Docker engine"):
        Docker(address).get("/info")


def test_what_goes_into_a_request() -> None:
    assert segment("a b?c#d/e:f@g") == "a%20b%3Fc%23d/e:f@g"
    assert filters(label=["a=b"]) == {"filters": '{"label": ["a=b"]}'}


def test_what_a_long_list_will_name_is_read_meanwhile(tmp_path: Path, docker: Make) -> None:
    asked: list[str] = []
    all_sent, listed = threading.Event(), threading.Event()

    def answer(target: str) -> bytes:
        asked.append(target)
        if target == "/networks":
            return (
                b"HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
            )
        if target.startswith("/v1.44/containers/json"):
            all_sent.wait(5)
            return json_reply(b'[{"Id": "id-n0"}, {"Id": "id-n1"}]')
        name = target.split("/")[3]
        if name == "n3":
            all_sent.set()
        if name not in ("n0", "n1", "n2"):
            listed.wait(5)
        if name == "n1":
            return json_reply(b'{"message": "no such container"}', b"404 Not Found")
        return json_reply(b'{"Id": "id-%s"}' % name.encode())

    def serve(client: socket.socket) -> None:
        with client, client.makefile("rb") as requests:
            while head := b"".join(iter(requests.readline, b"\r\n")):
                target = head.split()[1].decode()
                client.sendall(answer(target))
                if "containers/json" in target:
                    listed.set()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        threading.Thread(target=accept, daemon=True).start()
        client = docker(tmp_path / "socket")
        client.timeout = 10
        seen: list[str] = []
        with client.reading():
            client.foresee([("/networks", {}), ("/containers/json", {"all": 1})])
            client.meanwhile(
                ("/containers/json", {"all": 1}),
                [f"/containers/n{number}/json" for number in range(500)],
                lambda found: f"/containers/{found['Id']}/json",
                lambda found: seen.append(found["Id"]),
            )
            inspected = len(asked)
            assert client.get("/containers/json", {"all": 1}) == [{"Id": "id-n0"}, {"Id": "id-n1"}]
            paths = ["/containers/id-n0/json", "/containers/id-n2/json", "/containers/id-n7/json"]
            assert client.find_all(paths) == [{"Id": "id-n0"}, {"Id": "id-n2"}, {"Id": "id-n7"}]
        assert {"id-n0", "id-n2", "id-n7"} <= set(seen)
        assert "id-n1" not in seen
        assert len(asked) == inspected < 100  # nothing twice, and no more once the list was there
