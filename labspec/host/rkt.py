"""rkt on the host: which pods there are, what its store has, how a pod is stopped and removed (rkt 1.29)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.host.system import System

STOP_SECONDS = 10
UNKNOWN = "no matches found"
"""What rkt says of a pod that it does not have, with exit code 254."""
STAGE1_FOLDERS = ("/usr/lib/rkt/stage1-images", "/usr/libexec/rkt/stage1-images", "/usr/local/lib/rkt/stage1-images")
"""Where rkt's packages put the images of stage 1."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod with one app, as `rkt list` has it."""

    uuid: str
    running: bool
    created: int
    labels: dict[str, str]
    annotations: dict[str, str]


def installed() -> bool:
    """Return whether this host has rkt."""
    return shutil.which("rkt") is not None


def pods(system: System) -> list[Pod]:
    """Return the pods with one app. Raises LabError where rkt does not answer."""
    answer = _json(system.run(["rkt", "list", "--format=json"]).stdout)
    return list(_pods(answer))


def stored(system: System) -> set[str]:
    """Return the names, with versions, of the images in rkt's store."""
    return {str(image.get("name")) for image in _json(system.run(["rkt", "image", "list", "--format=json"]).stdout)}


def stage1_file(name: str) -> str | None:
    """Return the file of a stage 1 image (coreos.com/rkt/stage1-fly:1.29.0) that came with rkt, or None."""
    plain = name.rpartition("/")[2].partition(":")[0]
    for folder in STAGE1_FOLDERS:
        path = Path(folder, f"{plain}.aci")
        if path.is_file():
            return str(path)
    return None


def remove_pod(system: System, uuid: str) -> None:
    """Stop and remove one pod; one that is gone already is fine. `rkt gc` would take everybody's pods along."""
    if not _ended(system, uuid):
        system.run(["rkt", "stop", "--force", uuid], accepted=(0, 254))
        _ended(system, uuid)
    done = system.run(["rkt", "rm", uuid], accepted=(0, 254))
    said = done.stdout + done.stderr
    if done.returncode and UNKNOWN not in said:
        raise LabError(
            f"pod {uuid} cannot be removed: {said.strip().splitlines()[0] if said.strip() else 'rkt failed'}"
        )


def _ended(system: System, uuid: str) -> bool:
    """Wait a little for a pod to end; return whether it has ended, or is unknown."""
    done = system.run(["rkt", "status", f"--wait={STOP_SECONDS}s", uuid], accepted=(0, 254), seconds=STOP_SECONDS + 30)
    return done.returncode != 0 or "state=running" not in done.stdout.splitlines()


def _json(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text or "null")
    except ValueError as error:
        raise LabError("rkt's answer cannot be read", hint="'rkt list --format=json' says more") from error
    return [item for item in found or () if isinstance(item, dict)]


def _pods(answer: list[dict[str, Any]]) -> Iterator[Pod]:
    for pod in answer:
        apps: list[dict[str, Any]] = pod.get("apps") or []
        if len(apps) == 1:
            yield Pod(
                uuid=str(pod["name"]),
                running=pod.get("state") == "running",
                created=int(apps[0].get("created_at") or 0),
                labels=dict(apps[0].get("user_labels") or {}),
                annotations=dict(apps[0].get("user_annotations") or {}),
            )
