"""What an engine says when it refuses a container, in plain words and with what to try."""

from __future__ import annotations

from labspec.core.diagnostic import LabError


def explained(message: str, what: str) -> LabError:
    """Return an engine's refusal in plain words: `what` is what it is about."""
    message = " ".join(message.removeprefix("Error response from daemon: ").split())
    lower = message.lower()
    for sign, words, hint in _PLAIN:
        if sign in lower:
            return LabError(f"{what}: {words}: {message}", hint=hint)
    return LabError(f"{what}: {message}")


_PLAIN = (
    (
        "port is already allocated",
        "a port that it publishes is taken by another container",
        "publish another port, or stop that container ('docker ps' shows who publishes what)",
    ),
    (
        "address already in use",
        "an address or port that it wants is taken",
        "publish another port, or stop the program that has it ('ss -ltnp' shows it)",
    ),
    (
        "is already in use by container",
        "another container has its name",
        "give the service another 'container_name', or remove the other container",
    ),
    ("no such image", "the image is not on this host", "pull or build the image, or correct its name"),
    ("executable file not found", "its command is not in the image", "correct 'command' or 'entrypoint'"),
    ("no such file or directory", "a file that it needs is missing", "correct the path"),
    ("bind source path does not exist", "a folder to mount is missing", "make it, or correct the path in 'volumes'"),
    ("not a directory", "a file is mounted on a folder, or a folder on a file", "correct the path in 'volumes'"),
    ("mounts denied", "Docker may not mount this folder", "share the folder with Docker, or mount another one"),
    ("permission denied", "permission denied", "check the rights of what it runs and mounts"),
    ("no space left", "the disk is full", "make room ('docker system df' shows what Docker holds)"),
    ("cannot join network of", "it shares the network of a container that does not run", "see why that one stopped"),
    ("user specified ip address is supported", "a fixed address needs a network with a subnet", "give it 'subnets'"),
    ("no configured subnet", "its address is in no subnet of the network", "choose an address of the network"),
    ("conflict", "Docker says that two settings exclude each other", "remove one of them"),
)
"""(what the engine's message has, in plain words, what to try)"""
