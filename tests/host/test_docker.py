"""The Engine API client where the engine is not as it should be; a real engine answers in tests/live."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
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


class Engine:
    """An engine whose answer to a list comes once all is `sent`; it has containers n0 and n2 to n499."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.asked: list[str] = []
        self.listed_now = b'[{"Id": "id-n0"}, {"Id": "id-n1"}]'
        self.sent, self.listed = threading.Event(), threading.Event()

    def answer(self, target: str) -> bytes:
        self.asked.append(target)
        path = re.sub(r"^/v[0-9.]+", "", target)
        if path == "/networks":
            head = b"HTTP/1.1 200 OK\r\nApi-Version: %s\r\n" % self.version.encode()
            return head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
        if path.startswith("/containers/json"):
            self.sent.wait(5)
            return json_reply(self.listed_now)
        name = path.split("/")[2]
        if name == "n3":
            self.sent.set()
        if name not in ("n0", "n1", "n2"):
            self.listed.wait(5)
        if name == "n1":
            return json_reply(b'{"message": "no such container"}', b"404 Not Found")
        return json_reply(b'{"Id": "id-%s"}' % name.encode())

    def serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as requests, suppress(ConnectionError):
            while head := b"".join(iter(requests.readline, b"\r\n")):
                target = head.split()[1].decode()
                client.sendall(self.answer(target))
                if "containers/json" in target:
                    self.listed.set()

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()


@contextmanager
def listing(path: Path, version: str = "1.44") -> Iterator[tuple[Engine, Docker]]:
    """Have such an engine listen, and a client of it."""
    made = Engine(version)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=made.accept, args=(listener,), daemon=True).start()
        with closing(Docker(f"unix://{path}", timeout=10)) as client:
            yield made, client


LISTS: list[tuple[str, dict[str, int]]] = [("/networks", {}), ("/containers/json", {"all": 1})]
INSPECTS = [f"/containers/n{number}/json" for number in range(500)]


@pytest.mark.parametrize("early", [False, True])
def test_what_a_long_list_will_name_is_read_meanwhile(tmp_path: Path, early: bool) -> None:
    seen: list[str] = []
    with listing(tmp_path / "socket") as (engine, client):
        if early:
            client.expect(LISTS, INSPECTS)
            assert engine.sent.wait(5), "nothing was sent before it was asked for"
        with client.reading():
            client.foresee(LISTS)
            client.meanwhile(LISTS[1], INSPECTS, known_as, lambda found: seen.append(found["Id"]))
            inspected = len(engine.asked)
            assert client.get(*LISTS[1]) == [{"Id": "id-n0"}, {"Id": "id-n1"}]
            paths = ["/containers/id-n0/json", "/containers/id-n2/json", "/containers/id-n7/json"]
            assert client.find_all(paths) == [{"Id": "id-n0"}, {"Id": "id-n2"}, {"Id": "id-n7"}]
        assert {"id-n0", "id-n2", "id-n7"} <= set(seen)
        assert "id-n1" not in seen
        assert len(engine.asked) == inspected < 100  # no more once the list was there
        assert len(set(engine.asked)) == inspected  # nothing twice


def known_as(found: dict[str, str]) -> str:
    return f"/containers/{found['Id']}/json"


def test_what_a_newer_engine_is_asked_early_is_in_a_version_that_is_known(tmp_path: Path) -> None:
    with listing(tmp_path / "socket", "1.99") as (engine, client):
        client.expect(LISTS, INSPECTS)
        engine.sent.set()
        with client.reading():
            client.foresee(LISTS)
            client.meanwhile(LISTS[1], INSPECTS, known_as)
            assert client.get(*LISTS[1]) == [{"Id": "id-n0"}, {"Id": "id-n1"}]
            assert client.find_all(["/containers/id-n7/json"] * 3) == [{"Id": "id-n7"}] * 3
        assert {"/v1.51/networks", "/v1.51/containers/json?all=1", "/v1.51/containers/n7/json"} <= set(engine.asked)
        assert [target for target in engine.asked if not target.startswith("/v1.51/")] == ["/networks"]
        assert len(set(engine.asked)) == len(engine.asked)  # nothing twice


def test_what_is_expected_of_nobody_is_told_where_it_is_asked_for(tmp_path: Path, docker: Make) -> None:
    client = docker(tmp_path / "none.sock")
    with pytest.raises(LabError, match="no Docker engine answers"):
        client.expect(LISTS, INSPECTS)
    with client.reading(), pytest.raises(LabError, match="no Docker engine answers"):
        client.foresee(LISTS)


def test_other_containers_than_those_expected_are_read(tmp_path: Path) -> None:
    with listing(tmp_path / "socket") as (engine, client):
        client.expect(LISTS, INSPECTS[:3])
        with client.reading():
            client.foresee(LISTS)
            client.meanwhile(LISTS[1], INSPECTS[3:9], known_as)
            engine.sent.set()
            assert client.find_all(["/containers/id-n7/json"] * 3) == [{"Id": "id-n7"}] * 3


def test_an_answer_that_nobody_asked_for_is_not_taken_later(tmp_path: Path) -> None:
    with listing(tmp_path / "socket") as (engine, client):
        engine.sent.set()
        with client.reading():
            client.foresee(LISTS)
        engine.listed_now = b"[]"
        with client.reading():
            client.foresee(LISTS)
            assert client.get(*LISTS[1]) == []
