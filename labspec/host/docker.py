"""The Engine API over keep-alive connections: the live read on the hot path, and the one-request writes.

Docker Engine API reference: https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import json
import os
import queue
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from labspec.core.diagnostic import LabError

OLDEST_API = (1, 41)
"""Docker 20.10, the engine of Debian 11 and 12."""
NEWEST_API = (1, 51)
"""The newest API whose answers labspec was written against (Docker 28)."""

CONNECTIONS = 4


class ApiError(Exception):
    """The engine refused a request: HTTP status and its message."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Docker:
    """One Docker engine, read and written over at most `CONNECTIONS` connections at a time.

    `address` is a DOCKER_HOST value; every request ends within `timeout` seconds.
    """

    def __init__(self, address: str | None = None, timeout: float = 60.0) -> None:
        self.address = address or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        self.timeout = timeout
        self.requests = 0
        self._idle: queue.LifoQueue[HTTPConnection] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._prefix: str | None = None
        self._lock = threading.Lock()

    @property
    def socket_path(self) -> str | None:
        """The path of the engine's unix socket, or None for another kind of address."""
        return self.address.removeprefix("unix://") if self.address.startswith("unix://") else None

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return the decoded JSON answer to GET `path`. Raises ApiError, or LabError when the engine is not there."""
        return self.call("GET", path, query)

    def find(self, path: str, query: Mapping[str, Any] | None = None) -> Any | None:
        """Return as `get`, or None where the engine knows no such object."""
        try:
            return self.get(path, query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def find_all(self, paths: Sequence[str]) -> list[Any | None]:
        """Return the answers to several GETs in the order of `paths`, asked in parallel."""
        if len(paths) < 3:
            return [self.find(path) for path in paths]
        answers: list[Any | None] = [None] * len(paths)
        failures: list[BaseException] = []
        todo = iter(range(len(paths)))
        turn = threading.Lock()

        def work() -> None:
            try:
                while not failures:
                    with turn:
                        index = next(todo, None)
                    if index is None:
                        return
                    answers[index] = self.find(paths[index])
            except BaseException as error:
                failures.append(error)

        workers = [threading.Thread(target=work) for _ in range(min(CONNECTIONS, len(paths)))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if failures:
            raise failures[0]
        return answers

    def post(self, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """Return the decoded answer to POST `path`."""
        return self.call("POST", path, query, body)

    def delete(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return the decoded answer to DELETE `path`."""
        return self.call("DELETE", path, query)

    def close(self) -> None:
        """Close the idle connections; a later request opens new ones."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def call(self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """Send one request under the negotiated API version and return its decoded answer (None: no content)."""
        return self._send(method, self._version() + path + _query(query), body)

    def _version(self) -> str:
        with self._lock:
            if self._prefix is None:
                self._prefix = self._negotiate()
            return self._prefix

    def _negotiate(self) -> str:
        with self._connection() as connection:
            connection.request("GET", "/_ping")
            response = connection.getresponse()
            response.read()
            offered = response.getheader("Api-Version") or "0.0"
        major, _, minor = offered.partition(".")
        version = (int(major), int(minor))
        if version < OLDEST_API:
            raise LabError(
                f"the Docker engine at {self.address} is too old: it speaks API {offered}, "
                f"labspec needs {_dotted(OLDEST_API)} (Docker 20.10) or later",
                hint="upgrade Docker on that host",
            )
        return f"/v{_dotted(min(version, NEWEST_API))}"

    def _send(self, method: str, target: str, body: Any) -> Any:
        payload = None if body is None else json.dumps(body).encode()
        headers = {} if payload is None else {"Content-Type": "application/json"}
        with self._connection() as connection:
            try:
                connection.request(method, target, payload, headers)
                response = connection.getresponse()
            except (ConnectionResetError, BrokenPipeError, HTTPException):
                if method != "GET":
                    raise
                connection.close()  # the engine closed an idle connection: asking again is safe for a read
                connection.request(method, target, payload, headers)
                response = connection.getresponse()
            data = response.read()
        self.requests += 1
        if response.status >= 400:
            raise ApiError(response.status, _message(data))
        if response.status in (204, 304) or not data:
            return None
        return json.loads(data) if response.headers.get_content_type() == "application/json" else data.decode()

    @contextmanager
    def _connection(self) -> Iterator[HTTPConnection]:
        with self._slots:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = self._open()
            try:
                yield connection
            except TimeoutError as error:
                connection.close()
                raise LabError(
                    f"the Docker engine at {self.address} did not answer within {self.timeout:g} s",
                    hint="is it stopped or overloaded? see 'systemctl status docker'",
                ) from error
            except (OSError, HTTPException) as error:
                connection.close()
                raise _unreachable(self.address, error) from error
            self._idle.put(connection)

    def _open(self) -> HTTPConnection:
        scheme, _, rest = self.address.partition("://")
        if scheme == "unix":
            return _UnixConnection(rest, self.timeout)
        if scheme in ("tcp", "http") and not os.environ.get("DOCKER_TLS_VERIFY"):
            parts = urlsplit(f"http://{rest}")
            return HTTPConnection(parts.hostname or "", parts.port or 2375, timeout=self.timeout)
        raise LabError(
            f"labspec cannot reach a Docker engine at {self.address}",
            hint="set DOCKER_HOST to unix:///path/to/docker.sock or tcp://host:port",
        )


def filters(**values: Iterable[str]) -> dict[str, str]:
    """Return the `filters` query parameter of a list request: filter name -> accepted values."""
    return {"filters": json.dumps({name: list(accepted) for name, accepted in values.items()})}


def segment(name: str) -> str:
    """Return a name or id quoted as one part of a request's path ('/' stays: image names have it)."""
    return quote(name, safe="/:@")


def _query(query: Mapping[str, Any] | None) -> str:
    return "?" + urlencode(query) if query else ""


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _message(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return data.decode(errors="replace").strip()


def _unreachable(address: str, error: Exception) -> LabError:
    if isinstance(error, PermissionError):
        return LabError(
            f"no permission to use the Docker socket {address.removeprefix('unix://')}",
            hint="join the docker group (sudo usermod -aG docker $USER, then log in again) or use sudo",
        )
    return LabError(
        f"no Docker engine answers at {address} ({_reason(error)})",
        hint="start it (sudo systemctl start docker) or point DOCKER_HOST at one; 'labspec doctor' looks further",
    )


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
