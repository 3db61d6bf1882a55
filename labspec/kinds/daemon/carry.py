"""What moves with the engine's data: the images that the lab starts from, taken along to a data root that has none.

With userns-remap or another data-root Docker begins anew, and where no registry can be reached nothing could be built
or run there. So these images are kept in files of the lab's state folder, and loaded once Docker is at its new place.
On the way back they go again, and with them Docker's folder there, if it was not there before and nothing is in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.host.docker import ApiError, image_path, segment
from labspec.host.rootfs import remove_tree
from labspec.kinds.daemon.record import ADDRESS

if TYPE_CHECKING:
    from labspec.host.host import Host

FOLDER = "images"
SECONDS = 1800.0
DATA_ROOT = "/var/lib/docker"
_OWN_NETWORKS = frozenset({"bridge", "host", "none"})


def bases(lab: Lab) -> tuple[str, ...]:
    """Return the images that the lab uses and does not make: what its own start from, what its containers run.

    One that is named by its digest is not among them: Docker forgets that name when it saves an image.
    """
    from labspec.kinds.image.names import normal_tag, valid_tag

    images = (resource for resource in lab.resources if resource.kind == "image")
    own = {resource.name for resource in images if not resource.options.get("external")}
    return tuple(sorted({tag for tag in map(normal_tag, _used(lab)) if valid_tag(tag)} - own))


def _used(lab: Lab) -> Iterator[str]:
    from labspec.kinds.image.parse import instructions, outside_images

    for resource in lab.resources:
        wanted, options = resource.desired, resource.options
        if resource.kind == "image" and options.get("external"):
            yield resource.name
        elif resource.kind == "image" and "dockerfile" in wanted:
            found = outside_images(instructions(wanted["dockerfile"]), wanted.get("build_args", {}))
            yield from (name for _, name in found)
        elif resource.kind == "service" and not options.get("image_address"):
            yield options["image"]
        elif resource.kind in ("bundle", "machine") and not options.get("image_address"):
            yield wanted["image"]


def kept(host: Host, lab: str) -> list[str]:
    """Return the images that are kept in files, and not loaded yet."""
    folder = host.state.root / lab / FOLDER
    if not folder.is_dir():
        return []
    return sorted(unquote(path.stem) for path in folder.glob("*.tar"))


@dataclass(frozen=True)
class KeepImages(Step):
    """Keep images in files while Docker still has them; those that it does not have can only be pulled later."""

    lab: str
    images: tuple[str, ...]

    def __str__(self) -> str:
        return f"keep {', '.join(self.images)} for Docker's new place, if it has {_them(self.images)}"

    def run(self, host: Host) -> None:
        """Write the files. Raises LabError where there is no room for them."""
        folder = host.state.lab(self.lab) / FOLDER
        for image in self.images:
            if host.docker.find(image_path(image)) is None:
                continue
            folder.mkdir(mode=0o700, exist_ok=True)
            file, partial = _file(folder, image), folder / "partial"
            host.system.run([*_client(host), "save", "--output", str(partial), image], seconds=SECONDS)
            partial.rename(file)


@dataclass(frozen=True)
class LoadImages(Step):
    """Load what `KeepImages` has kept, less what is there already, and note it in the journal."""

    lab: str
    images: tuple[str, ...]

    def __str__(self) -> str:
        return f"load {', '.join(self.images)} again"

    def run(self, host: Host) -> None:
        """Load them, and remove the files."""
        folder = host.state.root / self.lab / FOLDER
        for image in kept(host, self.lab):
            if host.docker.find(image_path(image)) is None:
                entry = _entry(host, self.lab)
                carried = sorted({*entry.get("carried", ()), image})
                host.journal(self.lab).record(ADDRESS, {**entry, "carried": carried})
                host.system.run(
                    [*_client(host), "load", "--quiet", "--input", str(_file(folder, image))], seconds=SECONDS
                )
            _file(folder, image).unlink()
        discard(host, self.lab)


@dataclass(frozen=True)
class LeaveImages(Step):
    """Remove the images that were taken along, and note whether Docker's folder is empty then."""

    lab: str
    images: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"remove {', '.join(self.images)} again, which came along" if self.images else "look what Docker has here"
        )

    def run(self, host: Host) -> None:
        """Remove them; one that somebody uses stays, and so does the folder."""
        entry = _entry(host, self.lab)
        try:
            for image in self.images:
                _remove(host, image)
            root = data_root(host)
            spent = root == entry.get("made") and not _has_something(host)
        except LabError:
            return  # a Docker that does not answer cannot be asked: then all of it stays
        host.journal(self.lab).record(ADDRESS, {**entry, "carried": [], "spent": root if spent else ""})


def data_root(host: Host) -> str:
    """Return the folder in which Docker has its data now."""
    return str(host.docker.get("/info").get("DockerRootDir", ""))


def places(host: Host, settings: Mapping[str, Any]) -> set[str] | None:
    """Return the data roots that there are before Docker is restarted with `settings`; None where it is not known."""
    try:
        roots = {data_root(host), str(settings.get("data-root") or DATA_ROOT)}
    except LabError:
        return None
    roots |= {os.path.dirname(root) for root in roots}  # noqa: PTH120  where a remapped root has its siblings
    below = {str(path) for root in roots if Path(root).is_dir() for path in Path(root).glob("*.*")}
    return {root for root in roots | below if Path(root).is_dir()}


def arrived(host: Host, entry: Mapping[str, Any], before: set[str] | None) -> dict[str, Any]:
    """Return the journal's entry once Docker is at another data root; `before` are the `places` of before.

    One that was made for the lab and is empty is removed.
    """
    root, made, spent = data_root(host), entry.get("made", ""), entry.get("spent")
    if spent and spent == made and root != spent:
        remove_tree(Path(spent))
    new = before is not None and root not in before
    return {**entry, "made": root if new or root == made else "", "spent": ""}


def discard(host: Host, lab: str) -> None:
    """Remove images that are kept and not wanted any more."""
    remove_tree(host.state.root / lab / FOLDER)


def _remove(host: Host, image: str) -> None:
    try:
        host.docker.delete(f"/images/{segment(image)}")
    except ApiError as error:
        if error.status not in (404, 409):
            raise


def _has_something(host: Host) -> bool:
    networks = {network["Name"] for network in host.docker.get("/networks")} - _OWN_NETWORKS
    return bool(
        networks
        or host.docker.get("/containers/json", {"all": "1"})
        or host.docker.get("/images/json")
        or host.docker.get("/volumes")["Volumes"]
    )


def _entry(host: Host, lab: str) -> dict[str, Any]:
    return host.journal(lab).entries().get(ADDRESS, {})


def _file(folder: Path, image: str) -> Path:
    return folder / f"{quote(image, safe='')}.tar"


def _client(host: Host) -> list[str]:
    return ["docker", "--host", host.docker.address]


def _them(names: Iterable[str]) -> str:
    return "them" if len(list(names)) > 1 else "it"
