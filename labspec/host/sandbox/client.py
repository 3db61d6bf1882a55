"""The docker client as a process with an argument list and a deadline; for what the Engine API makes long."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import IO

from labspec.core.diagnostic import LabError

LAST_LINES = 12


class Client:
    """The docker client for one engine."""

    def __init__(self, address: str) -> None:
        self._program = ("docker", "--host", address)

    def arguments(self, *arguments: str) -> list[str]:
        """Return the whole argument list of a call."""
        return [*self._program, *arguments]

    def ask(self, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """Return how a call ended and what it said. Raises LabError when it did not end in time."""
        try:
            return subprocess.run(
                self.arguments(*arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError as error:
            raise _no_client() from error
        except subprocess.TimeoutExpired as error:
            raise _too_long(arguments, seconds) from error

    def call(self, *arguments: str, seconds: float) -> str:
        """Return what a call printed. Raises LabError with its complaint when it failed."""
        done = self.ask(*arguments, seconds=seconds)
        if done.returncode:
            raise failure(arguments, done.stderr or done.stdout)
        return done.stdout

    def feed(self, write: Callable[[IO[bytes]], None], *arguments: str, seconds: float) -> str:
        """Return what a call printed whose standard input `write` fills. Raises LabError when it failed."""
        import threading

        try:
            process = subprocess.Popen(
                self.arguments(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except FileNotFoundError as error:
            raise _no_client() from error
        # A pipe that nobody empties has no deadline; a process that is killed has.
        late = threading.Timer(seconds, process.kill)
        late.start()
        broken = False
        try:
            with process:
                stdin = process.stdin
                assert stdin is not None  # noqa: S101  for the type checker: it is a pipe
                try:
                    write(stdin)
                    stdin.close()
                except BrokenPipeError:
                    broken = True
                assert process.stdout is not None  # noqa: S101
                said = process.stdout.read().decode(errors="replace")
        except BaseException:
            process.kill()
            raise
        finally:
            in_time = late.is_alive()
            late.cancel()
        if not in_time:
            raise _too_long(arguments, seconds)
        if process.returncode or broken:
            raise failure(arguments, said)
        return said

    def copy_image(self, image: str, container: str, *, seconds: float) -> None:
        """Stream an image of this engine into the engine of a sandbox. Raises LabError when either side fails."""
        import shutil

        with subprocess.Popen(
            self.arguments("save", image), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as save:
            source = save.stdout
            assert source is not None  # noqa: S101
            try:
                self.feed(
                    lambda sink: shutil.copyfileobj(source, sink, 1024 * 1024),
                    *("exec", "-i", container, "docker", "load", "--quiet"),
                    seconds=seconds,
                )
            except BaseException:
                save.kill()
                raise
            complaint = save.stderr.read().decode(errors="replace") if save.stderr else ""
        if save.returncode:
            raise failure(("save", image), complaint)


def failure(arguments: tuple[str, ...], said: str) -> LabError:
    """Return the error of a call that failed: what it was, and the end of what it said."""
    lines = [line.rstrip() for line in said.strip().splitlines() if line.strip()]
    end = "\n".join(lines[-LAST_LINES:]) or "it said nothing"
    return LabError(f"'docker {arguments[0]}' failed: {end}")


def _too_long(arguments: tuple[str, ...], seconds: float) -> LabError:
    return LabError(
        f"'docker {arguments[0]}' did not end within {seconds:g} s, so it was stopped",
        hint="is the Docker engine stopped or overloaded? 'labspec doctor' looks further",
    )


def _no_client() -> LabError:
    return LabError("the docker client is not installed", hint="apt-get install docker-cli or docker.io")
