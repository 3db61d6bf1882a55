"""A client of the YAML language server, over its standard input and output."""

from __future__ import annotations

import json
import select
import subprocess
import time
from pathlib import Path
from typing import Any

_SECONDS = 60


class Server:
    """The language server with one folder open."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._number = 0
        self._buffer = b""
        self._told: dict[str, list[dict[str, Any]]] = {}
        capabilities = {"workspace": {"configuration": True}, "textDocument": {"publishDiagnostics": {}}}
        root = {"rootUri": folder.as_uri(), "processId": None, "capabilities": capabilities}
        self.ask("initialize", root)
        self._send({"method": "initialized", "params": {}})

    def open(self, name: str, text: str) -> list[dict[str, Any]]:
        """Open a text as a file of the folder, and return the server's diagnostics of it."""
        uri = (self._folder / name).as_uri()
        self._told.pop(uri, None)
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while uri not in self._told:
            self._handle(self._message())
        return self._told[uri]

    def at(self, method: str, name: str, line: int, column: int) -> Any:
        """Return the answer to a question about a place, from 0."""
        place = {
            "textDocument": {"uri": (self._folder / name).as_uri()},
            "position": {"line": line, "character": column},
        }
        return self.ask(f"textDocument/{method}", place)

    def ask(self, method: str, params: Any) -> Any:
        """Return the answer to a request."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._message()
            if message.get("id") == number and "method" not in message:
                return message.get("result")
            self._handle(message)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _handle(self, message: dict[str, Any]) -> None:
        if message.get("method") == "textDocument/publishDiagnostics":
            self._told[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message and "method" in message:
            asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
            settings = {"yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}}
            result = [settings.get(item.get("section")) for item in asked]
            self._send({"id": message["id"], "result": result})

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._process.stdin.flush()

    def _message(self) -> dict[str, Any]:
        head = self._until(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        while len(self._buffer) < length:
            self._fill()
        content, self._buffer = self._buffer[:length], self._buffer[length:]
        found: dict[str, Any] = json.loads(content)
        return found

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(end)
        return head

    def _fill(self) -> None:
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], _SECONDS)
        if not ready:
            raise TimeoutError(f"the language server said nothing for {_SECONDS} seconds, at {time.ctime()}")
        found = self._process.stdout.read1(65536)  # type: ignore[union-attr]
        if not found:
            raise EOFError("the language server has ended")
        self._buffer += found
