"""A unit as the file that systemd reads."""

from __future__ import annotations

from collections.abc import Iterator

from labspec.core.resource import Resource
from labspec.kinds.unit.names import FOLDER
from labspec.outputs.images import Artifact


def unit_artifacts(resource: Resource) -> Iterator[Artifact]:
    """Yield units/NAME, or units/NAME.d/DROPIN.conf; without the remark that makes it labspec's on a host."""
    path = resource.options["path"]
    if path:
        _, _, text = resource.options["text"].partition("\n")
        yield Artifact(f"units/{path.removeprefix(f'{FOLDER}/')}", text.encode())
