"""The Markdown of a spec, made safe, as HTML and as Markdown: HTML in it is text, and a link leads to a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from labspec.outputs.handout.highlight import highlighted

_OUTSIDE = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_LOCAL = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a text may refer to."""

    picture: Callable[[str], str]
    """A file of the lab -> its data: URI; raises LabError where it cannot be had."""
    anchors: Mapping[str, str]
    """What `#...` in the spec leads to -> the anchor in the sheet."""


def by_path(surroundings: Surroundings) -> Surroundings:
    """Return surroundings in which a picture that can be had is named by its path."""

    def path_of(path: str) -> str:
        surroundings.picture(path)
        return path

    return replace(surroundings, picture=path_of)


def as_html(text: str, surroundings: Surroundings, level: int) -> Markup:
    """Return the text as HTML, in which nothing runs and nothing is loaded; its highest heading gets this level."""
    tokens = safe_tokens(text, surroundings, level)
    # The renderer escapes: html is off, and the links and pictures have been looked at.
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704


def as_line(text: str) -> Markup:
    """Return the Markdown of one line as HTML without a paragraph around it, pictures and links left out."""
    return Markup(_parser().renderer.render([_line(text)], _parser().options, {}))  # noqa: S704


def _line(text: str) -> Token:
    [inline] = _parser().parseInline(" ".join(text.split()))
    return _with_children(inline, _plain(_children(inline, Surroundings(picture=lambda _: "", anchors={}))))


def safe_tokens(text: str, surroundings: Surroundings, level: int) -> list[Token]:
    """Return the text as tokens of markdown-it: links and pictures that may be, headings in order from a level on."""
    tokens = _parser().parse(text)
    levels = sorted({token.tag for token in tokens if token.type == "heading_open"})
    found = []
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            depth = min(_DEEPEST, level + levels.index(token.tag))
            token = token.copy(tag=f"h{depth}", markup="#" * depth)
        if token.type == "inline":
            token = _with_children(token, _children(token, surroundings))
        found.append(token)
    return found


def _parser() -> MarkdownIt:
    if not _PARSERS:
        parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
        parser.enable(["table", "strikethrough"])
        # Every address is taken for a link here; `_children` decides.
        parser.validateLink = _any_address  # type: ignore[method-assign]
        _PARSERS.append(parser)
    return _PARSERS[0]


def _any_address(url: str) -> bool:  # noqa: ARG001  markdown-it's signature
    return True


_PARSERS: list[MarkdownIt] = []


def _with_children(token: Token, children: Iterable[Token]) -> Token:
    return token.copy(children=list(children))


def _children(token: Token, surroundings: Surroundings) -> Iterator[Token]:
    """Yield what is in an inline token: a link that leads nowhere is its text, a picture from elsewhere its words."""
    kept: list[bool] = []
    for child in token.children or ():
        if child.type == "link_open":
            target = _target(str(child.attrs.get("href", "")), surroundings)
            kept.append(target is not None)
            if target is not None:
                outside = {} if target.startswith("#") else {"rel": "noopener noreferrer"}
                title = {key: value for key, value in child.attrs.items() if key == "title"}
                yield child.copy(attrs={"href": target, **title, **outside})
        elif child.type == "link_close":
            if kept.pop():
                yield child
        elif child.type == "image":
            yield from _picture(child, surroundings)
        else:
            yield child


def _target(href: str, surroundings: Surroundings) -> str | None:
    """Return where a link may lead, or None."""
    if href.startswith("#"):
        anchor = surroundings.anchors.get(href[1:])
        return f"#{anchor}" if anchor else None
    return href if _OUTSIDE.match(href) else None


def _picture(image: Token, surroundings: Surroundings) -> Iterator[Token]:
    source = str(image.attrs.get("src", ""))
    if source and not _LOCAL.match(source):
        from urllib.parse import unquote

        title = {key: value for key, value in image.attrs.items() if key == "title"}
        yield image.copy(attrs={"src": surroundings.picture(unquote(source)), "alt": "", **title})
        return
    words = image.content or source
    if _OUTSIDE.match(source):
        yield Token("link_open", "a", 1, attrs={"href": source, "rel": "noopener noreferrer"})
        yield Token("text", "", 0, content=words)
        yield Token("link_close", "a", -1)
    else:
        yield Token("text", "", 0, content=words)


def _plain(children: Iterable[Token]) -> Iterator[Token]:
    for child in children:
        if child.type == "image":
            yield Token("text", "", 0, content=child.content)
        elif child.type not in ("link_open", "link_close"):
            yield child


class _Renderer(RendererHTML):
    """markdown-it's HTML, with code in colours and wide tables in a box of their own."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:  # noqa: ARG002
        token = tokens[idx]
        words = token.info.split()
        return _code(token.content, words[0] if words else "")

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:  # noqa: ARG002
        return _code(tokens[idx].content, "")

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:  # noqa: ARG002
        return '<div class="wide"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:  # noqa: ARG002
        return "</table></div>\n"


def _code(text: str, language: str) -> str:
    return str(
        Markup('<pre class="code wide" translate="no" data-language="{}"><code>{}</code></pre>\n').format(
            language, highlighted(text.rstrip("\n"), language)
        )
    )


def as_markdown(text: str, surroundings: Surroundings, level: int) -> str:
    """Return the text as Markdown that every reader shows the same: HTML in it escaped, headings in order."""
    return _written(safe_tokens(text, surroundings, level))


def as_markdown_line(text: str) -> str:
    """Return the Markdown of one line as Markdown, pictures and links left out."""
    return _written([Token("paragraph_open", "p", 1), _line(text), Token("paragraph_close", "p", -1)])


def _written(tokens: Sequence[Token]) -> str:
    from mdformat.renderer import MDRenderer

    options = {**_parser().options, "parser_extension": [_GitHub], "mdformat": {"number": True}}
    return MDRenderer().render(tokens, options, {}).rstrip("\n")


class _GitHub:
    """How what GitHub adds to Markdown is written: an extension of mdformat."""

    @staticmethod
    def table(node: Any, context: Any) -> str:
        """Return a table."""
        rows = [row for group in node.children for row in group.children]
        lines = ["| " + " | ".join(cell.render(context) for cell in row.children) + " |" for row in rows]
        rule = "|" + "|".join(" --- " for _ in rows[0].children) + "|"
        return "\n".join([lines[0], rule, *lines[1:]])

    @staticmethod
    def cell(node: Any, context: Any) -> str:
        """Return a cell: what it says, on one line."""
        said = "".join(child.render(context) for child in node.children)
        return re.sub(r"(?<!\\)\|", "\\|", said.replace("\n", " "))

    @staticmethod
    def struck(node: Any, context: Any) -> str:
        """Return a text that is struck out."""
        return f"~~{''.join(child.render(context) for child in node.children)}~~"

    RENDERERS: ClassVar[Mapping[str, Any]] = {"table": table, "th": cell, "td": cell, "s": struck}
