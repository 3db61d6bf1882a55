"""The host that a lab lives on: its Docker engine, its command-line client, and labspec's own state folder."""

from __future__ import annotations

import os
import threading
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from labspec.host.docker import Docker
from labspec.host.state import StateFolder

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from labspec.host.journal import Journal
    from labspec.host.system import System

COMMAND_SECONDS = 1800
"""No call of the docker client lasts longer; builds and pulls are the long ones."""


class Host:
    """Where a lab is observed and applied. Opened without touching anything; each part is made when first used."""

    def __init__(self, docker: Docker | None = None, state: StateFolder | None = None) -> None:
        self.docker = docker or Docker()
        self.state = state or StateFolder()
        self._journals: dict[str, Journal] = {}

    def whales(self, compose_file: str | None = None, project: str | None = None) -> DockerClient:
        """Return the python-on-whales client for this engine, each call bounded to COMMAND_SECONDS.

        The user's COMPOSE_* variables are kept from it: they would change names, profiles and what is removed.
        """
        from python_on_whales import DockerClient

        unset = [f"--unset={name}" for name in sorted(os.environ) if name.startswith("COMPOSE_")]
        return DockerClient(
            context=self.docker.context or None,
            host=None if self.docker.context else self.docker.address,
            client_call=["env", *unset, "timeout", "--kill-after=10", str(COMMAND_SECONDS), "docker"],
            client_type="docker",
            compose_files=[compose_file] if compose_file else [],
            compose_project_name=project,
        )

    def get_ready(self) -> None:
        """Import what `whales` needs while the plan is read and the engine is busy: it takes as long as a plan."""
        threading.Thread(target=import_module, args=("python_on_whales",), daemon=True).start()

    @cached_property
    def system(self) -> System:
        """The machine itself: files, accounts, systemd."""
        from labspec.host.system import System

        return System()

    def journal(self, lab: str) -> Journal:
        """Return the journal of a lab: always the same one, whose lock keeps the steps that record apart."""
        from labspec.host.journal import Journal

        return self._journals.setdefault(lab, Journal(self.state, lab))

    @cached_property
    def local(self) -> bool:
        """Whether the engine shares this process's network namespace, so that its ports are this machine's ports."""
        from labspec.host.ports import shares_network

        return self.docker.socket_path is not None and shares_network(self.docker.socket_path)
