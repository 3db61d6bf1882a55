"""What a spec may say of an image: steps, a Dockerfile, an archive, or a distribution's packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.kinds.compose.values import mapping
from labspec.kinds.image.build import dockerfile_resource, steps_resource
from labspec.kinds.image.context import with_content
from labspec.kinds.image.instructions import CheckedStep, Stage
from labspec.kinds.image.names import TAG_PATTERN, image_tag, valid_tag
from labspec.kinds.image.options import KEYS
from labspec.kinds.image.values import (
    Arguments,
    Label,
    Path,
    Platform,
    Reference,
    Scalar,
    Value,
    Variable,
    Word,
    label_name,
)
from labspec.kinds.provider import Scope
from labspec.kinds.section import Line, ModelSection, Size

_CONFIG = ConfigDict(extra="forbid")
_SOURCES = ("from", "dockerfile", "archive", "rootfs", "external")
_BUILD = {"build_args", "target", "platform", "labels", "tag", *KEYS} - {"isolation", "privileged"}
_FITTING = {
    "from": {"syntax", "args", "steps", *_BUILD},
    "dockerfile": {"context", *_BUILD},
    "archive": {"labels", "tag"},
    "rootfs": {"labels", "tag"},
    "external": {"tag"},
}
"""What may stand beside each source."""


def _tag(value: str) -> str:
    if not valid_tag(value):
        raise ValueError(f"{value!r} is not a tag: write NAME or NAME:TAG, the name in small letters")
    return value


def _label(value: str) -> str:
    label_name(value.partition("=")[0])
    return value


def _package(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", value):
        raise ValueError(f"{value!r} is not the name of a Debian package")
    return value


def _suite(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", value):
        raise ValueError(f"{value!r} is not the name of a release: write bookworm, trixie, noble, ...")
    return value


Tag = Annotated[str, AfterValidator(_tag), WithJsonSchema({"type": "string", "pattern": TAG_PATTERN})]


class Rootfs(BaseModel):
    """A root file system made of a distribution's packages."""

    model_config = _CONFIG

    debootstrap: Annotated[str, AfterValidator(_suite), WithJsonSchema({"type": "string"})]
    """The release of Debian (or what mmdebstrap knows): bookworm, trixie, ..."""
    variant: (
        Annotated[str, Field(pattern=r"^(extract|custom|essential|apt|required|minbase|buildd|important|standard)$")]
        | None
    ) = None
    """How much is in it, as mmdebstrap has it; `minbase` where it is not given."""
    packages: list[Annotated[str, AfterValidator(_package), WithJsonSchema({"type": "string"})]] | None = None
    """Packages to install besides."""


class BuildSecret(BaseModel):
    """A secret for the steps of a build that mount it."""

    model_config = _CONFIG

    source: Line
    """Its name in `secrets`; it must be a file or a variable of the environment."""
    target: Word | None = None
    """The id by which steps mount it; its name where it is not given."""


class Limit(BaseModel):
    """A limit that has two values."""

    model_config = _CONFIG

    soft: Annotated[int, Field(ge=-1)]
    """What a process starts with."""
    hard: Annotated[int, Field(ge=-1)]
    """What it may raise it to."""


class Image(BaseModel):
    """An image: exactly one of from, dockerfile, archive, rootfs and external says where it comes from."""

    model_config = _CONFIG

    syntax: Annotated[Word, Field(pattern=r"^[a-z0-9]")] | None = None
    """The image that reads the Dockerfile, such as docker/dockerfile:1; what the engine has where it is not given."""
    args: Arguments | None = None
    """Build arguments for `from` to use, as `arg` in the steps: names, or names with their defaults."""
    from_: Annotated[Reference | Stage | None, Field(alias="from")] = None
    """The image to start from: one of `images` by its name, or any other."""
    steps: list[CheckedStep] | None = None
    """The instructions of the Dockerfile in order, each in a mapping of its own."""
    dockerfile: Path | None = None
    """A Dockerfile in the lab's folder."""
    context: Path | None = None
    """The folder that the Dockerfile copies from; its own where it is not given."""
    archive: Path | None = None
    """A file that `docker save` made; it may be compressed with gzip."""
    rootfs: Rootfs | None = None
    """A root file system made of a distribution's packages."""
    external: Literal[True] | None = None
    """The lab does not make it: an image named `tag` must be on the host, and stays there."""
    tag: Tag | None = None
    """The image's name on the host; `<lab>/<name>:latest` where it is not given, `<name>` for an external one."""
    tags: list[Tag] | None = None
    """Further names of it."""
    build_args: dict[Variable, Scalar] | None = None
    """Values for what the Dockerfile declares with ARG."""
    target: Word | None = None
    """The stage to build; the last one where it is not given."""
    labels: dict[Label, Scalar | None] | list[Annotated[Value, AfterValidator(_label)]] | None = None
    """Labels to put on the image."""
    platform: Platform | None = None
    """The platform to build for, such as linux/arm64."""
    no_cache: bool | None = None
    """Do every step anew when the image is built."""
    pull: bool | None = None
    """Look for a newer image to start from when the image is built."""
    secrets: list[Word | BuildSecret] | None = None
    """Entries of `secrets` that steps may mount; a build that prints one has it hidden in what labspec tells."""
    ssh: dict[Word, Line | None] | list[Line] | None = None
    """SSH keys that steps may mount: the id and the key's path, or only `default` for your agent. Asks for --allow."""
    additional_contexts: dict[Word, Line] | list[Line] | None = None
    """Further folders and images to copy from: by name, a folder of the lab, docker-image://IMAGE or an address."""
    network: Word | None = None
    """The network of the steps: default, none, or host, which asks for --allow."""
    extra_hosts: dict[Line, Line | list[Line]] | list[Line] | None = None
    """Names and addresses that the steps know besides."""
    shm_size: Size | None = None
    """The size of /dev/shm for the steps."""
    ulimits: dict[Annotated[str, Field(pattern="^[a-z]+$")], int | Limit] | None = None
    """Limits of the steps' processes."""
    cache_from: list[Line] | None = None
    """Images and places that have a cache of an earlier build."""
    cache_to: list[Line] | None = None
    """Where to write the cache of the build, such as type=inline."""
    entitlements: list[Literal["network.host", "security.insecure"]] | None = None
    """What steps may do to the host; asks for --allow."""


class ImageSection(ModelSection):
    """The section `images`."""

    name = "images"
    kind = "image"
    model = Image

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the image, with the files that decide it looked up and hashed."""
        source = self._source(name, entry, scope)
        if source is None or not self._named_well(name, entry, scope):
            return ()
        match source:
            case "from":
                made = steps_resource(name, entry, scope)
            case "dockerfile":
                made = dockerfile_resource(name, entry, scope)
            case "archive":
                made = _archive(name, entry, scope)
            case "external":
                made = _resource(name, entry, scope, "external", {}, external=True)
            case _:
                made = _resource(name, entry, scope, "rootfs", {"rootfs": _rootfs(entry["rootfs"])})
        return () if made is None else (made,)

    def _source(self, name: str, entry: Mapping[str, Any], scope: Scope) -> str | None:
        path = ("images", name)
        given = [source for source in _SOURCES if entry.get(source) is not None]
        if not given:
            scope.error(path, f"image '{name}' comes from nowhere", f"give it one of {', '.join(_SOURCES)}", key=True)
            return None
        if len(given) > 1:
            message = f"image '{name}' has both {given[0]} and {given[1]}"
            scope.error((*path, given[1]), message, "keep one of them", key=True)
            return None
        unfit = [key for key in entry if entry[key] is not None and key not in {*_FITTING[given[0]], given[0]}]
        for key in unfit:
            scope.error((*path, key), f"{key} has no meaning for an image with {given[0]}", "remove it", key=True)
        return None if unfit else given[0]

    def _named_well(self, name: str, entry: Mapping[str, Any], scope: Scope) -> bool:
        tag = image_tag(scope.lab, name, entry)
        if not valid_tag(tag):
            scope.error(("images", name), f"'{tag}' cannot be the name of an image", "give it a 'tag'", key=True)
            return False
        return True


def _archive(name: str, entry: Mapping[str, Any], scope: Scope) -> Resource | None:
    path = ("images", name, "archive")
    file = scope.file(path, entry["archive"])
    if file is None:
        return None
    try:
        return with_content(_resource(name, entry, scope, "archive", {}, archive=file))[0]
    except LabError as error:
        scope.error(path, error.diagnostics[0].message, error.diagnostics[0].hint)
        return None


def _resource(
    name: str, entry: Mapping[str, Any], scope: Scope, source: str, desired: Mapping[str, Any], **options: Any
) -> Resource:
    wanted = {"labels": mapping(entry["labels"])} if entry.get("labels") else {}
    tag = image_tag(scope.lab, name, entry)
    return Resource(
        address=f"image.{name}",
        kind="image",
        name=tag,
        desired={"tag": tag, **wanted, **desired},
        options={"external": False, **options, "source": source},
    )


def _rootfs(entry: Mapping[str, Any]) -> dict[str, Any]:
    packages = sorted(set(entry.get("packages") or ()))
    wanted = {"suite": entry["debootstrap"], "variant": entry.get("variant") or "minbase"}
    return {**wanted, "packages": packages} if packages else wanted


SECTION = ImageSection()
