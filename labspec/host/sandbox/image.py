"""The image of a sandbox: built once for each engine and recipe, found again by a tag that digests the recipe."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError, Docker, filters, image_path, segment
from labspec.host.sandbox.client import Client, failure
from labspec.host.sandbox.objects import ENGINE_LABEL, IMAGE, LABEL

BUILD_SECONDS = 1800
PULL_SECONDS = 300
BOOTSTRAP_SECONDS = 900
PROBE_SECONDS = 60
REPOSITORY = "labspec-sandbox"
RECIPE = ("Dockerfile", "host-keys.conf", "init", "labspec", "setup", "sshd.conf")
_PACKAGE = Path(__file__).resolve().parent.parent.parent

Say = Callable[[str], None]


def codename(python: tuple[int, int] = sys.version_info[:2]) -> str:
    """Return the Debian whose Python takes the libraries of this one, so that labspec goes in without a network."""
    return "trixie" if python == (3, 13) else "bookworm"


def recipe() -> Path:
    """Return the folder of the image's recipe: the wheel has it inside the package, a checkout beside it."""
    folders = (_PACKAGE / "generators" / "sandbox", _PACKAGE.parent / "generators" / "sandbox")
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def tag(engine: str, debian: str, folder: Path | None = None) -> str:
    """Return the image's name and tag: another recipe, engine or Debian is another image."""
    folder = folder or recipe()
    digest = hashlib.sha256(f"{engine}\0{debian}".encode())
    for name in RECIPE:
        content = (folder / name).read_bytes()
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return f"{REPOSITORY}:{engine}-{digest.hexdigest()[:12]}"


def ensure_image(docker: Docker, client: Client, engine: str, say: Say) -> str:
    """Return the tag of the image with an engine, built if need be. Raises LabError where it cannot be."""
    debian = codename()
    wanted = tag(engine, debian)
    if docker.find(image_path(wanted)) is not None:
        return wanted
    base = _base(docker, client, debian, say)
    say(f"Building the sandbox image from {base}: once, about a minute")
    client.call(
        *("build", "--quiet", "--tag", wanted, "--label", f"{LABEL}={IMAGE}", "--label", f"{ENGINE_LABEL}={engine}"),
        *("--build-arg", f"BASE={base}", "--build-arg", f"ENGINE={engine}", str(recipe())),
        seconds=BUILD_SECONDS,
    )
    return wanted


def remove_images(docker: Docker) -> list[str]:
    """Remove every image of a sandbox, and the base that was made for it; return their tags.

    Raises LabError for one that a sandbox still uses.
    """
    listed = docker.get("/images/json", filters(label=[f"{LABEL}={IMAGE}"]))
    tags = sorted(name for entry in listed for name in entry.get("RepoTags") or ())
    for name in tags:
        try:
            docker.delete(f"/images/{segment(name)}")
        except ApiError as error:
            if error.status == 409:
                raise LabError(
                    f"the image {name} is used by a sandbox", hint="remove that one too: 'labspec sandbox list'"
                ) from error
            raise
    return tags


def _base(docker: Docker, client: Client, debian: str, say: Say) -> str:
    """Return an image of a Debian: one that is here, else pulled, else made from packages."""
    own = f"{REPOSITORY}-base:{debian}"
    for image in (f"debian:{debian}", f"debian:{debian}-slim", own, "debian:latest"):
        if docker.find(image_path(image)) and _codename_of(client, image) == debian:
            return image
    say(f"Pulling debian:{debian}")
    if client.ask("pull", "--quiet", f"debian:{debian}", seconds=PULL_SECONDS).returncode == 0:
        return f"debian:{debian}"
    if shutil.which("mmdebstrap") is None:
        raise LabError(
            f"there is no image debian:{debian}, and it cannot be pulled",
            hint="install mmdebstrap, and it is made from Debian's packages",
        )
    say("Making a Debian from packages, since none can be pulled")
    _bootstrap(client, debian, own)
    return own


def _codename_of(client: Client, image: str) -> str:
    said = client.ask(
        *("run", "--rm", "--network", "none", "--entrypoint", "cat", image, "/etc/os-release"), seconds=PROBE_SECONDS
    ).stdout
    fields = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return fields.get("VERSION_CODENAME", "").strip('"')


def _bootstrap(client: Client, debian: str, name: str) -> None:
    command = ["timeout", str(BOOTSTRAP_SECONDS), "mmdebstrap", "--quiet", "--variant=minbase", debian, "-"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as bootstrap:
        source = bootstrap.stdout
        assert source is not None  # noqa: S101  for the type checker: it is a pipe
        client.feed(
            lambda sink: shutil.copyfileobj(source, sink, 1024 * 1024),
            *("import", "--change", 'CMD ["bash"]', "--change", f"LABEL {LABEL}={IMAGE}", "-", name),
            seconds=BOOTSTRAP_SECONDS + PROBE_SECONDS,
        )
        complaint = bootstrap.stderr.read().decode(errors="replace") if bootstrap.stderr else ""
    if bootstrap.returncode:
        client.ask("rmi", name, seconds=PROBE_SECONDS)
        raise failure(("import",), complaint)
