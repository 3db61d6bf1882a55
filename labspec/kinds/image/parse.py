"""Reading a Dockerfile as BuildKit does, as far as to know what it takes from where.

https://docs.docker.com/reference/dockerfile/ has the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from labspec.kinds.image.words import Heredoc, heredocs, listed, options

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN", "ONBUILD")
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@", re.IGNORECASE)
_REFERENCE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^${}]*))?\})")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: `flags` without their dashes, `rest` what follows them."""

    line: int
    """Where it begins; lines count from 1."""
    keyword: str
    """In capitals."""
    flags: tuple[tuple[str, str], ...]
    rest: str
    end: int = 0
    """The line behind it, and behind what its heredocs have."""
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str) -> str | None:
        """Return the value of a flag ("" for one without), or None."""
        return dict(self.flags).get(name)

    def words(self) -> list[str]:
        """Return what follows the flags as a list: as JSON where it is, else cut at blanks."""
        found = listed(self.rest)
        return self.rest.split() if found is None else found


@dataclass(frozen=True, slots=True)
class Source:
    """Something that an instruction takes from the build's context."""

    line: int
    path: str
    """Relative to the context; may have `*`, `?` and `[...]`. "." where only the build knows."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: the image that it starts from, and its name."""

    line: int
    image: str
    name: str


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile."""
    lines = text.removeprefix("\ufeff").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    escape = escape_of(lines)
    continued = re.compile(r"(?:(?<!{0})|^){0}[ \t]*$".format(re.escape(escape)))
    found = []
    index = 0
    while index < len(lines):
        begin = index
        joined = ""
        while index < len(lines):
            line = lines[index]
            index += 1
            if line.lstrip().startswith("#"):
                if joined:
                    continue
                break
            cut = continued.sub("", line)
            joined += cut if joined else cut.lstrip()
            if cut == line and (line.strip() or not joined):
                break
        if not joined.strip():
            continue
        instruction = _instruction(begin + 1, joined.strip())
        documents, index = _heredocs(instruction, lines, index, escape)
        found.append(replace(instruction, end=index + 1, heredocs=documents))
    return found


def stages(found: Sequence[Instruction]) -> list[Stage]:
    """Return the stages of a Dockerfile in order."""
    result = []
    for item in found:
        words = item.rest.split()
        if item.keyword == "FROM" and words:
            named = len(words) >= 3 and words[1].upper() == "AS"
            result.append(Stage(item.line, words[0], words[2].lower() if named else ""))
    return result


def outside_images(found: Sequence[Instruction], arguments: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield (line, reference) of every image that a Dockerfile uses and does not make itself."""
    names: set[str] = set()
    known: dict[str, str] = {}
    for item in found:
        if item.keyword == "ARG" and not names:
            _remember(item, known, arguments)
        elif item.keyword == "FROM":
            (stage,) = stages([item]) or (None,)
            if stage is None:
                continue
            image = expanded(stage.image, known)
            if image and image.lower() not in names and image != "scratch":
                yield item.line, image
            names |= {stage.name, " "}
        else:
            for used in _used_images(item):
                if used.lower() not in names and not used.isdigit():
                    yield item.line, used


def sources(found: Sequence[Instruction], arguments: Mapping[str, str]) -> list[Source]:
    """Return what a Dockerfile takes from its context, with build arguments of these values."""
    result = []
    known: dict[str, str] = {}
    for item in found:
        if item.keyword in ("ARG", "ENV"):
            _remember(item, known, arguments)
        paths: list[str] = []
        if item.keyword in ("COPY", "ADD") and item.flag("from") is None:
            paths = [word for word in item.words()[:-1] if not re.match(r"[0-9]*<<", word)]
        elif item.keyword == "RUN":
            paths = [mount.get("source", mount.get("src", ".")) for mount in _bind_mounts(item) if "from" not in mount]
        local = (path.strip("\"'") for path in paths if not _REMOTE.match(path))
        result += [Source(item.line, expanded(path, known) or ".") for path in local]
    return result


def entitlements(found: Sequence[Instruction]) -> list[str]:
    """Return what a build must be allowed for this Dockerfile, as `docker buildx build --allow` names it."""
    asked = {item.flags for item in found if item.keyword == "RUN"}
    pairs = {pair for flags in asked for pair in flags}
    wanted = {("network", "host"): "network.host", ("security", "insecure"): "security.insecure"}
    return sorted(name for pair, name in wanted.items() if pair in pairs)


def expanded(text: str, known: Mapping[str, str]) -> str | None:
    """Return text with its variables replaced, or None where a value is not known."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name = match[1] or match[2]
        found = known.get(name)
        if match[3] in ("+", ":+"):
            return match[4] if found else ""
        if match[3]:
            return found or match[4]
        missing = missing or found is None
        return found or ""

    result = _REFERENCE.sub(value, text)
    return None if missing or "$" in result else result


def escape_of(lines: Sequence[str]) -> str:
    """Return the character that a Dockerfile of these lines escapes with."""
    return next((value for name, value, _ in directives(lines) if name == "escape"), "\\")


def directives(lines: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return the parser directives at the top of a Dockerfile: name, value, and the line, from 1."""
    found = []
    for number, line in enumerate(lines, 1):
        directive = _DIRECTIVE.fullmatch(line)
        if not directive or directive[1].lower() not in ("escape", "syntax", "check"):
            break
        found.append((directive[1].lower(), directive[2], number))
    return found


def _instruction(line: int, text: str) -> Instruction:
    keyword, rest = (*text.split(maxsplit=1), "")[:2]
    flags, rest = options(rest)
    return Instruction(line, keyword.upper(), tuple(flags), rest)


def _heredocs(
    instruction: Instruction, lines: Sequence[str], index: int, escape: str
) -> tuple[tuple[Heredoc, ...], int]:
    """Return the heredocs of an instruction that ends above line `index`, from 0, and the line behind them."""
    if instruction.keyword not in _WITH_HEREDOCS:
        return (), index
    found = []
    for announced in heredocs(instruction.rest, escape):
        content = []
        while index < len(lines):
            line = lines[index].lstrip("\t") if announced.chomp else lines[index]
            index += 1
            if line == announced.name:
                break
            content.append(line + "\n")
        found.append(announced._replace(content="".join(content)))
    return tuple(found), index


def _remember(item: Instruction, known: dict[str, str], arguments: Mapping[str, str]) -> None:
    for word in re.findall(r"""(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*')+""", item.rest):
        name, equals, value = word.partition("=")
        if item.keyword == "ARG" and name in arguments:
            known[name] = arguments[name]
        elif equals:
            plain = expanded(value.strip("\"'"), known)
            if plain is None:
                known.pop(name, None)
            else:
                known[name] = plain


def _mounts(item: Instruction) -> list[dict[str, str]]:
    mounts = [value.split(",") for name, value in item.flags if name == "mount"]
    return [{name: value for name, _, value in (pair.partition("=") for pair in mount)} for mount in mounts]


def _bind_mounts(item: Instruction) -> list[dict[str, str]]:
    return [mount for mount in _mounts(item) if mount.get("type", "bind") == "bind"]


def _used_images(item: Instruction) -> Iterator[str]:
    if item.keyword in ("COPY", "ADD") and item.flag("from"):
        yield item.flag("from") or ""
    if item.keyword == "RUN":
        yield from (mount["from"] for mount in _mounts(item) if mount.get("from"))
