"""Unit files and drop-ins as units of a spec: sections and keys as systemd spells them, with their comments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import Diagnostic, LabError, Position
from labspec.imports.report import Imported, Loss
from labspec.kinds.unit.model import DROPIN_PATTERN, NAME_PATTERN
from labspec.kinds.unit.names import OWN_SECTION, type_of
from labspec.kinds.unit.unitfile import Setting, UnitSyntaxError, mistake, settings_of, to_spec

Comments = Mapping[tuple[str, str, int], Sequence[str]]
"""Section, key, and how manieth of that key it is -> the lines above it; the key "" stands for the section."""

_MOST = 2**20
_INDENT = 2


def import_units(files: Sequence[Path], lab: str) -> Imported:
    """Return the spec with the units of these files. Raises LabError for what systemd would not read."""
    units: dict[str, Any] = {}
    losses: list[Loss] = []
    for file in files:
        name, dropin = _named(file)
        if name in units:
            raise LabError(
                f"{file}: unit {name} comes twice", hint="a spec has one file for each unit: import them apart"
            )
        unit = _unit(file, name, losses)
        if not unit:
            raise LabError(f"{file} has no settings in it", hint="a masked unit is a link to /dev/null")
        units[name] = _with_dropin(unit, dropin) if dropin else unit
    return Imported(lab, {"units": units}, tuple(losses))


def _named(file: Path) -> tuple[str, str | None]:
    """Return the unit that a file is of, and the name of the drop-in that it is."""
    folder = file.absolute().parent.name
    if file.suffix == ".conf" and folder.endswith(".d"):
        if not re.fullmatch(DROPIN_PATTERN, file.stem):
            raise LabError(f"{file}: '{file.stem}' cannot be the name of a drop-in in a spec")
        name = folder.removesuffix(".d")
    else:
        name = file.name
    if not re.fullmatch(NAME_PATTERN, name):
        raise LabError(
            f"{file}: '{name}' is not the name of a unit that a spec can have",
            hint="a unit file is NAME.service, .socket, .timer, ..., a drop-in UNIT.d/NAME.conf",
        )
    return name, file.stem if name != file.name else None


def _unit(file: Path, name: str, losses: list[Loss]) -> dict[str, Any]:
    text = _read(file)
    lines = text.split("\n")
    try:
        settings = settings_of(text)
    except UnitSyntaxError as error:
        at = Position(str(file), error.line, 1)
        raise LabError(Diagnostic(str(error), at, error.hint, lines[error.line - 1].rstrip("\r"))) from None
    own = OWN_SECTION.get(type_of(name))
    kept = []
    for setting in settings:
        found = mistake(setting.value)
        reason = found[0] if found else None
        if setting.section not in ("Unit", "Install", own) and not setting.section.startswith("X-"):
            reason = f"a {type_of(name)} has no section [{setting.section}], and systemd ignores it"
        if reason:
            at = Position(str(file), setting.line, 1)
            losses.append(Loss(f"{name} [{setting.section}] {setting.key}", reason, at, lines[setting.line - 1]))
        else:
            kept.append(setting)
    made: dict[str, Any] = _commented(
        to_spec([item._replace(value=_escaped(item.value)) for item in kept]), _comments(lines, settings)
    )
    return made


def _read(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise LabError(f"cannot read {file}: {error.strerror}") from error
    if len(content) > _MOST:
        raise LabError(f"{file} is too large for a unit file")
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise LabError(f"{file} is not UTF-8 text") from error


def _escaped(value: str) -> str:
    return value.replace("${{", "$${{")


def _with_dropin(unit: Any, dropin: str) -> Any:
    unit.insert(0, "dropin", dropin)
    return unit


def _comments(lines: Sequence[str], settings: Sequence[Setting]) -> Comments:
    """Return the comments above sections and settings."""
    found: dict[tuple[str, str, int], list[str]] = {}
    by_line = {setting.line: setting for setting in settings}
    counted: dict[tuple[str, str], int] = {}
    section = ""
    pending: list[str] = []
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        setting = by_line.get(number)
        key = ""
        if setting:
            key = setting.key
            counted[section, key] = counted.get((section, key), -1) + 1
        elif line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        else:
            pending += [line[1:].removeprefix(" ").rstrip()] if line[:1] in ("#", ";") else []
            continue
        if any(pending):
            found.setdefault((section, key, counted.get((section, key), 0) if key else 0), []).extend(pending)
        pending = []
    if any(pending) and settings:
        found.setdefault((settings[0].section, "", 0), []).extend(pending)
    return found


def _commented(sections: Mapping[str, Any], comments: Comments) -> Any:
    """Return sections as ruamel has them, with the comments above what they are about."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    made = CommentedMap()
    for section, content in sections.items():
        counted: dict[str, int] = {}
        parts = [
            _part(section, part, comments, counted, 4 * _INDENT, listed=isinstance(content, list))
            for part in (content if isinstance(content, list) else [content])
        ]
        made[section] = CommentedSeq(parts) if isinstance(content, list) else parts[0]
        for number, part in enumerate(content if isinstance(content, list) else ()):
            # A comment above the first key of an item would stand between it and its dash.
            key = next(iter(part))
            before = sum(len(_many(other[key])) for other in content[:number] if key in other)
            _comment(made[section], number, comments.get((section, key, before)), 3 * _INDENT)
        _comment(made, section, comments.get((section, "", 0)), 2 * _INDENT)
    return made


def _part(
    section: str,
    part: Mapping[str, Any],
    comments: Comments,
    counted: dict[str, int],
    indent: int,
    *,
    listed: bool,
) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    made = CommentedMap()
    for key, value in part.items():
        many = _many(value)
        begin = counted.get(key, 0)
        counted[key] = begin + len(many)
        items = CommentedSeq(map(_typed, many))
        for number in range(1, len(many)):
            _comment(items, number, comments.get((section, key, begin + number)), indent + _INDENT)
        made[key] = items if isinstance(value, list) else items[0]
        if not (listed and len(made) == 1):
            _comment(made, key, comments.get((section, key, begin)), indent - _INDENT)
    return made


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _comment(place: Any, key: str | int, lines: Sequence[str] | None, indent: int) -> None:
    if lines:
        text = "\n".join("".join(char if char.isprintable() else " " for char in line) for line in lines)
        place.yaml_set_comment_before_after_key(key, before=text, indent=indent)


def _typed(value: str) -> Any:
    """Return a value as a spec would have it where that is the same text in a unit file."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if re.fullmatch(r"0|[1-9][0-9]{0,8}", value) else value
