"""The connections to one engine: kept alive, opened when they are needed, and so many at once that all can be busy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from labspec.core.diagnostic import LabError
from labspec.host.endpoint import unreachable
from labspec.host.http import Connection

if TYPE_CHECKING:
    from labspec.host.remote import Way

CONNECTIONS = 64
"""Requests at once: a container may take its ten seconds to stop, and a hundred of them must not take turns."""


class Pool:
    """The connections to the engine at `address`, or by a `way` that takes more; each waits `timeout` seconds."""

    def __init__(self, address: str, way: Way | None, timeout: float) -> None:
        self.address, self.timeout = address, timeout
        self._way = way
        self._idle: list[Connection] = []
        self._slots = threading.BoundedSemaphore(CONNECTIONS)

    def taken(self) -> Connection:
        """Return a connection that nobody else has."""
        try:
            return self._idle.pop()
        except IndexError:
            return Connection(self._dial)

    @contextmanager
    def one(self, given: Connection | None = None) -> Iterator[Connection]:
        """Lend a connection, or one that was taken before, and keep it. Raises LabError where nobody answers."""
        with self._slots:
            connection = given or self.taken()
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
    def several(self, number: int, given: Sequence[Connection] = ()) -> Iterator[Sequence[Connection]]:
        """Lend as `one`, for requests sent ahead; they take one turn among those of other threads."""
        with self._slots:
            connections = given or [self.taken() for _ in range(number)]
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

    def close(self) -> None:
        """Close those that nobody has; more are opened where they are needed."""
        while self._idle:
            self._idle.pop().close()

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
