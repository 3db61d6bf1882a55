"""The words of a Dockerfile's line as BuildKit's shell lexer sees them: quotes, escapes, heredocs."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

_HEREDOC = re.compile(r"[0-9]*<<(-?)([^<]+)")


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


def plain(word: str, escape: str = "\\") -> str | None:
    r"""Return what a word of ENV, LABEL or ARG says, as a spec has it; None where a spec cannot say it.

    There `$X` and `${X}` are Docker's to replace, `\$` is a dollar sign, and everything else stands for itself.
    """
    said: list[str] = []
    quote = ""
    index = 0
    while index < len(word):
        char = word[index]
        following = word[index + 1 : index + 2]
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
        elif char == "$" and quote == "'":
            said.append("\\$")
        elif char == "$" and following == "{":
            end = word.find("}", index)
            said.append(word[index - 1 : end + 1] if end > 0 else "$")
            index = end + 1 if end > 0 else index
        else:
            said.append(char)
    lost = any(part == "\\" and after[:1] in ("$", "\\$") for part, after in pairwise(said))
    return None if lost else "".join(said)
