"""The examples, made ready in a folder of their own: what their comments tell the reader to make is made."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/lab.yaml"))


def copied(name: str, folder: Path) -> Path:
    """Return a copy of an example's folder, with a stand-in for the archive that the reader is told to save."""
    lab = Path(shutil.copytree(EXAMPLES / name, folder / name))
    if name == "image-archive":
        saved_image(lab / "base.tar.gz")
    return lab


def saved_image(path: Path) -> None:
    """Write what `docker save` would of an image without files: enough to be told from another file."""
    members = {
        "manifest.json": [{"Config": "config.json", "RepoTags": ["debian:latest"], "Layers": []}],
        "config.json": {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers"}},
    }
    with tarfile.open(path, "w:gz") as tar:
        for name, value in members.items():
            content = json.dumps(value).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
