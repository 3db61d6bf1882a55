"""The words of a Dockerfile's line as BuildKit's shell lexer sees them: flags, quotes, escapes, heredocs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

_HEREDOC = re.compile(r"[0-9]*<<(-?)([^<]+)")
_SIMPLE = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]|\{[A-Za-z0-9_]+\})")
_OPENED = re.compile(r"\$\{[A-Za-z0-9_]+:?([-+?#%/])")


class Heredoc(NamedTuple):
    """Lines that belong to an instruction."""

    name: str
    chomp: bool
    """Written <<-: tabs at the beginning of its lines do not count."""
    expand: bool
    """Written without quotes: variables in it are replaced, where the instruction does that."""
    content: str = ""


def split(text: str, escape: str = "\\") -> list[str] | None:
    """Return words with their quotes and escapes as written; None where a quote is not closed."""
    words: list[str] = []
    word: list[str] = []
    quote = ""
    index = 0
    while index < len(text):
        char = text[index]
        if char == escape and quote != "'" and index + 1 < len(text):
            word.append(text[index : index + 2])
            index += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char.isspace():
            if word:
                words.append("".join(word))
            word = []
            index += 1
            continue
        word.append(char)
        index += 1
    if quote:
        return None
    return [*words, "".join(word)] if word else words


def heredocs(text: str, escape: str = "\\") -> list[Heredoc]:
    """Return the heredocs that a line announces, without their content."""
    found = []
    for word in split(text, escape) or ():
        match = _HEREDOC.fullmatch(word)
        if match and not match[2].isspace():
            name = re.sub(r"[\"']", "", match[2])
            found.append(Heredoc(name, match[1] == "-", name == match[2]))
    return found


def options(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the flags that a text begins with, without their dashes, quotes and escapes, and what follows them."""
    found: list[tuple[str, str]] = []
    rest = text.lstrip()
    while rest.startswith("--"):
        word, end = _option(rest)
        rest = rest[end:].lstrip()
        if word == "--":
            break
        name, _, value = word[2:].partition("=")
        found.append((name, value))
    return found, rest


def listed(text: str) -> list[str] | None:
    """Return the words of the JSON form; None for the other one. As in BuildKit, what follows the list is nothing."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None


def plain(word: str, escape: str = "\\", *, inner: bool = False) -> str | None:
    r"""Return what a word of ENV, LABEL or ARG says, as a spec has it; None where a spec cannot say it.

    There `$X` and `${X}` are Docker's to replace, `\$` is a dollar sign, `\\$X` a backslash before what is
    replaced, and everything else stands for itself.
    `inner` is for the word of `${X:-word}`, in which some characters cannot.
    """
    said: list[str] = []
    quote = ""
    index = 0
    while index < len(word):
        char = word[index]
        following = word[index + 1 : index + 2]
        if char == "$" and quote != "'":
            reference, index = _reference(word, index, escape)
            said.append(reference)
            continue
        index += 1
        if char == escape and quote != "'" and following:
            if quote and following not in (escape, '"', "$"):
                said.append(char)
                continue
            said.append("\\$" if following == "$" else following)
            index += 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            said.append("\\$" if char == "$" else char)
    if inner and {"'", "}", "\\"} & {*said}:
        return None
    return _joined(said)


def _option(text: str) -> tuple[str, int]:
    """Return the first word without its quotes and escapes, and where it ends."""
    word, quote, index = "", "", 0
    while index < len(text) and (quote or not text[index].isspace()):
        char = text[index]
        index += 1
        if char == "\\":
            word += text[index : index + 1]
            index += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            word += char
    return word, index


def _reference(word: str, index: int, escape: str) -> tuple[str, int]:
    r"""Return what a dollar sign begins and where that ends: `$X`, `${X}`, `${X:-word}`, `\$` for one of its own.

    Empty where a spec cannot say it.
    """
    if simple := _SIMPLE.match(word, index):
        return simple[0], simple.end()
    opened = _OPENED.match(word, index)
    if opened is None:
        return "\\$", index + 1
    end = _closing(word, opened.end(), escape)
    inside = word[opened.end() : end]
    said: str | None = inside
    if end == len(word):
        said = None
    elif opened[1] in ("#", "%", "/"):
        said = None if {"'", '"', "`"} & {*inside} else inside
    else:
        said = plain(inside, escape, inner=True)
    return ("" if said is None else f"{opened[0]}{said}}}"), end + 1


def _closing(word: str, index: int, escape: str) -> int:
    """Return where the brace is that closes what was opened before `index`."""
    quote, depth = "", 1
    while index < len(word):
        char = word[index]
        if char == escape and quote != "'":
            index += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif word.startswith("${", index):
            depth += 1
        elif char == "}":
            depth -= 1
            if not depth:
                return index
        index += 1
    return len(word)


def _joined(said: Sequence[str]) -> str | None:
    """Return parts as one text, in which no part runs into the next; None where a spec cannot say one of them."""
    made = ""
    for part in reversed(said):
        if not part:
            return None
        if part == "\\" and re.match(r"\\*\$", made):
            made = "\\" + made
        apart = part.startswith("$") and re.match(r"[A-Za-z0-9_]", made) and re.match(r"[A-Za-z0-9_]", part[1:])
        made = (f"${{{part[1:]}}}" if apart else part) + made
    return made
