"""Loading a lab: from lab.yaml, its includes and variables to resources, with every mistake told in one run."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labspec.core.resource import Lab
from labspec.kinds import sections
from labspec.spec import parts
from labspec.spec.files import Files, spec_file
from labspec.spec.head import KEYS, read_head
from labspec.spec.lookups import OPEN, Cell, Lookups
from labspec.spec.report import Place, Places, Report
from labspec.spec.scope import DocumentScope
from labspec.spec.top import EXTENSION, Known, Spec, assemble
from labspec.spec.variables import variables as read_variables
from labspec.spec.yamlfile import parse

Edit = Callable[[dict[str, Any]], None]
"""Changes the sections and parts of a spec, by name, once includes are taken in and lookups replaced."""


def load(
    path: Path | None, *, variables: Mapping[str, str], variable_files: Sequence[Path], edit: Edit | None = None
) -> Lab:
    """Return the lab of a spec, or of a folder with a lab.yaml; None: ./lab.yaml. With `edit`, of a changed spec.

    Raises LabError with every mistake in the spec and its files, by position.
    """
    with _without_collector():
        return _load(spec_file(path), variables, variable_files, edit=edit)


def load_text(text: str, file: Path) -> Lab:
    """Return the lab of a spec that is not written yet, as if it were in this file. Raises LabError as `load`."""
    with _without_collector():
        return _load(str(Path(os.path.realpath(file.parent)) / file.name), {}, (), text.encode())


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a whole spec."""
    from labspec.spec.schema import whole_schema

    return whole_schema(sections(), map(parts.part, parts.REGISTRY))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector off: it would look at 100,000 new values again and again, and find nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(
    file: str,
    options: Mapping[str, str],
    variable_files: Sequence[Path],
    content: bytes | None = None,
    edit: Edit | None = None,
) -> Lab:
    report = Report()
    root = str(Path(file).parent)
    files = Files(root)
    document = parse(files.read_yaml(file) if content is None else content, file, report)
    if document is None:
        report.check()
        raise AssertionError("a file that cannot be read has been reported")
    kinds = sections()
    known = Known(
        sections=[section.name for section in kinds],
        parts=parts.REGISTRY.keys(),
        listed={section.name for section in kinds if getattr(section, "listed", False)},
    )
    spec = assemble(file, document, known, files, report)
    found = read_variables(
        spec.sections.get("vars", {}), _vars_places(spec.places), options, variable_files, files, report
    )
    value = _looked_up(spec, found, report)
    head = read_head(value.pop("lab"), spec.places, known.tops, report)
    if edit is not None:
        edit(value)
    scope = DocumentScope(value, spec.places, root, head=head, files=files, report=report)
    from labspec.spec.build import build

    resources = build(kinds, value, spec.places, scope, report)
    beside = {key: content for key, content in value.items() if key.startswith(EXTENSION)}
    beside |= parts.read(value, scope, resources)
    report.check()
    digests = dict(sorted(files.digests.items()))
    return Lab(head.name, root, file, resources, head.title, head.language, head.languages, beside, digests)


def _vars_places(places: Places) -> Places:
    found: Place = places.inner.get("vars", places.mark)
    return found if isinstance(found, Places) else Places(places.mark, {}, {})


def _looked_up(spec: Spec, variables: Mapping[str, Cell], report: Report) -> dict[str, Any]:
    """Return the sections of the kinds, the parts, and `lab`, with all lookups replaced."""
    places = spec.places
    lab = spec.lab if isinstance(spec.lab, dict) else {}
    lab_places = places.inner.get("lab")
    facts = {
        key: Cell(value, lab_places.inner[key])
        for key, value in lab.items()
        if key in KEYS and value is not None and isinstance(lab_places, Places)
    }
    seat = {"number": Cell(1), "name": Cell(lab.get("name"), facts["name"].place if "name" in facts else None)}
    lookups = Lookups({"vars": variables, "lab": facts, "seat": seat}, report)
    # Variables come first: what they stand for is then at hand, however deep in the spec it is asked for.
    for root, cells in (("vars", variables), ("lab", facts)):
        for name in cells:
            lookups.value(root, name)
    looked_up_lab = (
        {**lab, **{key: lookups.value("lab", key) for key in facts}} if isinstance(spec.lab, dict) else spec.lab
    )
    sections = {**{name: entries for name, entries in spec.sections.items() if name != "vars"}, **spec.parts}
    if not report.mentions(OPEN):
        return {"lab": looked_up_lab, **sections}
    return {
        "lab": looked_up_lab,
        **{name: lookups.resolve(entries, places.inner[name]) for name, entries in sections.items()},
    }
