"""The host that a lab lives on: its Docker engine, Docker's programs, the machine, and labspec's own state folder."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from labspec.host.docker import Docker
from labspec.host.state import StateFolder

if TYPE_CHECKING:
    from labspec.host.journal import Journal
    from labspec.host.system import System
    from labspec.host.whales import Whales


class Host:
    """Where a lab is observed and applied. Opened without touching anything; each part is made when first used."""

    def __init__(self, docker: Docker | None = None, state: StateFolder | None = None) -> None:
        self.docker = docker or Docker()
        self.state = state or StateFolder()
        self._journals: dict[str, Journal] = {}

    @cached_property
    def whales(self) -> Whales:
        """Docker's own programs, called by python-on-whales."""
        from labspec.host.whales import Whales

        return Whales(self.docker, self.state)

    @cached_property
    def system(self) -> System:
        """The machine itself: files, accounts, systemd."""
        from labspec.host.system import System

        return System(self.state)

    def journal(self, lab: str) -> Journal:
        """Return the journal of a lab: always the same one, whose lock keeps the steps that record apart."""
        from labspec.host.journal import Journal

        return self._journals.setdefault(lab, Journal(self.state, lab))

    @cached_property
    def local(self) -> bool:
        """Whether the engine shares this process's network namespace, so that its ports are this machine's ports."""
        from labspec.host.ports import shares_network

        return self.docker.socket_path is not None and shares_network(self.docker.socket_path)
