"""RUN as a step of a spec: its command as it is written, its options, and what both need."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from labspec.kinds.image.dockerfile import is_one_instruction
from labspec.kinds.image.parse import Instruction, instructions
from labspec.kinds.image.words import listed, split

Step = dict[str, Any]

_MOUNT_NAMES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
_MOUNT_SWITCHES = ("readonly", "readwrite", "required")
_MOUNT_ORDER = (
    *("type", "target", "source", "from", "id", "env", "sharing", "readwrite", "readonly", "required"),
    *("size", "mode", "uid", "gid"),
)
_MOUNT_NUMBERS = ("uid", "gid")


class CannotError(Exception):
    """An instruction that no step can say, or that BuildKit refuses."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def run_of(item: Instruction, lines: Sequence[str], escape: str) -> Any:
    """Return what `run` says for a RUN; `lines` are the lines that it stands on. Raises CannotError."""
    refuse_flags(item, ("mount", "network", "security"))
    options: Step = {key: value for key in ("network", "security") if (value := item.flag(key))}
    mounts = [_mount(value) for name, value in item.flags if name == "mount"]
    if mounts:
        options["mount"] = mounts
    options = ordered(options, ("mount", "network", "security"))
    found = listed(item.rest)
    if found is None and is_script(item, escape):
        script = item.heredocs[0].content
        shown = script.strip("\n")
        if f"{shown}\n" != script or is_one_instruction(shown):
            return {"script": script, **options}
        return {"cmd": script, **options} if options else script
    command = _written(item, lines, escape) if found is None else found
    return {"cmd": command, **options} if options else command


def is_script(item: Instruction, escape: str) -> bool:
    """Return whether an instruction runs the lines of its one heredoc, and says nothing besides."""
    return (
        len(item.heredocs) == 1 and split(item.rest, escape) == [item.rest] and item.heredocs[0].content.strip() != ""
    )


def _written(item: Instruction, lines: Sequence[str], escape: str) -> str:
    """Return the text behind RUN as it is written, over several lines where it is."""
    written = [*_behind_keyword(lines, escape)]
    if escape != "\\":
        written = [re.sub(rf"{re.escape(escape)}[ \t]*$", r"\\", line) for line in written]
    written = [re.sub(r"\\[ \t]+$", r"\\", line) for line in written]
    text = "\n".join(written).rstrip("\n")
    same = instructions(f"RUN {text}\nUSER x")
    if len(same) == 2 and (same[0].rest, same[0].flags) == (item.rest, ()) and not text[:1].isspace():
        return text
    if item.heredocs:
        return "\n".join([item.rest, *(f"{doc.content}{doc.name}" for doc in item.heredocs)])
    return item.rest


def _behind_keyword(lines: Sequence[str], escape: str) -> list[str]:
    """Return the lines of an instruction without its keyword and flags."""
    head = re.compile(r"\s*(?:ONBUILD\s+)?RUN(?:\s+|$)", re.IGNORECASE)
    found = [head.sub("", lines[0], count=1), *lines[1:]]
    while found:
        flag = re.match(r"--[a-z-]+(?:=\S*)?(?:\s+|$)", found[0])
        rest = found[0][flag.end() :] if flag else found[0]
        if flag:
            found[0] = rest
        elif rest.strip() in (escape, "") or rest.lstrip().startswith("#"):
            found = [found[1].lstrip() if len(found) > 1 else "", *found[2:]] if len(found) > 1 else []
        else:
            found[0] = rest.lstrip()
            break
    return found


def _mount(text: str) -> Step:
    found: Step = {}
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        name = _MOUNT_NAMES.get(name.lower(), name.lower())
        if name in _MOUNT_SWITCHES:
            found[name] = value.lower() not in ("false", "f", "0") if equals else True
        elif name in _MOUNT_NUMBERS and re.fullmatch(r"[0-9]+", value):
            found[name] = int(value)
        elif name in _MOUNT_ORDER:
            found[name] = value
        else:
            raise CannotError(f"a spec has no word for {name} in --mount={text}")
    return ordered(found, _MOUNT_ORDER)


def refuse_flags(item: Instruction, known: Sequence[str]) -> None:
    """Raise CannotError for a flag that is none of the known ones."""
    for flag, _ in item.flags:
        if flag not in known:
            raise CannotError(f"a spec has no word for {item.keyword} --{flag}")


def ordered(found: Mapping[str, Any], order: Sequence[str]) -> Step:
    """Return a mapping with its keys in an order."""
    return {key: found[key] for key in (*order, *found) if key in found}
