"""Whether two Dockerfiles say the same: the instructions in order, with their flags and arguments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from labspec.imports.dockerfile_steps import unquoted
from labspec.kinds.image.parse import Instruction, instructions
from labspec.kinds.image.words import listed, plain, split

_MOUNT_NAMES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
_BEFORE_FROM = "ARG above FROM"


def differences(first: Sequence[Instruction], second: Sequence[Instruction], escape: str) -> Iterator[Instruction]:
    """Yield the instructions of the first that the second does not have in their place; it escapes with a backslash."""
    ours = list(_meanings(first, escape))
    theirs = list(_meanings(second, "\\"))
    for (item, one), (_, other) in zip_longest(ours, theirs, fillvalue=(first[-1], None)):
        if one != other:
            yield item


def _meanings(found: Sequence[Instruction], escape: str) -> Iterator[tuple[Instruction, Any]]:
    """Yield instructions with what they say; ARGs above the first FROM count as one, for nothing is between them."""
    begin = next((index for index, item in enumerate(found) if item.keyword == "FROM"), 0)
    if begin:
        yield found[0], (_BEFORE_FROM, [pair for item in found[:begin] for pair in _pairs(item, escape)])
    yield from ((item, meaning(item, escape)) for item in found[begin:])


def meaning(item: Instruction, escape: str = "\\") -> Any:
    """Return what an instruction says, the same however it is written."""
    flags = sorted(_flags(item.flags))
    match item.keyword:
        case "FROM":
            words = item.rest.split()
            return "FROM", flags, unquoted(words[0]), [word.lower() for word in words[2:3]]
        case "ENV" | "LABEL" | "ARG":
            return item.keyword, flags, _pairs(item, escape)
        case "RUN":
            return "RUN", flags, *_run(item, escape)
        case "COPY" | "ADD":
            return item.keyword, flags, _copied(item, escape)
        case "VOLUME":
            return "VOLUME", flags, _words(item.rest, escape)
        case "EXPOSE":
            return "EXPOSE", flags, [word.rpartition(":")[2] for word in _words(item.rest, escape)]
        case "CMD" | "ENTRYPOINT" | "SHELL":
            return item.keyword, flags, _command(item.rest)
        case "HEALTHCHECK":
            kind, *rest = item.rest.split(maxsplit=1)
            return "HEALTHCHECK", flags, kind.upper(), _command(rest[0] if rest else "")
        case "ONBUILD":
            return "ONBUILD", [meaning(inner, escape) for inner in instructions(item.rest)], _documents(item)
        case "WORKDIR" | "USER" | "STOPSIGNAL":
            return item.keyword, flags, plain(item.rest, escape) or _with_backslash(item.rest, escape)
        case _:
            return item.keyword, flags, _with_backslash(item.rest, escape)


def _flags(flags: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in flags:
        if name == "mount":
            pairs = (pair.partition("=") for pair in value.split(","))
            named = sorted((_MOUNT_NAMES.get(key.lower(), key.lower()), text or "true") for key, _, text in pairs)
            yield name, json.dumps(named)
        else:
            yield name, value or "true"


def _pairs(item: Instruction, escape: str) -> list[tuple[str | None, str | None]]:
    words = split(item.rest, escape) or [item.rest]
    if item.keyword != "ARG" and len(words) > 1 and "=" not in words[0]:
        first, rest = item.rest.split(maxsplit=1)
        return [(plain(first, escape), plain(rest, escape))]
    return [
        (plain(name, escape), plain(value, escape) if equals else None)
        for name, equals, value in (word.partition("=") for word in words)
    ]


def _run(item: Instruction, escape: str) -> tuple[Any, Any]:
    words = split(item.rest, escape)
    if len(item.heredocs) == 1 and words == [item.rest]:
        # The name of the word that ends it says nothing: the lines are all that is run.
        return "script", item.heredocs[0].content
    return _command(item.rest), _documents(item)


def _documents(item: Instruction) -> list[Any]:
    return [(doc.expand, doc.content) for doc in item.heredocs]


def _copied(item: Instruction, escape: str) -> Any:
    words = _words(item.rest, escape)
    sources, dest = words[:-1], words[-1:]
    plain_sources = [word for word in sources if not word.lstrip("0123456789").startswith("<<")]
    named = len(sources) > 1 or (dest and dest[0].endswith("/"))
    documents = [(doc.name if named else "", doc.expand, doc.content) for doc in item.heredocs]
    return plain_sources, dest, documents


def _command(text: str) -> Any:
    found = listed(text)
    return text if found is None else found


def _words(text: str, escape: str) -> list[str]:
    as_list = listed(text)
    if as_list is not None:
        return as_list
    words = (_with_backslash(word, escape) for word in text.split())
    return [unquoted(word) for word in words]


def _with_backslash(text: str, escape: str) -> str:
    return text if escape == "\\" else text.replace("\\", "\\\\").replace(escape, "\\")
