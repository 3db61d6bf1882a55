"""A sheet as it is to be read, before any format is made of it: one edition, one language, nothing left to look up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when an output came about."""

    date: str
    """Of ISO 8601, as precise as it is known."""
    host: str
    """What the command ran on."""
    kernel: str = ""
    engine: str = ""
    """The version of Docker."""
    seconds: float | None = None
    elsewhere: bool = False
    """It was recorded on another host than the lab's, and cannot be run again."""
    why: str = ""
    """Why it cannot be run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What every block of the document has."""

    id: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose(Piece):
    """Markdown."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal(Piece):
    """A command, and what it printed."""

    command: str
    prompt: str
    place: str = ""
    """Where it ran, where that is not the host: an address."""
    output: str | None = None
    """None: the sheet shows the command alone."""
    errors: str = ""
    """What it wrote to standard error."""
    lines: int | None = None
    """How many lines of the output are shown; None: all."""
    exit: int = 0
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Piece):
    """A file of the lab."""

    name: str
    language: str
    """The name of a lexer of pygments; '' for plain text."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Piece):
    """A question, with room for the answer where the sheet is printed."""

    number: int
    text: str
    answer_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint(Piece):
    """Markdown to be read when it is needed."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution(Piece):
    """Markdown for the teacher."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Piece):
    """A check that the reader runs."""

    name: str
    """The check's id."""
    points: float
    command: str
    """How to run it."""
    expected: str = ""
    """What must be, as YAML; the teacher's edition has it."""
    seen: str = ""
    """What the check printed when it was captured; the teacher's edition has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(Piece):
    """A picture, numbered through the sheet."""

    number: int
    uri: str
    """The picture itself, as a data: URI."""
    file: str = ""
    """Its path in the lab's folder, where it is a file."""
    alt: str
    """What is to be seen."""
    mermaid: str = ""
    """The same in Mermaid's language, where it is a graph."""


@dataclass(frozen=True, slots=True)
class Part:
    """A numbered, titled part of the document."""

    id: str
    number: int
    title: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A line of the score table: a check, and what it is worth."""

    id: str
    """The id of the piece."""
    title: str
    points: float


@dataclass(frozen=True, slots=True)
class Document:
    """A whole sheet."""

    lab: str
    """The lab's name."""
    title: str
    subtitle: str
    intro: str
    language: str
    for_teacher: bool
    parts: tuple[Part, ...]
    scores: tuple[Score, ...] = ()
    """Every check that gives points; the teacher's edition has them."""

    @property
    def points(self) -> float:
        """The points that the lab gives in all."""
        return sum(piece.points for part in self.parts for piece in part.pieces if isinstance(piece, Check))
