"""The captures of a lab read back as if a stranger had written them, and held against the sheet of today."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from labspec.core.diagnostic import Diagnostic, LabError
from labspec.core.resource import Lab
from labspec.engine.capture import captured_blocks, depends_on, shown, source_at
from labspec.engine.replay import LAB_FOLDER
from labspec.kinds.section import Line, Text, check_model
from labspec.sheet.captures import LARGEST_OUTPUT, Capture, Captures, Origin, clean, dump
from labspec.sheet.ids import PATTERN
from labspec.sheet.sheet import Block, Check, Run, Sheet, View
from labspec.spec.report import Place, Report, find, shown_path
from labspec.spec.yamlfile import parse

LARGEST_FILE = 16 * 1024 * 1024
MOST_CAPTURES = 1000
AGAIN = "capture again: labspec handout --capture"

_Output = Annotated[Text, Field(max_length=LARGEST_OUTPUT + 100)]
_Id = Annotated[str, Field(pattern=PATTERN, max_length=100)]


class _Captured(BaseModel):
    model_config = ConfigDict(extra="forbid")

    date: Line
    spec: Line
    labspec: Line
    system: Line
    kernel: Line
    docker: Line
    images: dict[Line, Line]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid")

    command: Text | list[Text]
    place: Line
    user: Line = ""
    cwd: Line = ""
    exit: Annotated[int, Field(ge=0, le=255)]
    seconds: Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0)]
    depends: Line
    stdout: _Output = ""
    stderr: _Output = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal[1]
    captured: _Captured
    blocks: Annotated[dict[_Id, _Block], Field(max_length=MOST_CAPTURES)]


class _Scope:
    """The part of labspec.kinds.provider.Scope that checking a form needs."""

    def __init__(self, place: Place, report: Report) -> None:
        self._place = place
        self._report = report

    def error(self, path: Sequence[str | int], message: str, hint: str | None = None, *, key: bool = False) -> None:
        """Report a mistake at `path` of the file."""
        self._report.error(find(self._place, path, key=key), message, hint or AGAIN)


def read_captures(path: Path) -> Captures | None:
    """Return the captures in a file, None where there is none. Raises LabError, with places, where it holds others."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabError(f"cannot read {shown_path(str(path))}: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise LabError(f"{shown_path(str(path))} is larger than {LARGEST_FILE >> 20} MiB", hint=AGAIN)
    report = Report()
    document = parse(content, str(path), report)
    report.check()
    value: Any = document.value if document else None
    scope: Any = _Scope(document.place if document else 0, report)
    good = check_model(_File, value, (), "the captures", scope)
    report.check()
    assert good  # noqa: S101  what is wrong has been reported
    return _captures(value)


def write_captures(captures: Captures, path: Path) -> None:
    """Put captures into a file, wholly or not at all. Raises LabError where it cannot be written."""
    from labspec.host.state import write_atomic

    try:
        write_atomic(path, dump(captures).encode(), mode=0o644)
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}") from error


def missing(sheet: Sheet, captures: Captures | None) -> list[Diagnostic]:
    """Return each block whose output was not captured, or whose capture is that of another command."""
    found = []
    for block in captured_blocks(sheet):
        capture = captures.blocks.get(block.id) if captures else None
        if capture is None:
            found.append(_at(block, f"no output was captured for {_named(block)}"))
        elif not _same_command(block, capture):
            message = f"what was captured for {_named(block)} is the output of '{shown(capture.command)}'"
            found.append(_at(block, message))
    return found


def stale(sheet: Sheet, captures: Captures, lab: Lab) -> list[Diagnostic]:
    """Return each block whose capture is older than the spec of what it depends on."""
    return [
        _at(block, f"the output of {_named(block)} was captured before the spec changed what it depends on")
        for block in captured_blocks(sheet)
        if block.id in captures.blocks and captures.blocks[block.id].depends != depends_on(block, lab)
    ]


def _captures(value: dict[str, Any]) -> Captures:
    blocks = {}
    for name, entry in value["blocks"].items():
        command = entry["command"]
        blocks[name] = Capture(
            command=command if isinstance(command, str) else tuple(command),
            place=entry["place"],
            user=entry.get("user", ""),
            cwd=entry.get("cwd", ""),
            exit=entry["exit"],
            stdout=clean(entry.get("stdout", "")),
            stderr=clean(entry.get("stderr", "")),
            seconds=float(entry["seconds"]),
            depends=entry["depends"],
        )
    return Captures(Origin(**value["captured"]), blocks)


def _same_command(block: Block, capture: Capture) -> bool:
    if not isinstance(block, Run):
        return True
    wanted = (block.command, block.place, block.user or capture.user, block.cwd or capture.cwd)
    found = (capture.command, capture.place, capture.user, capture.cwd)
    return wanted == found and (block.cwd is not None or capture.cwd in ("", LAB_FOLDER))


def _named(block: Block) -> str:
    match block:
        case Run():
            return f"'{shown(block.command)}'"
        case View():
            return f"'labspec show {block.view} {block.address}'"
        case Check():
            return f"check '{block.check}'"
    return f"the block '{block.id}'"


def _at(block: Block, message: str) -> Diagnostic:
    return Diagnostic(message, block.at, AGAIN, source_at(block.at))
