"""The variables of a spec: declared with a value under `vars:`, set for one run by `--var` and `--var-file`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import Diagnostic, LabError, did_you_mean
from labspec.host import inputs
from labspec.spec.files import Files
from labspec.spec.lookups import OPEN, Cell
from labspec.spec.report import Mark, Places, Report, find
from labspec.spec.scalars import as_text, resolve, words
from labspec.spec.yamlfile import parse

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SHOWN = 40


def variables(
    declared: Any, places: Places, options: Mapping[str, str], paths: Sequence[Path], files: Files, report: Report
) -> dict[str, Cell]:
    """Return the variables of a spec whose `vars` section is `declared`, with what is set for this run.

    An option goes before a file, and a later file before an earlier one. Mistakes are reported.
    """
    known = {
        name: Cell(value, places.inner[name]) for name, value in declared.items() if _is_name(name, places, report)
    }
    settings = {name: cell for path in paths for name, cell in _file(path, known, files, report)}
    settings |= {name: cell for name, text in options.items() if (cell := _option(name, text, known, report))}
    for name, cell in known.items():
        if settings.get(name, cell).value is None:
            mark = find(places, (name,), key=True)
            report.error(mark, f"variable '{name}' has no value", f"give it one with --var {name}=...")
    return known | settings


def _is_name(name: str, places: Places, report: Report) -> bool:
    if _NAME.fullmatch(name):
        return True
    hint = "use letters, digits, '_' and '-', and begin with a letter or '_'"
    report.error(find(places, (name,), key=True), f"{name!r} is no name of a variable", hint)
    return False


def _file(path: Path, known: Mapping[str, Cell], files: Files, report: Report) -> Iterator[tuple[str, Cell]]:
    """Yield what a variable file sets and the spec lets it set."""
    absolute = str(path.absolute())
    try:
        if inputs.is_folder(absolute):
            raise LabError(f"--var-file {path}: it is a folder, not a file")  # noqa: TRY301
        content = files.read_yaml(absolute)
    except LabError as error:
        for diagnostic in error.diagnostics:
            report.add(diagnostic)
        return
    document = parse(content, absolute, report)
    if document is None or document.value is None:
        return
    if not isinstance(document.value, dict):
        mark = find(document.place, ())
        report.error(mark, f"expected a mapping of variables, found {words(document.value)}", "write 'name: value'")
        return
    for name, value in document.value.items():
        if name not in known:
            mark = find(document.place, (name,), key=True)
            report.error(mark, f"the spec has no variable '{name}'", _known(name, known))
        elif _fits(name, value, known[name].value, find(document.place, (name,)), report):
            yield name, Cell(value)


def _option(name: str, text: str, known: Mapping[str, Cell], report: Report) -> Cell | None:
    option = f"--var {name}"
    if name not in known:
        report.add(Diagnostic(f"{option}: the spec has no variable '{name}'", hint=_known(name, known)))
        return None
    try:
        return Cell(_typed(text, known[name].value))
    except ValueError as error:
        report.add(Diagnostic(f"{option}: {error}"))
        return None


def _known(name: str, known: Mapping[str, Cell]) -> str:
    near = did_you_mean(name, known)
    if near:
        return near
    return f"it has {', '.join(sorted(known))}" if known else "declare it under 'vars:'"


def _typed(text: str, default: Any) -> Any:
    """Return the value that a text has as a variable of the default's type. Raises ValueError where it has none."""
    if isinstance(default, str) and not _is_lookup(default):
        return text
    value = _flow(text) if isinstance(default, dict | list) else resolve(text)
    if default is None or isinstance(default, str):
        # No type is known: a text that would not come back the same ("007", "1.50") is meant as text.
        if value is None:
            return text
        same = as_text(value).lower() == text.lower() if isinstance(value, bool) else as_text(value) == text
        return value if same else text
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
        raise ValueError(f"expected {words(default)}, found {shown!r}")
    return value


def _is_lookup(default: str) -> bool:
    """Return whether a default stands for another value, whose type is not known yet."""
    return default.startswith(OPEN) and default.endswith("}}")


def _flow(text: str) -> Any:
    report = Report()
    document = parse(text.encode("utf-8", "replace"), "--var", report)
    if report.diagnostics or document is None:
        raise ValueError(f"not YAML: {report.diagnostics[0].message}")
    return document.value


def _fits(name: str, value: Any, default: Any, mark: Mark, report: Report) -> bool:
    """Return whether a value has the default's type; what is wrong is reported."""
    if default is None or (isinstance(default, str) and _is_lookup(default)):
        return True
    if type(value) is type(default) or (isinstance(default, float) and type(value) is int):
        return True
    hint = "put it in quotes" if isinstance(default, str) and not isinstance(value, dict | list | None) else None
    report.error(mark, f"variable '{name}': expected {words(default)}, found {words(value)}", hint)
    return False
