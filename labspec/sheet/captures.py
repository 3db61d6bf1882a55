"""What a lab's commands printed, as it is kept in a file beside the spec by 'labspec handout --capture'."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Final

from labspec.core.resource import Lab

FORMAT: Final = 1
SUFFIX: Final = ".captures.yaml"
LARGEST_OUTPUT: Final = 256 * 1024
"""Characters of one stream; what is more is cut off, and a line says so."""
_HEAD: Final = (
    "What the commands of the sheet printed, on a host of its own. Made by 'labspec handout --capture': look at the\n"
    "differences before you commit it, and change nothing by hand.\n"
)
_PLAIN = re.compile(r"[A-Za-z./][A-Za-z0-9_./-]*|-[A-Za-z-]+")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Capture:
    """What one block's command did."""

    command: tuple[str, ...] | str
    place: str
    user: str
    """Who ran it, by name; '' where a container's image decides."""
    cwd: str
    """Where it started; '' where a container's image decides, '.' for the lab's folder."""
    exit: int
    stdout: str
    stderr: str
    seconds: float
    depends: str
    """A digest of what its output depends on; another one today means that the capture is stale."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when all of them were captured."""

    date: str
    """In UTC, to the second: 2026-11-24T22:05:00Z."""
    spec: str
    """A digest of all that the lab asks for."""
    labspec: str
    system: str
    kernel: str
    docker: str
    images: Mapping[str, str] = field(default_factory=dict)
    """Address of an image -> the id that it had."""


@dataclass(frozen=True, slots=True)
class Captures:
    """A whole file: `blocks` by block id, in the order of the sheet."""

    origin: Origin
    blocks: Mapping[str, Capture] = field(default_factory=dict)


def captures_path(lab: Lab) -> Path:
    """Return the file that a lab's captures are kept in: beside the spec, lab.captures.yaml for a lab.yaml."""
    spec = Path(lab.file)
    return spec.with_name(f"{spec.stem}{SUFFIX}")


def dump(captures: Captures) -> str:
    """Return captures as YAML: always the same for the same captures, and output in lines, so that diffs read well."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML()
    yaml.width = 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    origin = captures.origin
    document = CommentedMap(
        format=FORMAT,
        captured={
            **{name: getattr(origin, name) for name in ("date", "spec", "labspec", "system", "kernel", "docker")},
            "images": dict(sorted(origin.images.items())),
        },
        blocks=CommentedMap((name, _entry(capture)) for name, capture in captures.blocks.items()),
    )
    document.yaml_set_start_comment(_HEAD)
    for name in list(captures.blocks)[1:]:
        document["blocks"].yaml_set_comment_before_after_key(name, before="\n")
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def clean(text: str) -> str:
    """Return a program's output as the sheet has it: no escape sequences, no control characters, of bounded size.

    Of a line that a carriage return writes over, what is left to be seen is kept. Tabs are spaces; no blanks end a
    line, and no empty lines the text.
    """
    text = _ESCAPES.sub("", text[: LARGEST_OUTPUT * 4].replace("\r\n", "\n"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = "\n".join(_CONTROLS.sub("", line).expandtabs().rstrip() for line in lines)
    ended = text.rstrip("\n")
    text = f"{ended}\n" if ended and text.endswith("\n") else ended
    if len(text) <= LARGEST_OUTPUT:
        return text
    return text[:LARGEST_OUTPUT].rpartition("\n")[0] + "\n[...]\n"


def _entry(capture: Capture) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    command: Any = capture.command
    if not isinstance(command, str):
        command = CommentedSeq(map(_text, command))
        command.fa.set_flow_style()
    entry = CommentedMap(command=_text(command) if isinstance(command, str) else command, place=capture.place)
    entry.update({key: getattr(capture, key) for key in ("user", "cwd") if getattr(capture, key)})
    entry.update({"exit": capture.exit, "seconds": round(capture.seconds, 1), "depends": capture.depends})
    entry.update({key: _text(getattr(capture, key)) for key in ("stdout", "stderr") if getattr(capture, key)})
    return entry


def _text(text: str) -> Any:
    """Return a text of several lines as a block of them, and in quotes what readers of YAML might take for more."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    if "\n" in text:
        return LiteralScalarString(text)
    return text if _PLAIN.fullmatch(text) else DoubleQuotedScalarString(text)
