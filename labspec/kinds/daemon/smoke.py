"""A container run to see whether the daemon can run any: some settings let it start and every container fail.

The image is empty, so that none has to be there; that its command cannot be found is said only after the daemon has
made the log, the runtime the namespaces, limits and filters, and so all of them have worked.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from labspec.host.docker import ApiError, Docker, segment

if TYPE_CHECKING:
    from labspec.host.system import System

SECONDS = 60
_COMMAND = "labspec-smoke"
_NOT_FOUND = "executable file not found"


def run_a_container(docker: Docker, system: System) -> str | None:
    """Return None where a container runs as far as its command, else what stopped it. Leaves nothing behind.

    Raises LabError where the daemon does not take an image.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    command = ["docker", "--host", docker.address, "import", "--change", f'CMD ["{_COMMAND}"]', "-"]
    image = system.run(command, seconds=SECONDS, stdin=archive.getvalue()).stdout.strip()
    try:
        return _run(docker, image)
    finally:
        docker.delete(f"/images/{segment(image)}", {"force": 1})


def _run(docker: Docker, image: str) -> str | None:
    try:
        made = docker.post("/containers/create", {"Image": image, "HostConfig": {"NetworkMode": "none"}})
    except ApiError as error:
        return error.message
    try:
        docker.post(f"/containers/{made['Id']}/start")
    except ApiError as error:
        return None if _NOT_FOUND in error.message else error.message
    finally:
        docker.delete(f"/containers/{made['Id']}", {"force": 1, "v": 1})
    return None
