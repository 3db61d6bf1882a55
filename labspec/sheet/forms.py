"""What a spec may say of a handout: the form of its sections and of each kind of block."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from labspec.kinds.section import Line, Text, Translated
from labspec.sheet.ids import LONGEST, PATTERN

LONGEST_TIMEOUT = 600
_LONGEST_REGEX = 300
_LONGEST_OUTPUT = 256 * 1024
_DATE = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"
_USER = r"^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$"


def _id(value: str) -> str:
    if not re.fullmatch(PATTERN[1:-1], value) or len(value) > LONGEST:
        raise ValueError(
            f"{value!r} is no id: use up to {LONGEST} small letters, digits, '-' and '_', and begin with a letter or "
            "digit"
        )
    return value


def _regex(value: str) -> str:
    if len(value) > _LONGEST_REGEX:
        raise ValueError(f"the pattern is too long: {len(value)} characters, of at most {_LONGEST_REGEX}")
    try:
        found = re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    if found.match(""):
        raise ValueError(f"{value!r} matches the empty text too: write what is different every time, such as [0-9]+")
    return value


def _command(value: str) -> str:
    if not value.strip():
        raise ValueError("the command is empty")
    return value


def _folder(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"{value!r} is not absolute: begin with '/'")
    return value


def _output(value: str) -> str:
    if len(value) > _LONGEST_OUTPUT:
        raise ValueError(f"the output is too long: {len(value)} characters, of at most {_LONGEST_OUTPUT}")
    return value


Id = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "pattern": PATTERN, "maxLength": LONGEST})]
Regex = Annotated[Line, AfterValidator(_regex), WithJsonSchema({"type": "string", "format": "regex"})]
Folder = Annotated[Line, AfterValidator(_folder), WithJsonSchema({"type": "string", "pattern": "^/"})]
Output = Annotated[Text, AfterValidator(_output)]
ExitCode = Annotated[int, Field(ge=0, le=255)]
Command = Annotated[Text, AfterValidator(_command), WithJsonSchema({"type": "string", "minLength": 1})]
View = Literal["namespaces", "cgroups", "mounts", "api", "rights"]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Block(_Form):
    """What every block may have."""

    id: Id | None = None
    """The block's id, under which its capture is kept; without it the id follows from what the block says."""
    audience: Literal["student", "teacher", "both"] | None = None
    """Whose edition it is in; both where it is not given."""
    title: Translated | None = None
    """A line above the block."""


class TextBlock(Block):
    """Markdown."""

    text: Translated
    """Markdown; HTML in it is printed as it is written, and never takes effect."""


class Recorded(_Form):
    """Output that was recorded elsewhere: the command cannot run where the sheet is captured."""

    host: Translated
    """What the command ran on, as the sheet says it."""
    date: Annotated[str, Field(pattern=_DATE)]
    """When: 2018, 2018-09 or 2018-09-24."""
    why: Translated
    """Why it cannot be run again: it restarts the machine, or its program is no longer distributed."""
    output: Output | None = None
    """What it printed."""
    file: Line | None = None
    """A file of the lab with what it printed."""


class RunBlock(Block):
    """A command, and the output that it has on the applied lab."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"run": ["id"], "in": "service.web"}]})

    run: Command | Annotated[list[Text], Field(min_length=1)]
    """The command: a list of arguments, or text that `sh` reads."""
    place: Line | None = Field(None, alias="in")
    """Where it runs: host, or the address of a service; the host where it is not given."""
    user: Annotated[str, Field(pattern=_USER)] | None = None
    """Who runs it; on a host root, in a container the image's user where it is not given."""
    cwd: Folder | None = None
    """The folder that it starts in; on a host the lab's folder where it is not given."""
    stdin: Text | None = None
    """What it reads from standard input."""
    exit: ExitCode | Annotated[list[ExitCode], Field(min_length=1)] | None = None
    """The exit code, or the exit codes, that it must have; 0 where it is not given."""
    timeout: Annotated[int, Field(ge=1, le=LONGEST_TIMEOUT)] | None = None
    """How many seconds it may take; 60 where it is not given."""
    wait: Annotated[int, Field(ge=0, le=LONGEST_TIMEOUT)] | None = None
    """For how many seconds it is tried again until it has such an exit code: a server needs a moment; 0 where it is not
    given."""
    volatile: list[Regex] | None = None
    """Regular expressions for what is different every time, beside process ids, times, addresses and the like."""
    unordered: bool | None = None
    """The lines may come in any order."""
    needs: list[Line] | None = None
    """The objects that the output depends on: a change of another one does not make the capture stale."""
    lines: Annotated[int, Field(ge=1)] | None = None
    """How many lines of the output the sheet shows."""
    hidden: bool | None = None
    """The sheet shows the command only; its output is captured and verified all the same."""
    prompt: Line | None = None
    """What stands before the command; '# ' for root, '$ ' for others where it is not given."""
    recorded: Recorded | None = None
    """What it printed elsewhere, where it cannot run here; it is then neither captured nor verified."""


class ArtifactBlock(Block):
    """A file that labspec makes of an object of the lab."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"artifact": "image.nagini"}]})

    artifact: Line
    """The object's address; 'lab' for the whole compose.yaml."""
    form: str | None = Field(None, alias="as")
    """What is made of it, where there is more than one: compose, command, quadlet, ..."""


class ViewBlock(Block):
    """What `labspec show` says of an object."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"show": "namespaces", "of": "service.web"}]})

    show: View
    """What to look at."""
    of: Line
    """The object's address, or host; with api also a path such as /containers/json."""
    query: Line | None = None
    """With api: what of the answer is shown, as a JMESPath expression."""


class QuestionBlock(Block):
    """A question to the reader."""

    question: Translated
    """The question, in Markdown."""
    answer_lines: Annotated[int, Field(ge=0, le=60)] | None = None
    """How many empty lines the printed sheet has for the answer; 3 where it is not given."""


class HintBlock(Block):
    """A hint, hidden until it is asked for where the format can."""

    hint: Translated
    """The hint, in Markdown."""


class SolutionBlock(Block):
    """An answer; only the teacher's edition has it."""

    solution: Translated
    """The answer, in Markdown."""


class CheckBlock(Block):
    """A check of the lab."""

    check: Line
    """The check's id."""


class FigureBlock(Block):
    """A picture."""

    figure: Line
    """topology for the lab's own, or an image file of the lab: png, jpg, gif, webp or svg."""
    alt: Translated | None = None
    """What is to be seen, for those who cannot see it; an image file needs it."""


FORMS: dict[str, type[Block]] = {
    "text": TextBlock,
    "run": RunBlock,
    "artifact": ArtifactBlock,
    "show": ViewBlock,
    "question": QuestionBlock,
    "hint": HintBlock,
    "solution": SolutionBlock,
    "check": CheckBlock,
    "figure": FigureBlock,
}
"""Kind of block -> its form; the kind is a key of the block too, and a block has one of these keys."""


class Section(_Form):
    """A titled part of the sheet."""

    id: Id | None = None
    """The section's id, for links; without it the title's words."""
    title: Translated
    """The title."""
    blocks: (
        list[
            TextBlock
            | RunBlock
            | ArtifactBlock
            | ViewBlock
            | QuestionBlock
            | HintBlock
            | SolutionBlock
            | CheckBlock
            | FigureBlock
        ]
        | None
    ) = None
    """What is in it, in order: each block has one of the keys text, run, artifact, show, question, hint, solution,
    check and figure."""


class Handout(_Form):
    """The lab's sheet: text, commands with the output that they have on the applied lab, questions and answers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"sections": [{"title": "First", "blocks": [{"run": ["id"]}]}]}]}
    )

    title: Translated | None = None
    """The title; the lab's where it is not given."""
    subtitle: Translated | None = None
    """A line below the title."""
    intro: Translated | None = None
    """Markdown in front of the first section."""
    sections: list[Section]
    """The parts of the sheet, in order."""
