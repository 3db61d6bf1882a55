"""What labspec has Docker's own programs do, by python-on-whales: compose, builds, pulls, archives."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from labspec.host import calls
from labspec.host.endpoint import deadline

if TYPE_CHECKING:
    from labspec.host.docker import Docker
    from labspec.host.state import StateFolder

COMMAND_SECONDS = deadline("LABSPEC_COMMAND_SECONDS", 1800)
"""No call of the docker client lasts longer; builds and pulls are the long ones."""

# Arguments: a file to hold locked, the process that must still be there then, a command. The shell's parent is the one
# of python-on-whales, whose parent that process is.
_LOCKED = """
exec 9>>"$1" && flock --shared --nonblock 9 || exit
while read -r key value && [ "$key" != PPid: ]; do :; done <"/proc/$PPID/status"
[ "$value" = "$2" ] && shift 2 && exec "$@"
"""


class Whales:
    """The calls for an engine. Each is bounded to COMMAND_SECONDS, and raises calls.CallError where it fails.

    What is called holds the lab's lock for as long as it runs, even where this process is killed.
    """

    def __init__(self, docker: Docker, state: StateFolder) -> None:
        self._docker = docker
        self._state = state

    def get_ready(self) -> None:
        """Have python-on-whales imported while this process does something else."""
        calls.get_ready()

    def give_up(self) -> None:
        """Have it no longer imported: nothing is going to be called."""
        calls.give_up()

    def up(self, file: str, project: str, services: Sequence[str], *, anew: bool) -> Iterator[str]:
        """Run `docker compose up` for some services of a project, and yield what it says, line by line.

        `anew` makes containers anew that are there.
        """
        return calls.call(
            {**self.client(compose=True), "compose_files": [file], "compose_project_name": project},
            "compose.up",
            services=list(services),
            detach=True,
            dependencies=False,
            no_build=True,
            recreate=anew,
            force_recreate=anew,
            pull="never",
            color=False,
            stream_logs=True,
        )

    def build(self, arguments: Sequence[str]) -> Iterator[str]:
        """Run `docker buildx build` with these arguments, and yield its log, line by line."""
        return calls.call(self.client(), "build", arguments=list(arguments))

    def pull(self, reference: str) -> None:
        """Pull an image."""
        self._run("image.pull", x=reference, quiet=True)

    def load(self, archive: str) -> None:
        """Load the images of an archive of `docker save`."""
        self._run("image.load", input=archive, quiet=True)

    def import_rootfs(self, archive: str, tag: str, changes: Sequence[str]) -> None:
        """Make an image of an archive of files; `changes` are instructions of a Dockerfile."""
        self._run("image.import_", source=archive, tag=tag, changes=list(changes))

    def client(self, *, compose: bool = False) -> dict[str, Any]:
        """Return what DockerClient is made with.

        For `compose` the docker client, which would only look for it, is left out where that is possible. The user's
        COMPOSE_* variables are kept from it: they would change names, profiles and what is removed.
        """
        from labspec.host.plugins import CALLED_BY, plugin

        unset = [f"--unset={name}" for name in sorted(os.environ) if name.startswith("COMPOSE_")]
        limit = ["timeout", "--kill-after=10", f"{COMMAND_SECONDS:g}"]
        found = plugin("compose") if compose else None
        program = [f"{CALLED_BY}=docker", *limit, found] if found else [*limit, "docker"]
        context = self._docker.context
        return {
            "context": context or None,
            "host": None if context else self._docker.address,
            "client_call": [*self._keeping_locked(), "env", *unset, *program],
            "client_type": "docker",
        }

    def _run(self, method: str, **options: Any) -> None:
        for _ in calls.call(self.client(), method, **options):
            pass

    def _keeping_locked(self) -> list[str]:
        from shutil import which

        if self._state.programs is None or which("flock") is None:
            return []
        return ["sh", "-c", _LOCKED, "labspec", str(self._state.programs), str(os.getpid())]
