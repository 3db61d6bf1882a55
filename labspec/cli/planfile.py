"""A plan file: what was asked and a fingerprint of what was shown. It holds no step that apply would run.

Apply reads the spec and the host again, plans again, and goes on only where the new plan has the same fingerprint; so
nothing written into a plan file can make apply do what the spec does not say.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labspec import __version__
from labspec.core.change import Plan
from labspec.core.diagnostic import LabError
from labspec.host.state import write_atomic

FORMAT = 1
MARKER = "labspec_plan"
LARGEST = 64 * 1024 * 1024
AGAIN = "make it again with 'labspec plan -o FILE'"


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What a plan was asked for, and the fingerprint of the answer. All paths are absolute."""

    spec: str
    variables: dict[str, str]
    variable_files: tuple[str, ...]
    targets: tuple[str, ...]
    replace: tuple[str, ...]
    destroy: bool
    fingerprint: str

    def write(self, path: Path, plan: Plan) -> None:
        """Write the file, for its owner only since variables may be private, with the plan itself for reading.

        Raises LabError where it cannot be written, or where a file that is not a plan is in its place.
        """
        from click import unstyle

        from labspec.report.plan import Style, plan_lines
        from labspec.report.plan_json import plan_json

        if path.exists() and PlanFile.read(path) is None:
            raise LabError(f"{path} exists and is no plan file, so it stays as it is", hint="name another file")
        shown = Style(whole=True, steps=True, destroy=self.destroy)
        content = {
            MARKER: FORMAT,
            "labspec": __version__,
            **asdict(self),
            "text": [unstyle(line) for line in plan_lines(plan, shown)],
            "plan": plan_json(plan),
        }
        try:
            write_atomic(path, json.dumps(content, indent=1).encode() + b"\n")
        except OSError as error:
            raise LabError(f"cannot write the plan to {path}: {error.strerror}") from error

    @staticmethod
    def read(path: Path) -> PlanFile | None:
        """Return the plan file at `path`, or None where there is another kind of file, or none.

        Raises LabError for a plan file that is broken or of a format that this labspec does not know.
        """
        content = _content(path)
        if content is None:
            return None
        if content[MARKER] != FORMAT:
            raise LabError(f"{path} is a plan of another labspec (format {content[MARKER]!r})", hint=AGAIN)
        found = PlanFile(
            spec=_text(path, content, "spec"),
            variables=_mapping(path, content, "variables"),
            variable_files=_texts(path, content, "variable_files"),
            targets=_texts(path, content, "targets"),
            replace=_texts(path, content, "replace"),
            destroy=_flag(path, content, "destroy"),
            fingerprint=_text(path, content, "fingerprint"),
        )
        if not found.fingerprint:
            raise _broken(path, "fingerprint")
        return found


def _content(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file that has the marker, or None."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None
        with path.open("rb") as file:
            # A spec is YAML and mostly does not begin so: not every apply needs to parse it as JSON first.
            if file.read(1) != b"{":
                return None
            content = json.loads(b"{" + file.read())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and MARKER in content else None


def _text(path: Path, content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str):
        raise _broken(path, key)
    return value


def _flag(path: Path, content: dict[str, Any], key: str) -> bool:
    value = content.get(key)
    if not isinstance(value, bool):
        raise _broken(path, key)
    return value


def _texts(path: Path, content: dict[str, Any], key: str) -> tuple[str, ...]:
    value = content.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _broken(path, key)
    return tuple(value)


def _mapping(path: Path, content: dict[str, Any], key: str) -> dict[str, str]:
    value = content.get(key)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _broken(path, key)
    return value


def _broken(path: Path, key: str) -> LabError:
    return LabError(f"{path}: the plan file is broken at '{key}'", hint=AGAIN)
