"""HTTP/1.1 as an engine speaks it over a stream socket: requests sent ahead, answers read in their order.

Python's own http.client takes longer to import than a whole plan takes to read the host.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from select import select
from typing import NamedTuple

_BUFFER = 2**16
_LONGEST_LINE = 2**16
_MOST_HEADERS = 200
AHEAD = 16
"""Requests sent on one connection before their answers are read: they are small, and fit into a socket's buffer."""


class Answer(NamedTuple):
    """An answer: the names of its headers in lower case."""

    status: int
    headers: dict[str, str]
    data: bytes


class BrokenAnswerError(ConnectionError):
    """What came is no HTTP, or not all of it."""


class Connection:
    """One keep-alive connection, opened by `connect` when it is first needed."""

    def __init__(self, connect: Callable[[], socket.socket], host: str = "docker") -> None:
        self._connect = connect
        self._host = host
        self._socket: socket.socket | None = None
        self._reader: BufferedReader | None = None

    def ask(self, method: str, target: str, body: bytes | None = None) -> Answer:
        """Return the answer to one request. Raises OSError; after one the connection is to be closed."""
        self.send((method, target, body))
        return self.receive()

    def send(self, *requests: tuple[str, str, bytes | None]) -> None:
        """Send requests; as many answers must be received. So few at once that they fit into the socket's buffer."""
        if self._socket is None:
            self._socket = self._connect()
            self._reader = BufferedReader(socket.SocketIO(self._socket, "r"), _BUFFER)
        self._socket.sendall(b"".join(self._spelt(*request) for request in requests))

    def receive(self) -> Answer:
        """Return the next answer. Raises OSError: BrokenAnswerError where the other side ends in its middle."""
        if self._reader is None:
            raise BrokenAnswerError("the connection is closed")
        reader = self._reader
        status, headers = _head(reader)
        while 100 <= status < 200:
            status, headers = _head(reader)
        data = b"" if status in (204, 304) else _body(reader, headers)
        if "close" in headers.get("connection", "").lower():
            self.close()
        return Answer(status, headers, data)

    def answered(self) -> bool:
        """Return whether an answer has begun to come, or none will."""
        return self._socket is None or bool(select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        """Close it; the next request opens it anew."""
        if self._reader is not None:
            self._reader.close()
        if self._socket is not None:
            self._socket.close()
        self._reader = self._socket = None

    def _spelt(self, method: str, target: str, body: bytes | None) -> bytes:
        head = f"{method} {target} HTTP/1.1\r\nHost: {self._host}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        elif method == "POST":
            head += "Content-Length: 0\r\n"
        return head.encode("ascii") + b"\r\n" + (body or b"")


class Ahead:
    """GETs that connections share, each always with a few requests before its answers; the first of them are sent.

    One thread does better here than several: what takes time is the engine, and the reading of JSON.
    """

    def __init__(self, connections: Sequence[Connection], targets: Sequence[str]) -> None:
        self.connections, self.targets = connections, targets
        self._sent = dict.fromkeys(connections, 0)
        for first in range(len(connections)):
            self._send(first, AHEAD)

    def answers(self, enough: Callable[[], bool] = bool) -> Iterator[tuple[int, Answer]]:
        """Yield (index, answer) in the order of `targets`; once `enough` says so, no more requests are sent.

        Raises OSError; the connections are to be closed then.
        """
        number = len(self.connections)
        for index in range(len(self.targets)):
            turn, first = divmod(index, number)
            connection = self.connections[first]
            if turn >= self._sent[connection]:
                continue
            yield index, connection.receive()
            if self._sent[connection] - turn <= AHEAD // 2 and not enough():
                self._send(first, turn + AHEAD)

    def close(self) -> None:
        """Close the connections."""
        for connection in self.connections:
            connection.close()

    def _send(self, first: int, up_to: int) -> None:
        connection, number = self.connections[first], len(self.connections)
        share = self.targets[first + self._sent[connection] * number : first + up_to * number : number]
        if share:
            connection.send(*(("GET", target, None) for target in share))
            self._sent[connection] += len(share)


def _head(reader: BufferedReader) -> tuple[int, dict[str, str]]:
    first, *lines = _head_lines(reader)
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
        raise BrokenAnswerError("the answer is no HTTP")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(rest[:3]), headers


def _head_lines(reader: BufferedReader) -> list[str]:
    """Return the lines of a head: at once where all of it has come, as it mostly has."""
    length = reader.peek().find(b"\r\n\r\n")
    if 0 < length < _LONGEST_LINE:
        return reader.read(length + 4)[:length].decode("latin-1").split("\r\n")
    lines = [_line(reader)]
    while line := _line(reader):
        lines.append(line)
        if len(lines) > _MOST_HEADERS:
            raise BrokenAnswerError("the answer has too many headers")
    return lines


def _line(reader: BufferedReader) -> str:
    line = reader.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        ended = len(line) < _LONGEST_LINE
        raise BrokenAnswerError("the engine closed the connection" if ended else "a line without end")
    return line.decode("latin-1").rstrip("\r\n")


def _body(reader: BufferedReader, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return b"".join(_chunks(reader))
    length = headers.get("content-length")
    if length is None:
        headers["connection"] = "close"
        return reader.read()
    if not length.isdecimal():
        raise BrokenAnswerError("the answer has no proper length")
    return _exactly(reader, int(length))


def _chunks(reader: BufferedReader) -> list[bytes]:
    found = []
    while True:
        size = _line(reader).partition(";")[0].strip()
        try:
            length = int(size, 16)
        except ValueError:
            raise BrokenAnswerError("the answer has a chunk without a proper length") from None
        if length <= 0:
            break
        found.append(_exactly(reader, length))
        if _line(reader):
            raise BrokenAnswerError("a chunk is longer than it says")
    while _line(reader):
        pass  # trailers say nothing that is asked for
    return found


def _exactly(reader: BufferedReader, length: int) -> bytes:
    data = reader.read(length)
    if len(data) < length:
        raise BrokenAnswerError("the engine closed the connection")
    return data
