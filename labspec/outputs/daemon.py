"""The daemon's settings as files: daemon.json with what the lab sets, and what it names, as they go to /etc/docker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from labspec.core.resource import Resource
from labspec.outputs.images import Artifact


def daemon_artifacts(resource: Resource) -> Iterator[Artifact]:
    """Yield daemon/daemon.json, and beside it the files of the lab that it names; nothing for the service."""
    settings = resource.desired.get("settings")
    if settings is None:
        return
    content = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    yield Artifact("daemon/daemon.json", content.encode())
    for path, text in resource.desired.get("files", {}).items():
        yield Artifact(f"daemon/{PurePosixPath(path).name}", text.encode())
