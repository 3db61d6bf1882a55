"""A document as Markdown that GitHub shows, and that reads well in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatchmethod
from urllib.parse import quote

from labspec.outputs.handout.document import (
    Check,
    Document,
    Hint,
    Listing,
    Picture,
    Piece,
    Prose,
    Question,
    Solution,
    Terminal,
)
from labspec.outputs.handout.markdown import Surroundings, as_line, as_markdown, as_markdown_line
from labspec.outputs.handout.page import facts, origin_line, section_anchor
from labspec.outputs.handout.words import Tongue

_TEXT_LEVEL = 3


def plain(document: Document, surroundings: Surroundings) -> str:
    """Return the document as Markdown."""
    return "\n\n".join(_Writer(document, surroundings).blocks()) + "\n"


class _Writer:
    """Writes the parts of one document, each a block with empty lines around it."""

    def __init__(self, document: Document, surroundings: Surroundings) -> None:
        self._document = document
        self._surroundings = surroundings
        self._tongue = Tongue(document.language)
        self._say = self._tongue.say

    def blocks(self) -> Iterator[str]:
        """Yield every block, in order."""
        document = self._document
        yield f"# {as_markdown_line(document.title)}"
        if document.for_teacher:
            yield f"> **{self._say('teacher')}.** {self._say('teacher_note')}"
        if document.subtitle:
            yield f"*{as_markdown_line(document.subtitle)}*"
        told = facts(document, self._tongue)
        if told:
            yield " · ".join(map(as_markdown_line, told))
        if document.intro:
            yield self._text(document.intro, 2)
        if document.parts:
            yield f"**{self._say('contents')}**"
            yield "\n".join(
                f"{part.number}. [{_label(part.title)}](#{section_anchor(part.id)})" for part in document.parts
            )
        for part in document.parts:
            yield f'<a id="{section_anchor(part.id)}"></a>'
            yield f"## {part.number}. {as_markdown_line(part.title)}"
            for piece in part.pieces:
                yield from self.piece(piece)
        if document.scores:
            yield f"## {self._say('score')}"
            yield self._score_table()

    @singledispatchmethod
    def piece(self, piece: Piece) -> Iterator[str]:
        """Yield a piece as blocks of Markdown."""
        raise NotImplementedError(type(piece))

    @piece.register
    def _prose(self, piece: Prose) -> Iterator[str]:
        yield from self._title(piece)
        yield self._text(piece.text)

    @piece.register
    def _terminal(self, piece: Terminal) -> Iterator[str]:
        said = [f"**{as_markdown_line(piece.title)}**"] if piece.title else []
        said += [self._say("in", place=f"`{piece.place}`")] if piece.place else []
        if said:
            yield " ".join(said)
        command = piece.prompt + piece.command.replace("\n", "\n" + " " * len(piece.prompt))
        yield _fenced(f"{command}\n{self._cut(piece.output or '', piece.lines)}", "console")
        if piece.errors:
            yield f"{self._say('errors')}{self._say('colon')}"
            yield _fenced(piece.errors, "text")
        if piece.exit:
            yield f"{self._say('exit_code')} `{piece.exit}`"
        if piece.origin:
            line = as_markdown_line(origin_line(piece.origin, self._tongue))
            if piece.origin.elsewhere:
                why = f" {as_markdown_line(piece.origin.why)}" if piece.origin.why else ""
                yield f"> **{self._say('recorded')}{self._say('colon')} {line}.**{why}"
            else:
                yield f"<sub>{line}</sub>"

    @piece.register
    def _listing(self, piece: Listing) -> Iterator[str]:
        yield from self._title(piece)
        yield f"`{piece.name}`{self._say('colon')}"
        yield _fenced(piece.text, piece.language)

    @piece.register
    def _question(self, piece: Question) -> Iterator[str]:
        label = self._say("question", number=piece.number)
        title = f"{self._say('colon')} {as_markdown_line(piece.title)}" if piece.title else ""
        yield f"**{label}{title}**"
        yield self._text(piece.text)

    @piece.register
    def _hint(self, piece: Hint) -> Iterator[str]:
        # Markdown says nothing inside the lines of HTML.
        title = f"{self._say('colon')} {as_line(piece.title)}" if piece.title else ""
        yield f"<details>\n<summary>{self._say('hint')}{title}</summary>"
        yield self._text(piece.text)
        yield "</details>"

    @piece.register
    def _solution(self, piece: Solution) -> Iterator[str]:
        title = f"{self._say('colon')} {as_markdown_line(piece.title)}" if piece.title else ""
        yield _quoted(f"**{self._say('solution')}{title}**\n\n{self._text(piece.text)}")

    @piece.register
    def _check(self, piece: Check) -> Iterator[str]:
        points = f" ({self._tongue.points(piece.points)})" if piece.points else ""
        yield f"- [ ] **{self._say('check')}{self._say('colon')} {as_markdown_line(piece.title)}**{points}"
        yield _fenced(f"$ {piece.command}\n{piece.seen}", "console")
        if piece.expected:
            yield _quoted(f"**{self._say('expected')}**\n\n{_fenced(piece.expected, 'yaml')}")

    @piece.register
    def _picture(self, piece: Picture) -> Iterator[str]:
        if piece.mermaid:
            yield _fenced(piece.mermaid, "mermaid")
        else:
            yield f"![{_label(piece.alt)}](<{quote(piece.file)}>)"
        label = self._say("figure", number=piece.number)
        yield f"*{label}{self._say('colon')} {as_markdown_line(piece.title or piece.alt)}*"

    def _text(self, text: str, level: int = _TEXT_LEVEL) -> str:
        return as_markdown(text, self._surroundings, level)

    def _title(self, piece: Piece) -> Iterator[str]:
        if piece.title:
            yield f"**{as_markdown_line(piece.title)}**"

    def _cut(self, output: str, lines: int | None) -> str:
        written = output.rstrip("\n").split("\n")
        if lines is None or len(written) <= lines:
            return output
        left = self._tongue.count("more_line", "more_lines", len(written) - lines)
        return "\n".join([*written[:lines], f"[… {left}]"])

    def _score_table(self) -> str:
        rows = [(as_markdown_line(score.title), score.points) for score in self._document.scores]
        rows += [(f"**{self._say('total')}**", self._document.points)]
        lines = [f"| {title} | {self._tongue.number(points)} | |" for title, points in rows]
        head = f"| {self._say('check')} | {self._say('points_title')} | {self._say('score_got')} |"
        return "\n".join([head, "| --- | ---: | ---: |", *lines])


def _fenced(text: str, language: str) -> str:
    """Return a block of code, between more backticks than there are in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _label(text: str) -> str:
    """Return a text as what stands between the brackets of a link."""
    return as_markdown_line(text).replace("\n", " ")
