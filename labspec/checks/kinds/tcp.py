"""tcp: whether somebody listens on a port, asked from this host or from the network of something of the lab."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from labspec.checks.dialling import LOOPBACK, connected, dialled, from_there, publishers
from labspec.checks.keys import FLAG, LINE, PLACE, PORT, Key
from labspec.checks.kind import Finding, Kind, What

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.core.resource import Resource

KEYS = (
    Key("port", PORT, "The port.", required=True, secret=False),
    Key("host", LINE, "A name or address, or service.NAME; 127.0.0.1 where it is not given.", secret=False),
    Key("in", PLACE, "From whose network it is asked; host where it is not given.", secret=False),
    Key("open", FLAG, "Whether somebody is to listen there; true where it is not given."),
)
LOCAL = "127.0.0.1"
OPEN = "open"
HANGS_UP = "it hangs up at once"
"""Docker's proxy takes a connection to this host before it looks for somebody behind it: neither open nor closed."""
_HANG_UP_SECONDS = 0.2


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield whether the port is not as it should be."""
    host, port = what.get("host", LOCAL), what["port"]
    wanted = what.get("open", True)
    there = dialled(host, what["in"], view)
    seen = from_there(what["in"], view, lambda: _state(there, port, view.timeout))
    good = seen == OPEN if wanted else seen not in (OPEN, HANGS_UP)
    if not good:
        yield Finding(f"{host}:{port}", "open" if wanted else "closed", seen)


def _state(host: str, port: int, seconds: float) -> str:
    try:
        with connected(host, port, seconds) as made:
            return OPEN if host not in LOOPBACK or _stays(made) else HANGS_UP
    except TimeoutError:
        return "no answer"
    except ConnectionRefusedError:
        return "closed"
    except OSError as error:
        return error.strerror or "closed"


def _stays(made: socket.socket) -> bool:
    """Return whether the other side keeps a connection."""
    made.settimeout(_HANG_UP_SECONDS)
    try:
        return made.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def related(what: What, resources: Iterable[Resource]) -> Iterable[str]:
    """Return what publishes the port on this host, where this host is asked."""
    return publishers(what.get("host", LOCAL), what["port"], what["in"], resources)


KIND = Kind("tcp", "Whether somebody listens on a port.", KEYS, look, related, ("ports", "networks", "command"))
