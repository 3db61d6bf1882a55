"""The Engine API over keep-alive connections: the live read on the hot path, and the one-request writes.

Docker Engine API reference: https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from labspec.core.diagnostic import LabError
from labspec.host.endpoint import chosen_context, deadline, unreachable, way
from labspec.host.http import Answer, Connection, ahead

OLDEST_API = (1, 41)
"""Docker 20.10, the engine of Debian 11 and 12."""
NEWEST_API = (1, 51)
"""The newest API whose answers labspec was written against (Docker 28)."""

API_SECONDS = 60
"""No request lasts longer, unless LABSPEC_API_SECONDS says so."""
CONNECTIONS = 64
"""Requests at once: a container may take its ten seconds to stop, and a hundred of them must not take turns."""
READERS = 4
"""Connections that share many reads; the engine has no more cores for them, nor has Python."""


class ApiError(Exception):
    """The engine refused a request: HTTP status and its message."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class Docker:
    """One Docker engine, read and written over at most `CONNECTIONS` connections at a time.

    `address` is a DOCKER_HOST value; None: what the docker client would take, from DOCKER_HOST or its context. Every
    request ends within `timeout` seconds (None: as the environment says).
    """

    def __init__(self, address: str | None = None, timeout: float | None = None) -> None:
        given = address or os.environ.get("DOCKER_HOST")
        self.context = "" if given else chosen_context()
        """The docker context that the engine is reached by, or ""."""
        self._way = way(given, self.context)
        self.address = self._way.address if self._way else given or "unix:///var/run/docker.sock"
        self.timeout = timeout or deadline("LABSPEC_API_SECONDS", API_SECONDS)
        self.requests = 0
        self._idle: list[Connection] = []
        self._foreseen: dict[str, Connection] = {}
        self._known: dict[str, Any] | None = None
        """Path and query -> answer, while `reading`."""
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

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Ask each GET of the block once, however many ask for it. One thread only."""
        self._known = {}
        try:
            yield
        finally:
            self._known = None

    def foresee(self, requests: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Send GETs that will be asked for, so that the engine answers them all while the caller gets there.

        The first of them tells the engine's version too, so it should be one that is answered soon.
        """
        for path, query in requests:
            if self._prefix is None and self._known is not None:
                self._known |= self._first(path + _query(query))
                if path + _query(query) in self._known:
                    continue
            target = self._version() + path + _query(query)
            connection = self._taken()
            try:
                connection.send(("GET", target, None))
            except OSError:
                connection.close()  # whoever asks is told what is wrong
            else:
                self._foreseen[target] = connection

    def meanwhile(
        self,
        awaited: tuple[str, Mapping[str, Any]],
        paths: Sequence[str],
        known_as: Callable[[Any], str],
        each: Callable[[Any], object] = bool,
    ) -> None:
        """Send GETs that may be asked for, until a foreseen one is answered: a long list takes the engine its time.

        Only while `reading`. `known_as` returns the path by which an answer will be asked for; `each` gets it.
        """
        connection = self._foreseen.get(self._version() + awaited[0] + _query(awaited[1]))
        if connection is None or self._known is None or len(paths) < 3:
            return
        for answer in self._all(paths, each, connection.answered):
            if answer is not None:
                self._known[known_as(answer)] = answer

    def find_all(self, paths: Sequence[str], each: Callable[[Any], object] = bool) -> list[Any | None]:
        """Return the answers to several GETs in the order of `paths`, asked in parallel.

        Where there are many, `each` is called with every one that comes from the engine, while it makes the next.
        """
        if len(paths) < 3:
            return [self.find(path) for path in paths]
        if self._known is not None:
            known = self._known
            new = [path for path in dict.fromkeys(paths) if path not in known]
            known |= zip(new, self._all(new, each), strict=True)
            return [known[path] for path in paths]
        return self._all(paths, each)

    def _all(
        self, paths: Sequence[str], each: Callable[[Any], object], enough: Callable[[], bool] = bool
    ) -> list[Any | None]:
        targets = [self._version() + path for path in paths]
        with self._connections(min(READERS, len(paths))) as connections:
            try:
                return self._answers(connections, targets, each, enough)
            except ConnectionError:
                # The engine closed an idle connection: asking again is safe for a read.
                for connection in connections:
                    connection.close()
                return self._answers(connections, targets, each, enough)

    def _answers(
        self,
        connections: Sequence[Connection],
        targets: Sequence[str],
        each: Callable[[Any], object],
        enough: Callable[[], bool],
    ) -> list[Any | None]:
        found: list[Any | None] = [None] * len(targets)
        for index, answer in ahead(connections, targets, enough):
            self.requests += 1
            if answer.status != 404:
                found[index] = _decoded(answer)
                each(found[index])
        return found

    def post(self, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """Return the decoded answer to POST `path`."""
        return self.call("POST", path, query, body)

    def delete(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return the decoded answer to DELETE `path`."""
        return self.call("DELETE", path, query)

    def close(self) -> None:
        """Close the idle connections; a later request opens new ones."""
        while self._idle:
            self._idle.pop().close()
        while self._foreseen:
            self._foreseen.popitem()[1].close()

    def call(self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """Send one request under the negotiated API version and return its decoded answer (None: no content)."""
        asked = path + _query(query)
        if method != "GET" or self._known is None:
            return self._send(method, self._version() + asked, body)
        if self._known.get(asked) is None:
            self._known[asked] = self._send(method, self._version() + asked, body)
        return self._known[asked]

    def _version(self) -> str:
        with self._lock:
            if self._prefix is None:
                self._prefix = self._negotiate()
            return self._prefix

    def _first(self, asked: str) -> dict[str, Any]:
        """Return the answer to a first GET, which tells the engine's version; nothing where it must be asked again."""
        with self._lock, self._connection() as connection:
            self.requests += 1
            answer = connection.ask("GET", asked)  # without a version the engine answers in its newest
        self._prefix = self._chosen(answer)
        newest = self._prefix == f"/v{answer.headers.get('api-version')}"
        return {asked: _decoded(answer)} if newest and answer.status == 200 else {}

    def _negotiate(self) -> str:
        with self._connection() as connection:
            self.requests += 1
            return self._chosen(connection.ask("GET", "/_ping"))

    def _chosen(self, answer: Answer) -> str:
        """Return the prefix of paths for the API version to speak with the engine that gave an answer."""
        offered = answer.headers.get("api-version") or "0.0"
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
        foreseen = self._foreseen.pop(target, None) if method == "GET" else None
        if foreseen is not None:
            self.requests += 1
            try:
                answer = foreseen.receive()
            except TimeoutError as error:
                foreseen.close()
                raise self._told(error) from error
            except OSError:
                foreseen.close()  # asked once more, with the usual care
            else:
                self._idle.append(foreseen)
                return _decoded(answer)
        payload = None if body is None else json.dumps(body).encode()
        with self._connection() as connection:
            try:
                answer = connection.ask(method, target, payload)
            except ConnectionError:
                if method != "GET":
                    raise
                connection.close()  # the engine closed an idle connection: asking again is safe for a read
                answer = connection.ask(method, target, payload)
        self.requests += 1
        return _decoded(answer)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self._slots:
            connection = self._taken()
            try:
                yield connection
            except OSError as error:
                connection.close()
                raise self._told(error) from error
            except BaseException:
                connection.close()  # what it answers next may be the answer to this
                raise
            self._idle.append(connection)

    @contextmanager
    def _connections(self, number: int) -> Iterator[list[Connection]]:
        """Lend several connections for requests sent ahead; they take one turn among those of other threads."""
        with self._slots:
            connections = [self._taken() for _ in range(number)]
            try:
                yield connections
            except BaseException as error:
                for connection in connections:
                    connection.close()
                if isinstance(error, OSError):
                    raise self._told(error) from error
                raise
            kept = max(0, CONNECTIONS - len(self._idle))
            self._idle += connections[:kept]
            for connection in connections[kept:]:
                connection.close()

    def _taken(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return Connection(self._dial)

    def _dial(self) -> socket.socket:
        scheme, _, rest = self.address.partition("://")
        if scheme == "unix":
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(self.timeout)
            try:
                made.connect(rest)
            except BaseException:
                made.close()
                raise
            return made
        if scheme in ("tcp", "http", "ssh"):
            from labspec.host.remote import Way, dial

            return dial(self._way or Way(self.address), self.timeout)
        raise LabError(
            f"labspec cannot reach a Docker engine at {self.address}",
            hint="set DOCKER_HOST to unix:///path/to/docker.sock, tcp://host:port or ssh://user@host",
        )

    def _told(self, error: OSError) -> LabError:
        if isinstance(error, TimeoutError):
            return LabError(
                f"the Docker engine at {self.address} did not answer within {self.timeout:g} s",
                hint="is it stopped or overloaded? see 'systemctl status docker'",
            )
        return unreachable(self.address, error)


def _decoded(answer: Answer) -> Any:
    if answer.status >= 400:
        raise ApiError(answer.status, _message(answer.data))
    if answer.status in (204, 304) or not answer.data:
        return None
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    return json.loads(answer.data) if kind == "application/json" else answer.data.decode()


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
