"""File patterns as Docker has them: of COPY (Go's filepath.Match) and of .dockerignore (which adds `**` and `!`)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass


def has_wildcard(pattern: str) -> bool:
    """Return whether a path of COPY is a pattern."""
    return any(char in pattern for char in "*?[")


def segment_pattern(segment: str) -> re.Pattern[str] | None:
    """Return what one part of a pattern (no '/') matches, or None where the pattern is no valid one."""
    try:
        return re.compile(_translated(segment))
    except re.error:
        return None


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules of a .dockerignore: (keep it after all, what it matches), of which the last that matches counts."""

    rules: tuple[tuple[bool, re.Pattern[str]], ...] = ()

    @classmethod
    def of(cls, text: str) -> Ignore:
        """Return the rules in the text of a .dockerignore; a rule that is no valid pattern matches nothing."""
        return cls(tuple(_rules(text.removeprefix("\ufeff").splitlines())))

    def hides(self, path: str) -> bool:
        """Return whether a file or folder, relative to the context, is left out of it."""
        hidden = False
        for keep, pattern in self.rules:
            if hidden == keep and pattern.match(path):
                hidden = not keep
        return hidden

    @property
    def exceptions(self) -> bool:
        """Whether something in a folder that is left out may still be kept."""
        return any(keep for keep, _ in self.rules)


NOTHING = Ignore()
"""Leaves nothing out."""


def _rules(lines: Sequence[str]) -> list[tuple[bool, re.Pattern[str]]]:
    rules = []
    for line in lines:
        text = line.strip()
        if not text or line.startswith("#"):
            continue
        keep = text.startswith("!")
        path = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
        try:
            # A rule for a folder is one for all that is in it.
            rules.append((keep, re.compile(_translated(path) + "(?:/.*)?$", re.DOTALL)))
        except re.error:
            continue
    return rules


def _translated(pattern: str) -> str:
    """Return the regular expression of a pattern. `**` matches any number of folders."""
    out = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*" and pattern.startswith("*", index):
            index += 1
            if pattern.startswith("/", index):
                index += 1
                out.append("(?:.*/)?")
            else:
                out.append(".*")
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            end = pattern.find("]", index + 1)
            if end < 0:
                raise re.error("no ']' for '['")
            inside = pattern[index:end]
            negated = inside.startswith("^")
            body = inside[negated:].replace("[", "\\[").replace("&&", "\\&&")
            out.append(f"[{'^' if negated else ''}{body}]")
            index = end + 1
        elif char == "\\" and index < len(pattern):
            out.append(re.escape(pattern[index]))
            index += 1
        else:
            out.append(re.escape(char))
    return "".join(out)
