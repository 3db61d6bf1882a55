"""The steps that make and remove images, but for builds: a loaded archive, a root file system, names, a removal."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.resource import ADDRESS_LABEL, LAB_LABEL, Resource
from labspec.host.calls import CallError
from labspec.host.docker import ApiError, Docker, filters, image_path, segment
from labspec.host.whales import COMMAND_SECONDS
from labspec.kinds.objects import ownership

if TYPE_CHECKING:
    from labspec.host.host import Host


def make_image(lab: str, resource: Resource, over: str = "") -> Step:
    """Return the step that makes the image of a resource. `over` is the id of an adopted one whose tag it takes."""
    match resource.options["source"]:
        case "archive":
            return LoadArchive.of(lab, resource, over)
        case "rootfs":
            return ImportRootfs.of(lab, resource, over)
        case _:
            from labspec.kinds.image.buildx import BuildImage

            return BuildImage.of(lab, resource, over)


@dataclass(frozen=True)
class LoadArchive(Step):
    """Load an image from a file of docker save, under the lab's tag alone. `labels` is JSON text."""

    tag: str
    lab: str
    path: str
    labels: str
    over: str = ""

    @classmethod
    def of(cls, lab: str, resource: Resource, over: str = "") -> Self:
        """Return the step that loads the image of a resource."""
        labels = {**resource.desired.get("labels", {}), **ownership(lab, resource)}
        return cls(resource.name, lab, resource.options["archive"], json.dumps(labels, sort_keys=True), over)

    def __str__(self) -> str:
        return f"load image {self.tag} from {Path(self.path).name}"

    def run(self, host: Host) -> None:
        """Load it. The whole archive is written anew first, so that a broken one leaves nothing behind."""
        from labspec.kinds.image.archive import opened, write_labelled

        refuse_foreign(host.docker, self.tag, self.lab, self.over)
        with TemporaryDirectory(prefix="labspec-") as folder:
            copy = Path(folder, "image.tar")
            with opened(self.path) as archive, copy.open("wb") as target:
                write_labelled(archive, target, self.tag, json.loads(self.labels))
            try:
                host.whales.load(str(copy))
            except CallError as error:
                raise LabError(
                    f"image {self.tag}: the engine refused {self.path}: {_reason(error)}",
                    hint="make the archive again with 'docker save -o FILE IMAGE'",
                ) from error


@dataclass(frozen=True)
class ImportRootfs(Step):
    """Make an image of a distribution's packages with mmdebstrap(1). `labels` is JSON text."""

    tag: str
    lab: str
    suite: str
    variant: str
    packages: tuple[str, ...]
    labels: str
    over: str = ""

    @classmethod
    def of(cls, lab: str, resource: Resource, over: str = "") -> Self:
        """Return the step that makes the image of a resource."""
        rootfs = resource.desired["rootfs"]
        labels = json.dumps({**resource.desired.get("labels", {}), **ownership(lab, resource)}, sort_keys=True)
        packages = tuple(rootfs.get("packages", ()))
        return cls(resource.name, lab, rootfs["suite"], rootfs["variant"], packages, labels, over)

    def __str__(self) -> str:
        more = f" and {', '.join(self.packages)}" if self.packages else ""
        return f"make image {self.tag} of {self.suite} ({self.variant}){more}"

    def run(self, host: Host) -> None:
        """Make it. It is imported only once it is whole: the engine would take half of it for all."""
        from labspec.kinds.image.dockerfile import label_instruction

        refuse_foreign(host.docker, self.tag, self.lab, self.over)
        with TemporaryDirectory(prefix="labspec-") as folder:
            archive = Path(folder, "rootfs.tar")
            self._bootstrap(archive)
            changes = ['CMD ["bash"]', label_instruction(json.loads(self.labels))]
            try:
                host.whales.import_rootfs(str(archive), self.tag, changes)
            except CallError as error:
                raise LabError(f"image {self.tag}: the engine refused the import: {_reason(error)}") from error

    def _bootstrap(self, archive: Path) -> None:
        include = [f"--include={','.join(self.packages)}"] if self.packages else []
        options = ["--quiet", "--format=tar", f"--variant={self.variant}", *include]
        command = ["timeout", "--kill-after=10", str(COMMAND_SECONDS), "mmdebstrap", *options, "--", self.suite, "-"]
        with archive.open("wb") as output:
            done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-5:]
            raise LabError(
                f"image {self.tag}: mmdebstrap failed ({done.returncode})" + "".join(f"\n  | {line}" for line in said),
                hint="is the release's name right, and can the package mirror be reached?",
            )


@dataclass(frozen=True)
class TagImage(Step):
    """Give an image of the lab a further name."""

    id: str
    tag: str
    lab: str

    def __str__(self) -> str:
        return f"tag image {short_id(self.id)} as {self.tag}"

    def run(self, host: Host) -> None:
        """Do it, unless an image that is not the lab's has that name."""
        refuse_foreign(host.docker, self.tag, self.lab)
        name, _, tag = self.tag.rpartition(":")
        host.docker.post(f"/images/{segment(self.id)}/tag", query={"repo": name, "tag": tag})


@dataclass(frozen=True)
class RemoveImage(Step):
    """Remove one image: by its id, after its tag where it has one of the lab's. Tags of others keep it."""

    id: str
    tag: str
    """The tag that goes; "": it has none of the lab's, and goes only if it has no other either."""
    must_go: bool = True
    """Whether a container that still uses it is a failure; else the image stays."""
    further: tuple[str, ...] = ()
    """Further names of the lab's that it has; they go first."""

    def __str__(self) -> str:
        return f"remove image {self.tag}" if self.tag else f"remove old image {short_id(self.id)}"

    def run(self, host: Host) -> None:
        """Remove it; one that is gone already is fine, and so is one that a rebuild has given its tag again.

        One whose tag has gone to another image goes by its id.
        """
        image = host.docker.find(image_path(self.id))
        if image is None:
            return
        tags = image.get("RepoTags") or []
        for tag in self.further:
            if tag in tags:
                host.docker.delete(f"/images/{segment(tag)}")
                tags.remove(tag)
        tag = self.tag if self.tag in tags else ""
        if tags and not tag:
            return
        try:
            host.docker.delete(f"/images/{segment(tag or self.id)}")
        except ApiError as error:
            if error.status == 404:
                return
            if error.status != 409:
                raise
            if self.must_go:
                raise self._in_use(host.docker, error) from error

    def _in_use(self, docker: Docker, error: ApiError) -> LabError:
        users = docker.get("/containers/json", {"all": "1", **filters(ancestor=[self.id])})
        names = ", ".join(sorted(user["Names"][0].removeprefix("/") for user in users if user.get("Names")))
        what = self.tag or short_id(self.id)
        if not names:
            return LabError(f"image {what} cannot be removed: {error.message}")
        return LabError(
            f"image {what} is used by a container that is not this lab's: {names}",
            hint="remove that container (docker rm), then try again",
        )


def short_id(image: str) -> str:
    """Return the 12 hex digits that Docker shows for an image's id."""
    return image.removeprefix("sha256:")[:12]


def foreign_owner(image: dict[str, Any], lab: str) -> str | None:
    """Return whose an inspected image is, in words, or None where it is the lab's."""
    labels = (image.get("Config") or {}).get("Labels") or {}
    owner = labels.get(LAB_LABEL)
    if owner == lab and labels.get(ADDRESS_LABEL):
        return None
    return f"belongs to lab '{owner}'" if owner else "was not made by labspec"


def refuse_foreign(docker: Docker, tag: str, lab: str, over: str = "") -> None:
    """Raise LabError where an image that is not the lab's has the tag, but for the one with the id `over`."""
    image = docker.find(image_path(tag))
    whose = foreign_owner(image, lab) if image and image["Id"] != over else None
    if whose:
        raise LabError(
            f"the tag {tag} appeared meanwhile on an image that {whose}", hint="give the lab's image another 'tag'"
        )


def _reason(error: CallError) -> str:
    said = error.said.strip().splitlines()
    return said[-1] if said else f"exit code {error.code}"
