"""A machine's .nspawn file, for /etc/systemd/nspawn."""

from __future__ import annotations

from collections.abc import Iterator

from labspec.core.resource import Resource
from labspec.kinds.machine.settings import settings_text
from labspec.outputs.images import Artifact


def machine_artifacts(resource: Resource) -> Iterator[Artifact]:
    """Yield machines/MACHINE.nspawn."""
    yield Artifact(f"machines/{resource.name}.nspawn", settings_text(resource.desired["settings"]).encode())
