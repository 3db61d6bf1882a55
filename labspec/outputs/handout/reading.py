"""From a lab and its captures to the document of one edition in one language."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from labspec.core.resource import Lab
from labspec.core.wording import Words, in_language
from labspec.outputs.handout.artifacts import printed
from labspec.outputs.handout.document import (
    Check,
    Document,
    Hint,
    Listing,
    Origin,
    Part,
    Picture,
    Piece,
    Prose,
    Question,
    Score,
    Solution,
    Terminal,
)
from labspec.outputs.handout.pictures import data_uri, lab_picture
from labspec.outputs.handout.words import Tongue
from labspec.sheet import captures as captured
from labspec.sheet import sheet as spec

CHECKS, HANDOUT = "checks", "handout"


def document_of(lab: Lab, captures: captured.Captures | None, *, edition: str, language: str) -> Document:
    """Return the document. What is not for its readers is left out first, and nothing looks at it again."""
    sheet = spec.sheet_of(lab.parts[HANDOUT]).edition(edition)
    reader = _Reader(lab, captures, edition, language)
    parts = tuple(
        Part(section.id, number, reader.say(section.title), tuple(reader.pieces(section.blocks)))
        for number, section in enumerate(sheet.sections, 1)
    )
    return Document(
        lab=lab.name,
        title=reader.say(sheet.title) or reader.say(lab.title) or lab.name,
        subtitle=reader.say(sheet.subtitle),
        intro=reader.say(sheet.intro),
        language=language,
        for_teacher=reader.for_teacher,
        parts=parts,
        scores=tuple(_scores(parts)) if reader.for_teacher else (),
    )


def _scores(parts: tuple[Part, ...]) -> Iterator[Score]:
    for part in parts:
        for piece in part.pieces:
            if isinstance(piece, Check) and piece.points:
                yield Score(piece.id, piece.title, piece.points)


class _Reader:
    """Turns the blocks of one edition into pieces of the document, in order: it counts questions and pictures."""

    def __init__(self, lab: Lab, captures: captured.Captures | None, edition: str, language: str) -> None:
        self.for_teacher = edition == spec.TEACHER
        self._edition = edition
        self._lab = lab
        self._captures = captures
        self._language = language
        self._tongue = Tongue(language)
        self._checks: Mapping[str, Mapping[str, Any]] = {check["id"]: check for check in lab.parts.get(CHECKS) or ()}
        self._questions = 0
        self._pictures = 0

    def say(self, words: Words) -> str:
        """Return a text of the spec in the document's language."""
        return in_language(words, self._language)

    def pieces(self, blocks: Iterable[spec.Block]) -> Iterator[Piece]:
        """Yield blocks as pieces of the document; not a check that its readers are not to see."""
        for block in blocks:
            if self._is_for_them(block):
                piece: Piece = getattr(self, f"_{block.kind}")(block, block.id, self.say(block.title))
                yield piece

    def _is_for_them(self, block: spec.Block) -> bool:
        if not isinstance(block, spec.Check):
            return True
        audience = self._check_of(block).get("audience") or spec.EDITIONS
        return self._edition in audience

    def _text(self, block: spec.Text, name: str, title: str) -> Piece:
        return Prose(id=name, title=title, text=self.say(block.text))

    def _hint(self, block: spec.Hint, name: str, title: str) -> Piece:
        return Hint(id=name, title=title, text=self.say(block.text))

    def _solution(self, block: spec.Solution, name: str, title: str) -> Piece:
        return Solution(id=name, title=title, text=self.say(block.text))

    def _question(self, block: spec.Question, name: str, title: str) -> Piece:
        self._questions += 1
        lines = block.answer_lines
        return Question(id=name, title=title, number=self._questions, text=self.say(block.text), answer_lines=lines)

    def _artifact(self, block: spec.Artifact, name: str, title: str) -> Piece:
        file = printed(self._lab, block.address, block.form, block.at)
        if block.form == "command":
            return Terminal(id=name, title=title, command=file.text, prompt="# ")
        return Listing(id=name, title=title, name=file.name, language=file.language, text=captured.clean(file.text))

    def _run(self, block: spec.Run, name: str, title: str) -> Piece:
        capture = None if block.recorded else self._capture(name)
        by_root = capture.user == "root" if capture else block.user in (None, "root")
        usual = "# " if by_root and block.place == spec.HOST else "$ "
        command = block.command if isinstance(block.command, str) else shlex.join(block.command)
        bare = Terminal(
            id=name,
            title=title,
            command=captured.clean(command).strip("\n"),
            prompt=usual if block.prompt is None else block.prompt,
            place="" if block.place == spec.HOST else block.place,
            lines=block.lines,
        )
        if block.recorded:
            kept = block.recorded
            origin = Origin(kept.date, self.say(kept.host), elsewhere=True, why=self.say(kept.why))
            return replace(bare, output=None if block.hidden else captured.clean(kept.output), origin=origin)
        return self._captured(bare, capture, hidden=block.hidden)

    def _show(self, block: spec.View, name: str, title: str) -> Piece:
        command = shlex.join(["labspec", "show", block.view, block.address])
        return self._captured(Terminal(id=name, title=title, command=command, prompt="$ "), self._capture(name))

    def _check(self, block: spec.Check, name: str, title: str) -> Piece:
        check = self._check_of(block)
        capture = self._capture(name) if self.for_teacher else None
        return Check(
            id=name,
            title=title or self.say(check.get("title") or "") or block.check,
            name=block.check,
            points=check.get("points") or 0,
            command=shlex.join(["labspec", "check", "--only", block.check]),
            expected=_expected(check) if self.for_teacher else "",
            seen=captured.clean(capture.stdout) if capture else "",
        )

    def _figure(self, block: spec.Figure, name: str, title: str) -> Piece:
        self._pictures += 1
        bare = Picture(id=name, title=title, number=self._pictures, uri="", alt=self.say(block.alt))
        if block.figure != spec.TOPOLOGY:
            return replace(bare, uri=lab_picture(self._lab.root, block.file), file=block.figure)
        from labspec.outputs import graph

        drawn = data_uri(graph.svg(self._lab, self._language).encode(), block.figure)
        alt = bare.alt or self._tongue.say("topology")
        return replace(bare, uri=drawn, alt=alt, mermaid=graph.mermaid(self._lab, self._language))

    def _check_of(self, block: spec.Check) -> Mapping[str, Any]:
        return self._checks.get(block.check, {})

    def _capture(self, name: str) -> captured.Capture | None:
        return self._captures.blocks.get(name) if self._captures else None

    def _captured(self, bare: Terminal, capture: captured.Capture | None, *, hidden: bool = False) -> Piece:
        """Return a command with what it printed, where that was captured and is to be seen."""
        if self._captures is None or capture is None:
            return bare
        if hidden:
            return replace(bare, exit=capture.exit)
        made = self._captures.origin
        return replace(
            bare,
            output=captured.clean(capture.stdout),
            errors=captured.clean(capture.stderr),
            exit=capture.exit,
            origin=Origin(made.date, made.system, made.kernel, made.docker, capture.seconds),
        )


def _expected(check: Mapping[str, Any]) -> str:
    """Return what a check looks at and what must be there, as YAML."""
    import yaml

    if not check.get("kind"):
        return ""
    return yaml.safe_dump({check["kind"]: dict(check.get("what") or {})}, sort_keys=False, allow_unicode=True).strip()
