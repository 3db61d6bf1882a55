"""A command line as words, as a shell would hand them on, and as the flags of `docker run`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.imports.run_flags import ALIASES, BY_NAME, BY_SHORT, SWITCH

_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?-)([^${}`\"'\\]*))?\})")
_COMMAND = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_RUN = re.compile(r"docker (?:container )?(?:run|create) ")
_TRUE, _FALSE = ("1", "t", "true"), ("0", "f", "false")


class CommandLine(NamedTuple):
    """What a command line says: flag -> its values in order, the image, and the words behind it."""

    flags: Mapping[str, Sequence[str]]
    image: str
    words: Sequence[str]

    def value(self, name: str) -> str | None:
        """Return the last value of a flag, or None."""
        found = self.flags.get(name)
        return found[-1] if found else None

    def switch(self, name: str) -> bool | None:
        """Return whether a flag is on; None where it is not given. Raises LabError for another value."""
        value = self.value(name)
        if value is None:
            return None
        if value.lower() not in (*_TRUE, *_FALSE):
            raise LabError(f"--{name}={value}: expected true or false")
        return value.lower() in _TRUE


def shell_words(line: str, environment: Mapping[str, str], folder: str) -> list[str]:
    """Return the words of a line as a shell splits it: quotes, `\\`, variables of `environment`, $(pwd).

    Raises LabError for what only a shell can do.
    """
    found: list[str] = []
    word: list[str] | None = None
    index, quote = 0, ""
    while index < len(line):
        char = line[index]
        if char == "\\" and quote != "'":
            following = line[index + 1 : index + 2]
            index += 2
            if following == "\n":
                continue
            if not quote and re.match(r"[ \t]+\n", line[index - 1 :]):
                raise LabError("a blank stands behind the backslash at the end of a line", hint="remove the blank")
            kept = char if quote and following not in '"\\$`' else ""
            word = [*(word or []), kept + following]
            continue
        if quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote, word = char, word or []
        elif char in "$`" and quote != "'":
            value, index = _expanded(line, index, quote, environment, folder)
            word = [*(word or []), value] if value or word or quote else word
            continue
        elif not quote and char == "#" and word is None:
            end = line.find("\n", index)
            index = end if end >= 0 else len(line)
            continue
        elif not quote and char.isspace():
            found += ["".join(word)] if word is not None else []
            word = None
        elif not quote and char in ";&|<>":
            raise LabError(
                f"'{char}' outside of quotes: this is more than one command", hint="give just 'docker run ...'"
            )
        elif not quote and char == "~" and word is None and line[index + 1 : index + 2] in ("", "/", " "):
            word = [environment.get("HOME", "~")]
        else:
            word = [*(word or []), char]
        index += 1
    if quote:
        raise LabError(f"a quote {quote} is not closed")
    return [*found, "".join(word)] if word is not None else found


def _expanded(line: str, index: int, quote: str, environment: Mapping[str, str], folder: str) -> tuple[str, int]:
    """Return what a dollar sign or a backquote stands for, and where that ends."""
    if command := _COMMAND.match(line, index):
        written = (command[1] if command[1] is not None else command[2]).strip()
        values = {"pwd": folder, "id -u": str(os.getuid()), "id -g": str(os.getgid())}
        # A command of nothing but a comment is how one stands between the options of a command of several lines.
        value = "" if written.startswith("#") else values.get(written)
        if value is None:
            raise LabError(f"'{command[0]}' runs a command", hint="write what it prints instead")
        return value, command.end()
    if found := _VARIABLE.match(line, index):
        name, default = found[1] or found[2], found[4]
        value = environment.get(name, folder if name == "PWD" else default)
        if found[3] == ":-":
            value = value or default
        if value is None:
            raise LabError(f"the variable {name} has no value", hint="set it, or write the value instead")
        return value, found.end()
    following = line[index + 1 : index + 2]
    if line[index] == "`" or following in ("{", "(") or (not quote and following in ("'", '"')):
        raise LabError(f"'{line[index : index + 20]}' is for a shell to read", hint="write what it stands for instead")
    if following and (following.isdigit() or following in "@*#?$!-"):
        raise LabError(f"the variable {following} has no value", hint="write the value instead")
    return "$", index + 1


def command_line(words: Sequence[str]) -> CommandLine:
    """Return what the words of a `docker run` or `docker create` say. Raises LabError for what Docker would refuse."""
    rest = list(words)
    while rest and (rest[0] in ("sudo", "$", "#") or re.fullmatch(r"[A-Z_]+=\S*", rest[0])):
        rest.pop(0)
    start = _RUN.match(" ".join(rest[:4]) + " ")
    if rest[:1] == ["docker"] and rest[1:2] and rest[1].startswith("-"):
        raise LabError(
            f"{rest[1]} is an option of docker, not of 'docker run'", hint="leave it out: a spec names no engine"
        )
    if start is None:
        raise LabError(
            "this is no 'docker run'", hint="for example: labspec import run -- docker run -d -p 80:80 nginx"
        )
    rest = rest[len(start[0].split()) :]
    flags: dict[str, list[str]] = {}
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        for name, value in (_long if word.startswith("--") else _short)(word, rest):
            flags.setdefault(name, []).append(value)
    if not rest:
        raise LabError("the command names no image", hint="docker run [OPTIONS] IMAGE [COMMAND] [ARG...]")
    return CommandLine(flags, rest[0], rest[1:])


def _long(word: str, rest: list[str]) -> list[tuple[str, str]]:
    written, equals, value = word[2:].partition("=")
    flag = BY_NAME.get(ALIASES.get(written, written))
    if flag is None:
        raise LabError(f"docker run has no flag --{written}", hint=did_you_mean(written, BY_NAME))
    if flag.kind == SWITCH:
        return [(flag.name, value if equals else "true")]
    return [(flag.name, value if equals else _next(f"--{written}", rest))]


def _short(word: str, rest: list[str]) -> list[tuple[str, str]]:
    found = []
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = BY_SHORT.get(letter)
        if flag is None:
            raise LabError(f"docker run has no flag -{letter}", hint=f"in {word}")
        if flag.kind == SWITCH:
            value = "true"
            if letters.startswith("="):
                value, letters = letters[1:], ""
            found.append((flag.name, value))
            continue
        found.append((flag.name, letters.removeprefix("=") if letters else _next(f"-{letter}", rest)))
        break
    return found


def _next(flag: str, rest: list[str]) -> str:
    if not rest:
        raise LabError(f"the flag {flag} lacks its value")
    return rest.pop(0)
