"""Stands in for Portainer where it cannot be pulled: lists on port 9000 the containers that the socket shows."""

import html
import json
import socket
import sys
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SOCKET = sys.argv[sys.argv.index("-H") + 1].removeprefix("unix://") if "-H" in sys.argv else "/var/run/docker.sock"


class Engine(HTTPConnection):
    """The Engine API behind a unix socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(SOCKET)


class Page(BaseHTTPRequestHandler):
    """One page with a table of the running containers."""

    def do_GET(self):
        engine = Engine("docker", timeout=10)
        engine.request("GET", "/containers/json")
        containers = json.load(engine.getresponse())
        rows = "".join(
            f"<tr><td>{html.escape(c['Names'][0][1:])}<td>{html.escape(c['Image'])}<td>{html.escape(c['Status'])}"
            for c in containers
        )
        body = f"<!DOCTYPE html><title>Portainer</title><table><tr><th>name<th>image<th>status{rows}</table>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 9000), Page).serve_forever()
