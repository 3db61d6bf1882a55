"""Making a sandbox, waiting until it is a host, and removing it with everything that was made for it."""

from __future__ import annotations

import tarfile
import time
import uuid
from collections.abc import Callable
from io import BytesIO
from typing import IO

from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError, Docker, filters, image_path, segment
from labspec.host.sandbox import capabilities, software
from labspec.host.sandbox.client import LAST_LINES, Client, failure
from labspec.host.sandbox.image import ensure_image
from labspec.host.sandbox.objects import LABEL, RUN_LABEL, Sandbox, find, running, volume_name
from labspec.host.sandbox.wish import Wish, run_arguments

CREATE_SECONDS = 120
BOOT_SECONDS = 90
PROBE_SECONDS = 15
IMAGE_SECONDS = 600
REMOVE_SECONDS = 120
BETWEEN_PROBES = 0.3
DEFAULT_IMAGE = "debian:latest"

Say = Callable[[str], None]


def up(docker: Docker, wish: Wish, say: Say) -> tuple[Sandbox, bool]:
    """Return a sandbox that runs, and whether it was made: one of that name is started if need be, and left as it is.

    Raises LabError when it cannot be made; then nothing of it is left behind.
    """
    client = Client(docker.address)
    found = find(docker, wish.name)
    if found is not None:
        _start_again(docker, client, found, say)
        return running(docker, wish.name), False
    images = _images(docker, wish)
    image = ensure_image(docker, client, wish.engine, say)
    say(f"Starting sandbox {wish.name}")
    container = _create(docker, client, wish, image)
    try:
        _ready(client, container, say)
        _put_key(client, container, wish.ssh_key)
        software.install(client, container)
        for name in images:
            say(f"Handing in {name}")
            client.copy_image(name, container, seconds=IMAGE_SECONDS)
        return running(docker, wish.name), True
    except BaseException:
        _remove(docker, client, wish.name, container)
        raise


def down(docker: Docker, sandbox: Sandbox) -> None:
    """Remove a sandbox: its container, with all that ran in it, and its volume."""
    _remove(docker, Client(docker.address), sandbox.name, sandbox.id)


def _images(docker: Docker, wish: Wish) -> tuple[str, ...]:
    """Return the images to hand in. Raises LabError for one that the outer engine does not have."""
    if wish.images is None:
        return (DEFAULT_IMAGE,) if docker.find(image_path(DEFAULT_IMAGE)) else ()
    for image in wish.images:
        if docker.find(image_path(image)) is None:
            raise LabError(f"--image {image}: this Docker engine has no such image", hint=f"docker pull {image}")
    return wish.images


def _create(docker: Docker, client: Client, wish: Wish, image: str) -> str:
    """Return the id of a new container. Docker's refusal of a taken name is what keeps two calls apart."""
    complaint = ""
    for powers in capabilities.privileges(capabilities.of_this_machine()):
        run = uuid.uuid4().hex
        try:
            done = client.ask(*run_arguments(wish, image, powers, run), seconds=CREATE_SECONDS)
        except BaseException:
            _remove_run(docker, client, wish.name, run)
            raise
        if not done.returncode:
            return done.stdout.strip()
        # One that was made but could not be started.
        _remove_run(docker, client, wish.name, run)
        complaint = done.stderr
        if "is already in use by container" in complaint:
            raise LabError(f"another labspec is making the sandbox '{wish.name}'", hint="try again in a moment")
    if "already in use" in complaint or "already allocated" in complaint:
        raise LabError(
            f"a port for the sandbox '{wish.name}' is taken: {', '.join(wish.ports)}",
            hint="lead another port of this machine there: -p PORT:SANDBOX",
        )
    raise failure(("run",), complaint)


def _remove_run(docker: Docker, client: Client, name: str, run: str) -> None:
    """Remove the container that one `docker run` made, if it did."""
    for entry in docker.get("/containers/json", {"all": "1", **filters(label=[f"{RUN_LABEL}={run}"])}):
        _remove(docker, client, name, entry["Id"])


def _start_again(docker: Docker, client: Client, sandbox: Sandbox, say: Say) -> None:
    if not sandbox.running:
        say(f"Starting sandbox {sandbox.name}")
        try:
            docker.post(f"/containers/{sandbox.id}/start")
        except ApiError as error:
            raise LabError(
                f"sandbox '{sandbox.name}' does not start: {error.message}",
                hint=f"make it anew: labspec sandbox down {sandbox.name}",
            ) from error
    _ready(client, sandbox.id, say)
    software.install(client, sandbox.id)


def _ready(client: Client, container: str, say: Say) -> None:
    """Wait until systemd has started everything and the inner engine answers."""
    say("Waiting for systemd and Docker")
    end = time.monotonic() + BOOT_SECONDS
    state = "nothing"
    while time.monotonic() < end:
        done = client.ask("exec", container, "systemctl", "is-system-running", seconds=PROBE_SECONDS)
        state = done.stdout.strip() or done.stderr.strip() or state
        if state in ("running", "degraded") and _docker_answers(client, container):
            return
        if "is not running" in done.stderr:
            state = "nothing, its first process has ended"
            break
        time.sleep(BETWEEN_PROBES)
    said = _last_words(client, container)
    raise LabError(
        f"the sandbox did not become a host within {BOOT_SECONDS} s: systemd says {state}{said}",
        hint="is the machine short of memory or disk, or its kernel without overlay and iptables?",
    )


def _last_words(client: Client, container: str) -> str:
    """Return the last warnings of a sandbox's journal, or what its first process said, after a line end."""
    count = str(LAST_LINES)
    journal = ("exec", container, "journalctl", "--no-pager", "-n", count, "-o", "cat", "-p", "warning")
    for asked in (journal, ("logs", "--tail", count, container)):
        done = client.ask(*asked, seconds=PROBE_SECONDS)
        if done.returncode == 0 and (said := (done.stdout + done.stderr).strip()):
            return f"\nThe end of its journal:\n{said}"
    return ""


def _docker_answers(client: Client, container: str) -> bool:
    asked = ("exec", container, "docker", "version", "--format", "{{.Server.Version}}")
    return client.ask(*asked, seconds=PROBE_SECONDS).returncode == 0


def _put_key(client: Client, container: str, key: str | None) -> None:
    if key is None:
        return
    content = key.strip().encode() + b"\n"
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        folder = tarfile.TarInfo(".ssh")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(folder)
        file = tarfile.TarInfo(".ssh/authorized_keys")
        file.size, file.mode = len(content), 0o600
        tar.addfile(file, BytesIO(content))

    def write(sink: IO[bytes]) -> None:
        sink.write(archive.getvalue())

    client.feed(write, "cp", "-", f"{container}:/root", seconds=PROBE_SECONDS)


def _remove(docker: Docker, client: Client, name: str, container: str) -> None:
    done = client.ask("rm", "--force", "--volumes", container, seconds=REMOVE_SECONDS)
    if done.returncode and "No such container" not in done.stderr:
        raise failure(("rm",), done.stderr)
    volume = docker.find(f"/volumes/{segment(volume_name(name))}")
    if volume is None or (volume.get("Labels") or {}).get(LABEL) != name:
        return
    try:
        docker.delete(f"/volumes/{segment(volume_name(name))}")
    except ApiError as error:
        if error.status != 404:
            raise LabError(f"the volume {volume_name(name)} of the sandbox stays: {error.message}") from error
