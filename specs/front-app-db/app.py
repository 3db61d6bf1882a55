"""Counts visits in redis, over a plain socket: a line goes out, a line comes back."""

import http.server
import os
import socket

DB = (os.environ["DB"], 6379)


def ask(command: str) -> str:
    """Return redis' answer to a command, without the sign that tells its type."""
    with socket.create_connection(DB, timeout=2) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.makefile().readline().strip()[1:]


class Visits(http.server.BaseHTTPRequestHandler):
    """Answers every path with the number of visits, but /health, which counts none."""

    def do_GET(self) -> None:
        answer = ask("PING") if self.path == "/health" else f"visits: {ask('INCR visits')}"
        body = f"{answer}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


http.server.ThreadingHTTPServer(("", 8000), Visits).serve_forever()
