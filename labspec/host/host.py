"""The host that a lab lives on: its Docker engine, its command-line client, and labspec's own state folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from labspec.host.docker import Docker
from labspec.host.endpoint import deadline
from labspec.host.state import StateFolder

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from labspec.host.journal import Journal
    from labspec.host.system import System

COMMAND_SECONDS = deadline("LABSPEC_COMMAND_SECONDS", 1800)
"""No call of the docker client lasts longer; builds and pulls are the long ones."""

# Arguments: a file to hold locked, the process that must still be there then, a command.
_LOCKED = 'exec 9>>"$1" && flock --shared --nonblock 9 && [ "$PPID" = "$2" ] && shift 2 && exec "$@"'


class Host:
    """Where a lab is observed and applied. Opened without touching anything; each part is made when first used."""

    def __init__(self, docker: Docker | None = None, state: StateFolder | None = None) -> None:
        self.docker = docker or Docker()
        self.state = state or StateFolder()
        self._journals: dict[str, Journal] = {}

    def whales(self, compose_file: str | None = None, project: str | None = None) -> DockerClient:
        """Return the python-on-whales client for this engine, each call bounded to COMMAND_SECONDS.

        With a compose file it is compose's: the docker client, which would only look for it, is left out where that is
        possible. The user's COMPOSE_* variables are kept from it: they would change names, profiles and what is
        removed. It holds the lab's lock for as long as it runs, even where this process is killed.
        """
        from python_on_whales import DockerClient

        from labspec.host.plugins import CALLED_BY, plugin

        unset = [f"--unset={name}" for name in sorted(os.environ) if name.startswith("COMPOSE_")]
        limit = ["timeout", "--kill-after=10", f"{COMMAND_SECONDS:g}"]
        found = plugin("compose") if compose_file else None
        program = [f"{CALLED_BY}=docker", *limit, found] if found else [*limit, "docker"]
        return DockerClient(
            context=self.docker.context or None,
            host=None if self.docker.context else self.docker.address,
            client_call=[*self._keeping_locked(), "env", *unset, *program],
            client_type="docker",
            compose_files=[compose_file] if compose_file else [],
            compose_project_name=project,
        )

    def build(self, arguments: Sequence[str]) -> Iterator[str]:
        """Yield the log of `docker buildx build` with these arguments, line by line; run as `whales` runs it.

        python-on-whales itself has neither --shm-size nor --ulimit, and one --ssh and --cache-to only. Raises
        DockerException where the build fails.
        """
        command = [*self.whales().client_config.docker_cmd, "buildx", "build", *arguments]
        # Not sooner: two threads that import a package and a part of it wait for each other.
        from python_on_whales.components.buildx.cli_wrapper import stream_buildx_logs

        return stream_buildx_logs(command)

    def _keeping_locked(self) -> list[str]:
        from shutil import which

        if self.state.programs is None or which("flock") is None:
            return []
        return ["sh", "-c", _LOCKED, "labspec", str(self.state.programs), str(os.getpid())]

    def get_ready(self) -> None:
        """Import what `whales` needs while the plan is read and the engine is busy: it takes as long as a plan."""
        threading.Thread(target=import_module, args=("python_on_whales",), daemon=True).start()

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
