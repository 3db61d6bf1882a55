"""What a sandbox should be, checked, and the arguments of `docker run` that make it so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.host.sandbox.objects import (
    ENGINE_LABEL,
    ENGINES,
    LABEL,
    RUN_LABEL,
    check_name,
    container_name,
    volume_name,
)

_PORT = re.compile(
    r"(?:(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}):)?(?P<outer>[0-9]{1,5}):(?P<inner>[0-9]{1,5})(?:/(?P<kind>tcp|udp))?"
)
_IMAGE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._/:@-]{0,254}")
_CPUS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")
_MEMORY = re.compile(r"[0-9]{1,12}[bkmgBKMG]?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sandbox should be, checked."""

    name: str
    engine: str = "trixie"
    ports: tuple[str, ...] = ()
    images: tuple[str, ...] | None = None
    """Images of the outer engine to hand in; None: DEFAULT_IMAGE, if it is there."""
    cpus: str | None = None
    memory: str | None = None
    ssh_key: str | None = None
    """A public key that may log in as root."""

    def __post_init__(self) -> None:
        check_name(self.name)
        port_options(self.ports)
        if self.engine not in ENGINES:
            near = did_you_mean(self.engine, ENGINES) or f"there are {' and '.join(ENGINES)}"
            raise LabError(f"there is no engine '{self.engine}' for a sandbox", hint=near)
        for image in self.images or ():
            if not _IMAGE.fullmatch(image):
                raise LabError(f"--image {image!r}: that is no name of an image", hint="for example debian:latest")
        for option, value, form, example in (
            ("--cpus", self.cpus, _CPUS, "1.5"),
            ("--memory", self.memory, _MEMORY, "2g"),
        ):
            if value is not None and not form.fullmatch(value):
                raise LabError(f"{option} {value!r}: that is no amount", hint=f"for example {option} {example}")


def port_options(ports: Iterable[str]) -> list[str]:
    """Return the options of `docker run` for ports as 8080:80 or 0.0.0.0:8080:80/udp; alone, they are for localhost."""
    options = []
    for port in ports:
        parts = _PORT.fullmatch(port)
        numbers = [int(parts["outer"]), int(parts["inner"])] if parts else []
        address = (parts and parts["address"]) or "127.0.0.1"
        if parts is None or not all(0 < number < 65536 for number in numbers) or not _is_address(address):
            raise LabError(
                f"-p {port}: a port is given as HOST:SANDBOX",
                hint="for example -p 8080:80, for all of the network -p 0.0.0.0:8080:80",
            )
        options += ["--publish", f"{address}:{numbers[0]}:{numbers[1]}/{parts['kind'] or 'tcp'}"]
    return options


def run_arguments(wish: Wish, image: str, powers: tuple[str, ...], run: str) -> list[str]:
    """Return the arguments of `docker` that make and start a sandbox; `run` tells this call from all others."""
    volume = f"type=volume,src={volume_name(wish.name)},dst=/var/lib/docker,volume-label={LABEL}={wish.name}"
    limits = [
        *(("--cpus", wish.cpus) if wish.cpus else ()),
        *(("--memory", wish.memory) if wish.memory else ()),
    ]
    return [
        *("run", "--detach", "--pull", "never", "--name", container_name(wish.name), "--hostname", wish.name),
        *("--label", f"{LABEL}={wish.name}", "--label", f"{ENGINE_LABEL}={wish.engine}"),
        *("--label", f"{RUN_LABEL}={run}"),
        *("--tmpfs", "/run:exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"),  # noqa: S108  in the sandbox
        *("--mount", volume, "--cgroupns", "private"),
        *powers,
        *port_options(wish.ports),
        *limits,
        image,
    ]


def _is_address(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))
