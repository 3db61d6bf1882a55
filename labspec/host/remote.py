"""Engines that are not behind a socket of this machine: over ssh, with TLS, or named by a docker context."""

from __future__ import annotations

import os
import shlex
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from labspec.core.diagnostic import LabError

_TLS_PORT = 2376
_END_SECONDS = 5


class Way(NamedTuple):
    """How an engine is reached: `address` as DOCKER_HOST would have it, and what TLS needs (None: no TLS)."""

    address: str
    tls: ssl.SSLContext | None = None


def of_environment(address: str) -> Way:
    """Return the way to an address, with the TLS that DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for."""
    if not os.environ.get("DOCKER_TLS_VERIFY") or not address.startswith("tcp:"):
        return Way(address)
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path("~/.docker").expanduser())
    return Way(address, _tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem", verify=True))


def of_context(name: str) -> Way:
    """Return the way to the engine of a docker context. Raises LabError where there is no such context."""
    # The docker SDK knows where contexts and their certificates are kept.
    from docker.context import ContextAPI
    from docker.errors import DockerException

    try:
        context: Any = ContextAPI.get_context(name)
    except (DockerException, OSError, ValueError, KeyError) as error:
        raise LabError(f"the docker context '{name}' cannot be read: {error}") from error
    if context is None:
        raise LabError(f"there is no docker context '{name}'", hint="'docker context ls' shows those that there are")
    tls = context.TLSConfig
    if not tls:
        return Way(context.Host)
    certificate, key = tls.cert or (None, None)
    return Way(context.Host, _tls(tls.ca_cert, certificate, key, verify=tls.verify is not False))


def dial(way: Way, timeout: float) -> socket.socket:
    """Return a socket to an engine over TCP, TLS or ssh. Raises OSError."""
    parts = urlsplit(way.address)
    if parts.scheme == "ssh":
        return _Tunnel.to(parts, timeout)
    made = socket.create_connection((parts.hostname or "", parts.port or (_TLS_PORT if way.tls else 2375)), timeout)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return way.tls.wrap_socket(made, server_hostname=parts.hostname) if way.tls else made


class _Tunnel(socket.socket):
    """A socket whose other end is an ssh that leads to the engine, as the docker client does it."""

    process: subprocess.Popen[bytes]

    @classmethod
    def to(cls, parts: SplitResult, timeout: float) -> _Tunnel:
        """Return a tunnel to ssh://[user@]host[:port][/path of the socket]."""
        ours, theirs = socket.socketpair()
        engine = f" --host {shlex.quote(f'unix://{parts.path}')}" if parts.path not in ("", "/") else ""
        options = ["-o", "ConnectTimeout=30", "-T"]
        options += ["-l", parts.username] if parts.username else []
        options += ["-p", str(parts.port)] if parts.port else []
        command = ["ssh", *options, "--", parts.hostname or "", f"docker{engine} system dial-stdio"]
        with theirs:
            # What ssh says is for the user. A session of its own: Ctrl-C is not meant for it.
            process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno(), start_new_session=True)
        made = cls(fileno=ours.detach())
        made.process = process
        made.settimeout(timeout)
        return made

    def close(self) -> None:
        """Close it, and end ssh."""
        super().close()
        self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _tls(authority: Any, certificate: Any, key: Any, *, verify: bool) -> ssl.SSLContext:
    try:
        made = ssl.create_default_context(cafile=authority)
        if certificate:
            made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise LabError(
            f"the certificates for the Docker engine cannot be read: {error.strerror or error}",
            hint="see DOCKER_CERT_PATH, or 'docker context inspect'",
        ) from error
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
