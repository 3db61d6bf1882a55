"""What a look at a host begins with, sent before all that reads the answers is imported."""

from __future__ import annotations

from typing import Any

from labspec.core.diagnostic import LabError
from labspec.core.resource import LAB_LABEL, Lab
from labspec.host.docker import Docker, filters, inspect_path

_LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "network": ("/networks", {}),
    "volume": ("/volumes", {}),
    "image": ("/images/json", {}),
    "service": ("/containers/json", {"all": 1}),
}
"""What each kind begins with; the first is answered soon."""

IN_ENGINE = frozenset(_LISTS)
"""The kinds whose objects the engine lists."""


def lists(lab: str, kinds: frozenset[str] = IN_ENGINE) -> list[tuple[str, dict[str, Any]]]:
    """Return the (path, query) of the lists of a lab's objects: the engine looks for all of them at once."""
    label = filters(label=[f"{LAB_LABEL}={lab}"])
    return [(path, {**query, **label}) for kind, (path, query) in _LISTS.items() if kind in kinds]


def expect(lab: Lab, docker: Docker) -> None:
    """Have the engine begin with what `observe` will ask for. Raises LabError where it does not answer in time."""
    if docker.socket_path is None:
        return
    names = [resource.name for resource in lab.resources if resource.kind == "service"]
    try:
        docker.expect(lists(lab.name), [inspect_path(name) for name in names])
    except LabError as error:
        if isinstance(error.__cause__, TimeoutError):
            raise
        # Whoever asks again is told, unless nothing of the lab needs it.
