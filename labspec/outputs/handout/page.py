"""A document as one HTML page: complete in itself for the screen, or as the ground of a PDF."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup

from labspec import __version__
from labspec.kinds.templates import rendered
from labspec.outputs.handout.document import Document, Listing, Origin, Part, Piece, Score, Terminal
from labspec.outputs.handout.highlight import highlighted, language_of
from labspec.outputs.handout.markdown import Surroundings, as_html, as_line
from labspec.outputs.handout.words import Tongue

TEMPLATE = "handout/sheet.html.j2"
STYLE = "handout/sheet.css.j2"
SCRIPT = "handout/sheet.js"
LONG = 30
"""Lines from which on the screen shows the beginning of an output, until it is asked for all."""
MOST_ON_PAPER = 60
"""Lines of an output that paper shows, where the sheet does not say how many."""
SHORT = 28
"""Lines up to which a block is kept on one page."""
_WIDTHS = ((92, "w-1"), (110, "w-2"), (132, "w-3"))
"""Columns that fit on paper -> the class of the size that they are set in."""


class Cut(NamedTuple):
    """An output as it is shown."""

    text: str
    width: str
    """The class of its size on paper."""
    lines: int
    """How many lines are shown."""
    more: int
    """How many lines are left out."""
    long: bool
    """The screen shows its beginning only."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the templates ask for."""

    document: Document
    surroundings: Surroundings
    screen: bool
    tongue: Tongue

    def values(self) -> dict[str, Any]:
        """Return the names that the templates know."""
        names = ("prose", "code", "cut_at", "origin", "more", "short", "anchor", "part_anchor")
        return {
            "document": self.document,
            "screen": self.screen,
            "say": self.tongue.say,
            "points": self.tongue.points,
            "number": self.tongue.number,
            "facts": facts(self.document, self.tongue),
            "version": __version__,
            "line": as_line,
            "language_of": language_of,
            "kind_of": lambda piece: type(piece).__name__.lower(),
            **{name: getattr(self, name) for name in names},
        }

    def prose(self, text: str, level: int) -> Markup:
        """Return Markdown as HTML, its highest heading of this level."""
        return as_html(text, self.surroundings, level)

    def code(self, text: str, language: str) -> Markup:
        """Return code as HTML."""
        return highlighted(text, language)

    def cut_at(self, text: str, lines: int | None) -> Cut:
        """Return an output as it is shown: up to so many lines, or as many as the medium takes."""
        written = text.rstrip("\n").split("\n")
        most = lines or (len(written) if self.screen else MOST_ON_PAPER)
        shown = written[:most]
        return Cut(
            text="\n".join(shown),
            width=next((name for columns, name in _WIDTHS if widest(shown) <= columns), "w-4"),
            lines=len(shown),
            more=len(written) - len(shown),
            long=len(shown) > LONG,
        )

    def more(self, count: int) -> str:
        """Return how many lines are left out."""
        return f"[… {self.tongue.count('more_line', 'more_lines', count)}]"

    def origin(self, origin: Origin) -> str:
        """Return where and when an output came about."""
        return origin_line(origin, self.tongue)

    def short(self, piece: Terminal | Listing) -> bool:
        """Return whether a block is so short that it is kept on one page."""
        texts = [piece.text] if isinstance(piece, Listing) else [piece.command, piece.output or "", piece.errors]
        return sum(text.count("\n") + 1 for text in texts if text) <= SHORT

    def anchor(self, piece: Piece | Score) -> str:
        """Return the anchor of a block."""
        return block_anchor(piece.id)

    def part_anchor(self, part: Part) -> str:
        """Return the anchor of a part."""
        return section_anchor(part.id)


def page(document: Document, surroundings: Surroundings, *, screen: bool) -> str:
    """Return the document as HTML; for the screen it is complete in itself, for paper it lacks the style sheet."""
    layout = Layout(document, surroundings, screen, Tongue(document.language))
    style, script = style_sheet(), rendered(SCRIPT)
    return rendered(
        TEMPLATE,
        escape=True,
        **layout.values(),
        # Ours, to the letter: nothing of the lab is in them.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=policy(style, script),
    )


def style_sheet() -> str:
    """Return the style sheet of screen and paper."""
    return rendered(STYLE)


def policy(style: str, script: str) -> str:
    """Return the page's content security policy: this one style sheet, this one script, pictures in the page."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def facts(document: Document, tongue: Tongue) -> list[str]:
    """Return what is told below the title: how many points the lab gives."""
    return [tongue.points(document.points)] if document.points else []


def origin_line(origin: Origin, tongue: Tongue) -> str:
    """Return where and when an output came about, in one line."""
    if origin.elsewhere:
        return tongue.say("recorded_on", host=origin.host, date=tongue.date(origin.date))
    said = [tongue.say("captured", date=tongue.date(origin.date)), origin.host]
    said += [tongue.say("kernel", version=origin.kernel)] if origin.kernel else []
    said += [tongue.say("docker", version=origin.engine)] if origin.engine else []
    return " · ".join(part for part in said if part)


def block_anchor(name: str) -> str:
    """Return the anchor of the block with an id."""
    return f"b-{name}"


def section_anchor(name: str) -> str:
    """Return the anchor of the section with an id."""
    return f"s-{name}"


def anchors(document: Document) -> dict[str, str]:
    """Return what a link in the spec's Markdown may lead to: sections and blocks of this edition, by their ids."""
    blocks = {piece.id: block_anchor(piece.id) for part in document.parts for piece in part.pieces}
    return {**blocks, **{part.id: section_anchor(part.id) for part in document.parts}}


def widest(lines: list[str]) -> int:
    """Return the number of columns of the longest line."""
    return max(map(len, lines), default=0)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
