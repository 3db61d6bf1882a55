"""A lab's sheet as labspec reads it: sections of blocks, each of one kind.

Every block has an id that no other block of the sheet has. One that the spec does not name gets it from its contents
(ids.py), so that a block added elsewhere changes no id, and captures.py keeps what was captured under it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from labspec.core.diagnostic import Position
from labspec.core.wording import Words

HOST = "host"
"""Where a command runs that names no object of the lab."""
TEACHER, STUDENT, BOTH = "teacher", "student", "both"
EDITIONS = (STUDENT, TEACHER)
TOPOLOGY = "topology"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What every block has."""

    kind: ClassVar[str]

    id: str
    audience: str = BOTH
    """student, teacher or both: the editions that it is in."""
    title: Words = ""
    at: Position | None = None
    """Where the spec has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Block):
    """Markdown."""

    kind: ClassVar[str] = "text"
    text: Words


@dataclass(frozen=True, slots=True)
class Recorded:
    """Output that was recorded elsewhere, since the command cannot run where labspec captures; the sheet says so."""

    host: Words
    """What it ran on: "CentOS 7, kernel 3.10"."""
    date: str
    """As precise as it is known: 2018, 2018-09 or 2018-09-24."""
    why: Words
    """Why it cannot be run."""
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Block):
    """A command, whose output is captured on the applied lab."""

    kind: ClassVar[str] = "run"
    command: tuple[str, ...] | str
    """An argument list; or text, which a shell reads."""
    place: str = HOST
    """HOST, or the address of a service whose container it runs in."""
    user: str | None = None
    """Who runs it; None: root on a host, and in a container who runs there anyway."""
    cwd: str | None = None
    """The folder that it starts in; None: the lab's folder on a host, the image's in a container."""
    stdin: str | None = None
    exit: tuple[int, ...] = (0,)
    """The exit codes with which it did what the sheet says."""
    timeout: int = 60
    """Seconds."""
    wait: int = 0
    """For how many seconds it is tried again until it has one of them."""
    volatile: tuple[str, ...] = ()
    """Regular expressions for what is different every time, beside what normalise.py knows."""
    unordered: bool = False
    """The order of the output's lines says nothing."""
    needs: tuple[str, ...] = ()
    """The addresses that its output depends on; none: `place`, and on the host the whole lab."""
    lines: int | None = None
    """How many lines of the output the sheet shows before it says that there are more; None: all."""
    hidden: bool = False
    """The sheet shows the command without its output."""
    prompt: str | None = None
    """What the sheet writes before the command; None: '# ' for root, else '$ '."""
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Block):
    """A file or command line that labspec makes of an object; it follows from the spec, and is never captured."""

    kind: ClassVar[str] = "artifact"
    address: str
    form: str
    """One of model.FORMS[kind of the object]: dockerfile, compose, unit, daemon.json, config.json, quadlet, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Block):
    """What `labspec show` says of an object of the applied lab; it is captured."""

    kind: ClassVar[str] = "show"
    view: str
    address: str
    """Of an object of the lab, HOST, or for the view api a path of the Engine API."""
    query: str | None = None
    """What of an answer of the API is shown, as JMESPath."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Block):
    """Something to answer."""

    kind: ClassVar[str] = "question"
    text: Words
    answer_lines: int = 3
    """How many empty lines the printed sheet has for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint(Block):
    """Markdown that helps with what is above it; HTML hides it until it is asked for."""

    kind: ClassVar[str] = "hint"
    text: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution(Block):
    """Markdown that answers what is above it: always the teacher's alone."""

    kind: ClassVar[str] = "solution"
    text: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Block):
    """A check of the lab that the reader runs with `labspec check`; its result is captured."""

    kind: ClassVar[str] = "check"
    check: str
    """The check's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Block):
    """A picture: the lab's topology, or an image file."""

    kind: ClassVar[str] = "figure"
    figure: str
    """TOPOLOGY, or the file's path as the spec writes it."""
    file: str = ""
    """The file's absolute path; '' for the topology."""
    alt: Words = ""
    """What is to be seen, for those who cannot see it; never '' for a file."""


KINDS: Mapping[str, type[Block]] = {
    kind.kind: kind for kind in (Text, Run, Artifact, View, Question, Hint, Solution, Check, Figure)
}


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the sheet."""

    id: str
    title: Words
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole sheet."""

    title: Words
    """'' where the lab's own title is meant."""
    subtitle: Words
    intro: Words
    """Markdown in front of the first section."""
    sections: tuple[Section, ...]

    def blocks(self) -> Iterator[Block]:
        """Yield every block, in order."""
        for section in self.sections:
            yield from section.blocks

    def edition(self, edition: str) -> Sheet:
        """Return the sheet as the student or the teacher gets it: blocks for the other one are not in it.

        A section that has none left goes with them. This is the one place that decides it.
        """
        sections = []
        for section in self.sections:
            kept = tuple(block for block in section.blocks if block.audience in (BOTH, edition))
            if kept or not section.blocks:
                sections.append(replace(section, blocks=kept))
        return replace(self, sections=tuple(sections))


def sheet_of(value: Mapping[str, Any]) -> Sheet:
    """Return the sheet that a lab keeps as JSON (`Lab.parts["handout"]`)."""
    sections = tuple(
        Section(section["id"], section["title"], tuple(map(_block, section["blocks"]))) for section in value["sections"]
    )
    return Sheet(value["title"], value["subtitle"], value["intro"], sections)


def _block(value: Mapping[str, Any]) -> Block:
    """Return a block of its JSON: its fields by name, and `kind`."""
    kind = KINDS[value["kind"]]
    found = {field.name: _frozen(value[field.name]) for field in fields(kind) if field.name in value}
    if "at" in found:
        found["at"] = Position(*found["at"])
    if found.get("recorded"):
        found["recorded"] = Recorded(**found["recorded"])
    return kind(**found)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
