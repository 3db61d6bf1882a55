"""Which TCP and UDP ports of this machine are taken, read from /proc/net (proc(5))."""

from __future__ import annotations

import errno
import socket
import struct
from pathlib import Path

_TABLES = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}
_LISTENING = {"tcp": "0A", "udp": "07"}


def taken_ports(protocol: str) -> set[int]:
    """Return the local port numbers on which something listens, for 'tcp' or 'udp', whatever the address."""
    ports = set()
    for table in _TABLES.get(protocol, ()):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == _LISTENING[protocol]:
                ports.add(int(columns[1].rpartition(":")[2], 16))
    return ports


def bindable(address: str, port: int, protocol: str) -> bool:
    """Return whether a listener on an address ('' for all of IPv4) and port finds it free, or cannot tell."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        try:
            if protocol == "tcp":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def shares_network(socket_path: str) -> bool:
    """Return whether the process that listens on a unix socket is in this process's network namespace."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.settimeout(5)
            probe.connect(socket_path)
            raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            owner = struct.unpack("3i", raw)[0]
            return Path(f"/proc/{owner}/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
        except OSError:
            return False
