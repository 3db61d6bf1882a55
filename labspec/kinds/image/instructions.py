"""What the steps of an image may say: one model for each instruction of a Dockerfile."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from labspec.kinds.image.values import (
    Argument,
    Arguments,
    Command,
    Duration,
    EnvName,
    FileName,
    Flag,
    Label,
    Nothing,
    Path,
    Platform,
    Port,
    Reference,
    Scalar,
    Script,
    Shell,
    StageName,
    Variable,
    Varying,
    Word,
    whole,
)
from labspec.kinds.section import Text

_CONFIG = ConfigDict(extra="forbid")


class Stage(BaseModel):
    """Where a stage starts from."""

    model_config = _CONFIG

    image: Reference
    """The image: one of `images` by its name, an earlier stage, or any other image."""
    as_: Annotated[StageName | None, Field(alias="as")] = None
    """The name of the stage, for `copy: {from: ...}` and `target`."""
    platform: Platform | None = None
    """The platform of the image, such as linux/arm64."""


class Mount(BaseModel):
    """Something that is mounted while a command runs."""

    model_config = _CONFIG

    type: Literal["bind", "cache", "tmpfs", "secret", "ssh"] | Varying | None = None
    """What is mounted: bind (of the context or another image), cache, tmpfs, secret or ssh."""
    target: Word | None = None
    """Where it is mounted."""
    source: Word | None = None
    """The path in the context, or in the image that `from` names."""
    from_: Annotated[Reference | None, Field(alias="from")] = None
    """The stage or image that is mounted; the context where it is not given."""
    id: Word | None = None
    """The name of the cache or secret."""
    env: Variable | None = None
    """The variable that has the secret."""
    sharing: Literal["shared", "private", "locked"] | Varying | None = None
    """Whether several builds may use a cache at once."""
    readwrite: bool | None = None
    """The command may write to it; what it writes is thrown away."""
    readonly: bool | None = None
    """The command cannot write to it."""
    required: bool | None = None
    """Fail where the secret is not there."""
    size: Word | None = None
    """The most that a tmpfs holds."""
    mode: Annotated[str, Field(pattern=r"^([0-7]{3,5}|\$.+)$")] | None = None
    """The permissions, in octal."""
    uid: Annotated[int, Field(ge=0)] | Word | None = None
    """The owner."""
    gid: Annotated[int, Field(ge=0)] | Word | None = None
    """The group."""


class Run(BaseModel):
    """A command that the build runs, with options."""

    model_config = _CONFIG

    cmd: Script | Annotated[list[Argument], Field(min_length=1)] | None = None
    """Text for the shell, of one line or several, or a program and its arguments."""
    script: Annotated[Text, AfterValidator(whole)] | None = None
    """Lines that go to the shell just as they stand, in the place of `cmd`; the Dockerfile has them as a heredoc."""
    mount: list[Mount] | None = None
    """What is mounted while it runs."""
    network: Literal["default", "none", "host"] | None = None
    """The network that it has."""
    security: Literal["sandbox", "insecure"] | None = None
    """Whether it runs with all privileges."""

    @model_validator(mode="after")
    def _has_command(self) -> Run:
        if (self.cmd is None) == (self.script is None):
            raise ValueError("it takes one of the keys 'cmd' and 'script': what is run")
        return self


class Copy(BaseModel):
    """Files that are copied into the image."""

    model_config = _CONFIG

    src: Path | Annotated[list[Path], Field(min_length=1)] | None = None
    """What is copied: paths relative to the lab's folder; `*`, `?` and `[...]` match as in Docker."""
    content: Text | Annotated[dict[FileName, Text], Field(min_length=1)] | None = None
    """What the file has in it, or the content of several files by their names, instead of `src` or beside it."""
    expand: bool | Annotated[list[FileName], Field(min_length=1)] | None = None
    """Whether Docker replaces variables in `content`, or in which of its files; in all where this is not given."""
    dest: Path
    """Where to: a folder ends in '/'."""
    from_: Annotated[Reference | None, Field(alias="from")] = None
    """The stage or image to copy from: a stage's name, one of `images`, or any other image."""
    chown: Flag | None = None
    """The owner, as USER:GROUP."""
    chmod: Flag | None = None
    """The permissions, such as 0644."""
    link: bool | None = None
    """Put the files in a layer of their own, that stays as it is when the ones below change."""
    parents: bool | None = None
    """Keep the folders that `src` names."""
    exclude: list[Flag] | None = None
    """What is not copied, as patterns."""

    @model_validator(mode="after")
    def _has_source(self) -> Copy:
        if self.src is None and self.content is None:
            raise ValueError("it lacks the key 'src': what is copied")
        if self.src is None and self.from_ is not None:
            raise ValueError("files that have their 'content' here come from no other image: remove 'from'")
        return self


class Add(Copy):
    """Files, archives and downloads that are added to the image."""

    checksum: Flag | None = None
    """What a download must have as its digest: sha256:..."""
    keep_git_dir: bool | None = None
    """Keep the folder .git of a repository."""


class Health(BaseModel):
    """How the engine sees whether a container is healthy."""

    model_config = _CONFIG

    cmd: Command
    """The command: it ends with 0 while all is well."""
    interval: Duration | None = None
    """How long to wait between two tests."""
    timeout: Duration | None = None
    """How long a test may take."""
    start_period: Duration | None = None
    """How long failures do not count after the start."""
    start_interval: Duration | None = None
    """How long to wait between two tests while it starts."""
    retries: Annotated[int, Field(ge=0)] | None = None
    """How many failures in a row make it unhealthy."""


def _one_key(value: Any) -> Any:
    if isinstance(value, dict) and len(value) != 1:
        found = ", ".join(str(key) for key in value) or "none"
        raise ValueError(f"a step is one instruction; this one has {found}: begin each with a '-' of its own")
    return value


class Instruction(BaseModel):
    """One instruction of a Dockerfile: a mapping with just its name."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"minProperties": 1, "maxProperties": 1},
    )

    arg: Arguments | None = None
    """Build arguments: names, or names with their defaults. `build_args` sets them."""
    env: dict[EnvName, Scalar] | list[dict[EnvName, Scalar]] | None = None
    """Variables of the environment; `$X` and `${X}` are Docker's to replace. A list where a name comes again."""
    run: Script | Annotated[list[Argument], Field(min_length=1)] | Run | None = None
    """A command: text (of one line or several) for the shell, a list for no shell, or a mapping with options."""
    workdir: Shell | None = None
    """The folder in which what follows runs."""
    copy_: Annotated[Copy | None, Field(alias="copy")] = None
    """Copy files of the lab's folder, or of another image."""
    add: Add | None = None
    """Add files, unpacked archives, or downloads."""
    expose: Port | list[Port] | None = None
    """Ports that a container listens on."""
    user: Shell | None = None
    """The user that what follows runs as, as USER or USER:GROUP."""
    entrypoint: Command | None = None
    """The program of a container: text is run by the shell, a list is run as it is."""
    cmd: Command | None = None
    """The program of a container, or the arguments of its entrypoint: text for the shell, or a list."""
    volume: Path | Annotated[list[Path], Field(min_length=1)] | None = None
    """Folders whose content is kept in volumes."""
    label: dict[Label, Scalar] | list[dict[Label, Scalar]] | None = None
    """Labels of the image. A list where a name comes again."""
    shell: Annotated[list[Argument], Field(min_length=1)] | None = None
    """The shell that runs commands given as text."""
    stopsignal: Word | None = None
    """The signal that stops a container."""
    healthcheck: Nothing | Health | None = None
    """How to see whether a container is healthy; `none` drops what the image starts from has."""

    maintainer: Shell | None = None
    """Who made the image. Docker has given it up: label {org.opencontainers.image.authors: NAME} is its successor."""

    @model_validator(mode="after")
    def _says_something(self) -> Instruction:
        for name in self.model_fields_set:
            if getattr(self, name) is None:
                raise ValueError(f"the instruction {name.rstrip('_')} says nothing: give it a value")
        return self


class Step(Instruction):
    """One step of an image: an instruction of a Dockerfile, in a mapping with just its name."""

    onbuild: Annotated[Instruction, BeforeValidator(_one_key)] | None = None
    """An instruction that is done when another image starts from this one."""
    from_: Annotated[Reference | Stage | None, Field(alias="from")] = None
    """Begin a further stage."""
    comment: Text | None = None
    """A comment in the Dockerfile."""


CheckedStep = Annotated[Step, BeforeValidator(_one_key)]
