"""A container run to see whether the daemon can run any: some settings let it start and every container fail.

The image is empty, so that none has to be there; that its command cannot be found is said only after the daemon has
made the log, the runtime the namespaces, limits and filters, and so all of them have worked.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from labspec.host.docker import ApiError, Docker, filters, segment

if TYPE_CHECKING:
    from labspec.host.system import System

SECONDS = 60
LABEL = "io.labspec.smoke"
"""What is made has it, with whose it is, so that the next labspec finds what a killed one has left."""
_COMMAND = "labspec-smoke"
_NOT_FOUND = "executable file not found"


def run_a_container(docker: Docker, system: System, owner: str) -> str | None:
    """Return None where a container runs as far as its command, else what stopped it. Leaves nothing behind.

    Where it is killed, `sweep` removes what there is of the same `owner`, a lab.

    Raises LabError where the daemon does not take an image.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    changes = ["--change", f'CMD ["{_COMMAND}"]', "--change", f"LABEL {LABEL}={owner}"]
    command = ["docker", "--host", docker.address, "import", *changes, "-"]
    try:
        return _run(docker, system.run(command, seconds=SECONDS, stdin=archive.getvalue()).stdout.strip())
    finally:
        sweep(docker, owner)


def sweep(docker: Docker, owner: str) -> None:
    """Remove the containers and images that were made to see whether one runs."""
    made = {"all": 1, **filters(label=[f"{LABEL}={owner}"])}
    for container in docker.get("/containers/json", made):
        docker.delete(f"/containers/{container['Id']}", {"force": 1, "v": 1})
    for image in docker.get("/images/json", made):
        docker.delete(f"/images/{segment(image['Id'])}", {"force": 1})


def _run(docker: Docker, image: str) -> str | None:
    try:
        made = docker.post("/containers/create", {"Image": image, "HostConfig": {"NetworkMode": "none"}})
        docker.post(f"/containers/{made['Id']}/start")
    except ApiError as error:
        return None if _NOT_FOUND in error.message else error.message
    return None
