"""The Engine API over keep-alive connections: the live read on the hot path, and the one-request writes.

Docker Engine API reference: https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, urlencode

from labspec.core.diagnostic import LabError
from labspec.host.endpoint import chosen_context, deadline, way
from labspec.host.http import Ahead, Answer, Connection
from labspec.host.pool import Pool

OLDEST_API = (1, 41)
"""Docker 20.10, the engine of Debian 11 and 12."""
NEWEST_API = (1, 51)
"""The newest API whose answers labspec was written against (Docker 28)."""

API_SECONDS = 60
"""No request lasts longer, unless LABSPEC_API_SECONDS says so."""
FEW = 3
"""Fewer reads are asked one after the other."""
READERS = 4
"""Connections that share many reads; the engine has no more cores for them, nor has Python."""


class ApiError(Exception):
    """The engine refused a request: HTTP status and its message."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class Docker:
    """One Docker engine, read and written over a pool of connections.

    `address` is a DOCKER_HOST value; None: what the docker client would take, from DOCKER_HOST or its context. Every
    request ends within `timeout` seconds (None: as the environment says).
    """

    def __init__(self, address: str | None = None, timeout: float | None = None) -> None:
        given = address or os.environ.get("DOCKER_HOST")
        self.context = "" if given else chosen_context()
        """The docker context that the engine is reached by, or ""."""
        found = way(given, self.context)
        self.address = found.address if found else given or "unix:///var/run/docker.sock"
        self.timeout = timeout or deadline("LABSPEC_API_SECONDS", API_SECONDS)
        self.requests = 0
        self._pool = Pool(self.address, found, self.timeout)
        self._foreseen: dict[str, Connection] = {}
        """Path and query -> where the answer will come."""
        self._begun: Ahead | None = None
        self._known: dict[str, Any] | None = None
        """Path and query -> answer, while `reading`."""
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
        self._known = self._known or {}
        try:
            yield
        finally:
            self._known = None
            self._forget()

    def expect(self, lists: Iterable[tuple[str, Mapping[str, Any]]], paths: Sequence[str]) -> None:
        """Begin a reading: send the GETs that `foresee` and `meanwhile` will be given, and wait for the first only.

        Raises LabError where the engine is not there.
        """
        self._known = {}
        self.foresee(lists)
        if len(paths) >= FEW:
            connections = [self._pool.taken() for _ in range(min(READERS, len(paths)))]
            with suppress(OSError):
                self._begun = Ahead(connections, self._versioned(paths))

    def foresee(self, requests: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Send GETs that will be asked for, so that the engine answers them all while the caller gets there.

        The first of them tells the engine's version too, so it should be one that is answered soon.
        """
        for path, query in requests:
            asked = path + _query(query)
            if self._prefix is None and self._known is not None:
                self._known |= self._first(asked)
            if asked in self._foreseen or asked in (self._known or ()):
                continue
            connection = self._pool.taken()
            try:
                connection.send(("GET", self._version() + asked, None))
            except OSError:
                connection.close()  # whoever asks is told what is wrong
            else:
                self._foreseen[asked] = connection

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
        connection = self._foreseen.get(awaited[0] + _query(awaited[1]))
        begun, self._begun = self._begun, None
        if begun is not None and (connection is None or begun.targets != self._versioned(paths)):
            begun.close()
            begun = None
        if connection is None or self._known is None or len(paths) < FEW:
            return
        for answer in self._all(paths, each, connection.answered, begun):
            if answer is not None:
                self._known[known_as(answer)] = answer

    def find_all(self, paths: Sequence[str], each: Callable[[Any], object] = bool) -> list[Any | None]:
        """Return the answers to several GETs in the order of `paths`, asked in parallel.

        Where there are many, `each` is called with every one that comes from the engine, while it makes the next.
        """
        if len(paths) < FEW:
            return [self.find(path) for path in paths]
        if self._known is not None:
            known = self._known
            new = [path for path in dict.fromkeys(paths) if path not in known]
            known |= zip(new, self._all(new, each), strict=True)
            return [known[path] for path in paths]
        return self._all(paths, each)

    def _all(
        self,
        paths: Sequence[str],
        each: Callable[[Any], object],
        enough: Callable[[], bool] = bool,
        begun: Ahead | None = None,
    ) -> list[Any | None]:
        targets = self._versioned(paths)
        with self._pool.several(min(READERS, len(paths)), begun.connections if begun else ()) as connections:
            try:
                return self._answers(begun or Ahead(connections, targets), each, enough)
            except ConnectionError:
                # The engine closed an idle connection: asking again is safe for a read.
                for connection in connections:
                    connection.close()
                return self._answers(Ahead(connections, targets), each, enough)

    def _answers(self, asked: Ahead, each: Callable[[Any], object], enough: Callable[[], bool]) -> list[Any | None]:
        found: list[Any | None] = [None] * len(asked.targets)
        for index, answer in asked.answers(enough):
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
        self._pool.close()
        self._forget()

    def _forget(self) -> None:
        """Drop the answers that nobody has asked for: they would be of another time."""
        while self._foreseen:
            self._foreseen.popitem()[1].close()
        if self._begun is not None:
            self._begun.close()
            self._begun = None

    def call(self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """Send one request under the negotiated API version and return its decoded answer (None: no content)."""
        asked = path + _query(query)
        if method != "GET" or self._known is None:
            return self._send(method, asked, body)
        if self._known.get(asked) is None:
            self._known[asked] = self._send(method, asked, body)
        return self._known[asked]

    def _versioned(self, paths: Iterable[str]) -> list[str]:
        version = self._version()
        return [version + path for path in paths]

    def _version(self) -> str:
        with self._lock:
            if self._prefix is None:
                self._prefix = self._negotiate()
            return self._prefix

    def _first(self, asked: str) -> dict[str, Any]:
        """Return the answer to a first GET, which tells the engine's version; nothing where it must be asked again."""
        with self._lock:
            answer = self._answer("GET", asked)  # without a version the engine answers in its newest
        self._prefix = self._chosen(answer)
        newest = self._prefix == f"/v{answer.headers.get('api-version')}"
        return {asked: _decoded(answer)} if newest and answer.status == 200 else {}

    def _negotiate(self) -> str:
        return self._chosen(self._answer("GET", "/_ping"))

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

    def _send(self, method: str, asked: str, body: Any) -> Any:
        payload = None if body is None else json.dumps(body).encode()
        return _decoded(self._answer(method, asked, self._version(), payload))

    def _answer(self, method: str, asked: str, version: str = "", payload: bytes | None = None) -> Answer:
        """Return the answer to a request, which may have been foreseen."""
        foreseen = self._foreseen.pop(asked, None) if method == "GET" else None
        with self._pool.one(foreseen) as connection:
            try:
                answer = connection.receive() if foreseen else connection.ask(method, version + asked, payload)
            except ConnectionError:
                if method != "GET":
                    raise
                connection.close()  # the engine closed an idle connection: asking again is safe for a read
                answer = connection.ask(method, version + asked, payload)
        self.requests += 1
        return answer


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


def inspect_path(container: str) -> str:
    """Return the path that a container is inspected by, of its name or id."""
    return f"/containers/{segment(container)}/json"


def image_path(image: str) -> str:
    """Return the path that an image is inspected by, of its tag, digest or id."""
    return f"/images/{segment(image)}/json"


def _query(query: Mapping[str, Any] | None) -> str:
    return "?" + urlencode(query) if query else ""


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _message(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return data.decode(errors="replace").strip()
