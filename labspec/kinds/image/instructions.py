"""What the steps of an image may say: one model for each instruction of a Dockerfile."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from labspec.kinds.section import Line, Text

_CONFIG = ConfigDict(extra="forbid")
_LONGEST = 65_000
"""Of characters in a value: BuildKit refuses a line of 64 KiB."""
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
_WORD = r"^[^\s'\"\\,<>`-][^\s'\"\\,<>`]*$"
_DURATION = r"^(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)$"
_FLAG = r"^[^\s'\"\\<>`-][^\s'\"\\<>`]*$"
_VARYING = r"\$[A-Za-z_][A-Za-z0-9_]*+|\$\{([^\s{}]|\{[^\s{}]*\})+\}"
"""`$X`, `${X}`, `${X:-word}` or `${X:-${Y}}`."""
_PLATFORM_PART = rf"([a-z0-9_.]|{_VARYING})+"
_PART = r"([0-9]{1,5}|\$[A-Za-z_][A-Za-z0-9_]*|\$\{[^\s{}]+\})"
_PORT = rf"^{_PART}(-{_PART})?(/(?i:tcp|udp|sctp|\$[A-Z_][A-Z0-9_]*|\$\{{[^\s{{}}]+\}}))?$"


def _one_line(value: str) -> str:
    if "\n" in value:
        raise ValueError("this is one line: join its lines")
    return value


def _whole(value: str) -> str:
    if not value.strip():
        raise ValueError("there is no text")
    if len(value) > _LONGEST:
        raise ValueError(f"the text is too long: {len(value)} characters, of at most {_LONGEST}")
    return value


def _instruction(value: str) -> str:
    if value.lstrip().startswith("--"):
        raise ValueError("text that begins with '--' would be read as an option of the instruction")
    if "\n" not in value.strip("\n") and value.rstrip().endswith("\\"):
        raise ValueError("a backslash at the end would swallow the next instruction: remove it")
    return value


def _matching(pattern: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} is not {what}")
        return value

    return AfterValidator(check)


def label_name(name: str) -> str:
    """Return the name of a label that a lab may set. Raises ValueError for another."""
    if not re.fullmatch(r"[^\s\"'\\$=,]+", name) or not name.isprintable():
        raise ValueError(f"{name!r} is not the name of a label: use letters, digits, '.', '_', '/' and '-'")
    if name.startswith(("io.labspec.", "com.docker.compose.")):
        raise ValueError(f"the label {name} is for labspec and compose to set: choose another name")
    return name


Inline = Annotated[Text, AfterValidator(_one_line)]
"""One line of text, which may have tabs in it."""
Value = Annotated[Inline, AfterValidator(lambda value: _whole(value) if value else value)]
"""A value of one line, which may be empty."""
Shell = Annotated[Inline, AfterValidator(_whole), AfterValidator(_instruction)]
"""The rest of an instruction's line."""
Script = Annotated[Text, AfterValidator(_whole), AfterValidator(_instruction)]
"""A command for the shell, of one line or several: a script, or lines as a Dockerfile has them behind RUN."""
Argument = Annotated[Text, Field(max_length=_LONGEST)]
Command = Shell | list[Argument]
"""Text for the shell, or a program and its arguments."""
Path = Annotated[Line, AfterValidator(_whole)]
Variable = Annotated[str, _matching(_VARIABLE, "the name of a variable"), WithJsonSchema({"type": "string"})]
EnvName = Annotated[
    str, _matching(rf"^-?{_VARIABLE[1:]}", "the name of a variable"), WithJsonSchema({"type": "string"})
]
"""A variable that ENV sets; Docker also takes what a forgotten quote makes a name of, such as `-march`."""
Label = Annotated[str, AfterValidator(label_name), WithJsonSchema({"type": "string"})]
Word = Annotated[Line, _matching(_WORD, "one plain word"), WithJsonSchema({"type": "string", "pattern": _WORD})]
"""One word without quotes, blanks or commas; it can be neither an option nor a list."""
Flag = Annotated[Line, _matching(_FLAG, "one plain word"), WithJsonSchema({"type": "string", "pattern": _FLAG})]
"""One word that may be a list."""
Reference = Annotated[
    str,
    _matching(rf"^(?=[a-zA-Z0-9$])([a-zA-Z0-9_./:@+-]|{_VARYING})+$", "the name of an image"),
    WithJsonSchema({"type": "string"}),
]
"""The name of an image or of a stage; `$X` and `${X}` are build arguments."""
FileName = Annotated[str, _matching(r"^[A-Za-z0-9_.-]+$", "the name of a file"), WithJsonSchema({"type": "string"})]
StageName = Annotated[
    str, _matching(r"^[a-z][a-z0-9_.-]*$", "the name of a stage: use small letters"), WithJsonSchema({"type": "string"})
]
Platform = Annotated[
    str,
    _matching(rf"^{_PLATFORM_PART}(/{_PLATFORM_PART}){{0,2}}$", "a platform such as linux/arm64"),
    WithJsonSchema({"type": "string"}),
]
Duration = Annotated[
    str,
    _matching(_DURATION, "a duration such as 30s or 1m30s"),
    WithJsonSchema({"type": "string", "pattern": _DURATION}),
]
Port = (
    Annotated[int, Field(ge=1, le=65535)]
    | Annotated[str, _matching(_PORT, "a port such as 80, 53/udp or $PORT"), WithJsonSchema({"type": "string"})]
)
Varying = Annotated[str, _matching(r"^\$.+$", "a variable"), WithJsonSchema({"type": "string", "pattern": r"^\$.+$"})]
"""A build argument in the place of a word."""
Nothing = Annotated[str, _matching("none", "the word none"), WithJsonSchema({"const": "none"})]
Scalar = Value | int | float | bool
Arguments = Variable | list[Variable | dict[Variable, Scalar | None]] | dict[Variable, Scalar | None]
"""Names, or names with their defaults; a list where a name comes again."""


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
    script: Annotated[Text, AfterValidator(_whole)] | None = None
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
