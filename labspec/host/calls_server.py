"""The process in which python-on-whales runs: reads calls, a line of JSON each, and answers with lines of JSON.

A program by itself (calls.py starts it): it imports nothing of labspec. Its arguments are the folders to import from.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from operator import attrgetter
from types import GeneratorType
from typing import Any


def main() -> None:
    """Serve calls, each in a thread, until there is nobody any more who could send one."""
    sys.path[:] = sys.argv[1:]
    # What the programs of a call read and print is not what is said here.
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    lock = threading.Lock()

    def say(**answer: Any) -> None:
        with lock:
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()

    def serve(number: int, **request: Any) -> None:
        try:
            for line in lines(**request):
                say(number=number, line=line)
            say(number=number, code=0, said="")
        except DockerException as error:
            say(number=number, code=error.return_code, said=error.stderr or "")
        except Exception as error:
            say(number=number, code=-1, said=str(error))

    from python_on_whales import DockerException  # before there is a call, which finds it ready

    for call in calls:
        threading.Thread(target=serve, kwargs=json.loads(call), daemon=True).start()
    os._exit(0)


def lines(client: dict[str, Any], method: str, options: dict[str, Any]) -> Iterator[str]:
    """Call a method of a DockerClient, and yield what it streams."""
    from python_on_whales import DockerClient
    from python_on_whales.components.buildx.cli_wrapper import stream_buildx_logs

    docker = DockerClient(**client)
    if method == "build":
        # Its own method has neither --shm-size nor --ulimit, and one --ssh and --cache-to only.
        command = [*docker.client_config.docker_cmd, "buildx", "build", *options["arguments"]]
        yield from stream_buildx_logs(command)
        return
    found = attrgetter(method)(docker)(**options)
    if isinstance(found, GeneratorType):
        yield from (line.decode(errors="replace") for _, line in found)


if __name__ == "__main__":
    main()
