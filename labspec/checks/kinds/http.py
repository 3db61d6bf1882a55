"""http: an answer of a web server, asked from this host or from the network of something of the lab."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labspec.checks.dialling import connected, dialled, from_there, host_of, port_of, publishers
from labspec.checks.keys import FLAG, HEADERS, LINE, MATCH, MATCHES, PLACE, URL, Key
from labspec.checks.kind import Finding, Kind, NotThereError, What, judged

if TYPE_CHECKING:
    import socket

    from labspec.checks.view import View
    from labspec.core.resource import Resource

MOST_BYTES = 1024 * 1024
GOOD = {"less": 400}

KEYS = (
    Key("url", URL, "What is asked for; service.NAME may stand for the host.", required=True, secret=False),
    Key("in", PLACE, "From whose network it is asked; host where it is not given.", secret=False),
    Key("method", LINE, "The method; `GET` where it is not given.", secret=False),
    Key("headers", HEADERS, "Headers to send.", secret=False),
    Key("data", LINE, "The body to send.", secret=False),
    Key("insecure", FLAG, "Take any certificate of the server's.", secret=False),
    Key("status", MATCH, "The status of the answer; less than 400 where it is not given."),
    Key("body", MATCH, "The body of the answer, as text."),
    Key("header", MATCHES, "Headers of the answer, by name."),
)


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield what of the answer is not as it should be."""
    parts = urlsplit(what["url"])
    port = port_of(what["url"])
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = dialled(host_of(what["url"]), what["in"], view)
    try:
        status, headers, body = from_there(
            what["in"],
            view,
            lambda: _asked(what, host, port, target, parts.scheme == "https", view.timeout),
        )
    except (OSError, http.client.HTTPException) as error:
        raise NotThereError(what["url"], "an answer", _said(error)) from error
    yield from judged("status", what.get("status", GOOD), status)
    for name, matcher in (what.get("header") or {}).items():
        yield from judged(f"header {name}", matcher, headers.get(name.lower()))
    if "body" in what:
        yield from judged("body", what["body"], body)


def _asked(
    what: What, host: str, port: int, target: str, secure: bool, seconds: float
) -> tuple[int, dict[str, str], str]:
    ends = time.monotonic() + seconds
    name = urlsplit(what["url"]).netloc.rpartition("@")[2]
    with connected(host, port, seconds) as plain:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
        connection.sock = _secured(plain, host, verify=not what.get("insecure")) if secure else plain
        data = what["data"].encode() if "data" in what else None
        headers = {"Host": name, "User-Agent": "labspec", "Connection": "close", **(what.get("headers") or {})}
        connection.request(what.get("method", "GET"), target, body=data, headers=headers)
        answer = connection.getresponse()
        body = b""
        while len(body) < MOST_BYTES and (part := answer.read(65536)):
            body += part
            if time.monotonic() > ends:
                raise TimeoutError(f"no whole answer within {seconds:g} s")
        connection.close()
    found = {key.lower(): value for key, value in answer.getheaders()}
    return answer.status, found, body.decode(errors="replace")


def _secured(plain: socket.socket, host: str, *, verify: bool) -> socket.socket:
    import ssl

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def related(what: What, resources: Iterable[Resource]) -> Iterable[str]:
    """Return what publishes the port on this host, where this host is asked."""
    return publishers(host_of(what["url"]), port_of(what["url"]), what["in"], resources)


KIND = Kind("http", "An answer of a web server.", KEYS, look, related, ("ports", "command", "entrypoint"))
