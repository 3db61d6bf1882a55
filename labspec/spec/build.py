"""The resources that a spec asks for, in the order of the kinds, and what must hold among all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.kinds.naming import naming
from labspec.kinds.provider import Section
from labspec.spec.lookups import has_failed
from labspec.spec.report import Mark, Place, Places, Report, find
from labspec.spec.scope import DocumentScope

_LONGEST_NAME = 200
_MOST_CYCLES = 10


def build(
    sections: Sequence[Section],
    entries: Mapping[str, Mapping[str, Any]],
    places: Place,
    scope: DocumentScope,
    report: Report,
) -> tuple[Resource, ...]:
    """Return the resources of all entries that are of good form; every mistake is reported."""
    made = [
        pair
        for section in sections
        if entries.get(section.name)
        for pair in _of_section(section, entries[section.name], places, scope, report)
    ]
    resources = tuple(item if item.at else item._replace(at=report.position(mark)) for item, mark in made)
    marks = [mark for _, mark in made]
    _check_unique(resources, marks, report)
    if not report.diagnostics:
        _check_needs(resources, marks, report)
    _check_cycles(resources, marks, report)
    return resources


def _of_section(
    section: Section, entries: Mapping[str, Any], places: Place, scope: DocumentScope, report: Report
) -> Iterator[tuple[Resource, Mark]]:
    """Yield each resource of a section, with the place of its entry; what is no name is reported."""
    rule = naming(section)
    pattern = re.compile(rule.pattern[1:-1])
    for name, entry in entries.items():
        mark = find(places, (section.name, name), key=True)
        if not pattern.fullmatch(name):
            report.error(mark, f"{name!r} is no name of an entry in '{section.name}'", rule.hint)
        elif len(name) > _LONGEST_NAME:
            report.error(mark, f"the name is too long: {len(name)} characters, of at most {_LONGEST_NAME}")
        else:
            for item in _of_entry(section, name, {} if entry is None else entry, places, scope, report):
                yield item, mark


def _of_entry(
    section: Section, name: str, entry: Any, places: Place, scope: DocumentScope, report: Report
) -> Iterable[Resource]:
    """Return the resources of one entry; none where there is a mistake in it."""
    whole = _at(places, section.name, name)
    broken = bool(report.failed) and whole is not None and has_failed(whole, report.failed)
    try:
        if section.check(name, entry, scope) and not broken:
            return list(section.resources(name, entry, scope))
    except LabError as error:
        for found in error.diagnostics:
            if found.at:
                report.add(found)
            else:
                scope.error((section.name, name), found.message, found.hint, key=True)
    return ()


def _at(places: Place, *path: str) -> Place | None:
    found: Place | None = places
    for step in path:
        found = found.inner.get(step) if isinstance(found, Places) and found.keys is not None else None
    return found


def _check_unique(resources: Iterable[Resource], marks: Iterable[Mark], report: Report) -> None:
    """Report two resources with one address, and two objects of one kind with one name on the host."""
    addresses: dict[str, Resource] = {}
    names: dict[tuple[str, str], Resource] = {}
    for resource, mark in zip(resources, marks, strict=True):
        other = addresses.setdefault(resource.address, resource)
        if other is not resource:
            report.error(mark, f"{resource.address} is there twice", f"the first is at {other.at}")
            continue
        if resource.options.get("external"):
            continue
        other = names.setdefault((resource.kind, resource.name), resource)
        if other is not resource:
            message = f"{resource.address} has the name {resource.name} on the host, and so has {other.address}"
            report.error(mark, message, f"give one another name; the first is at {other.at}")


def _check_needs(resources: Sequence[Resource], marks: Sequence[Mark], report: Report) -> None:
    known = {resource.address for resource in resources}
    for resource, mark in zip(resources, marks, strict=True):
        for need in resource.needs:
            if need not in known:
                report.error(mark, f"{resource.address} needs {need}, which the spec does not have")


def _check_cycles(resources: Sequence[Resource], marks: Sequence[Mark], report: Report) -> None:
    by_address = {resource.address: mark for resource, mark in zip(resources, marks, strict=True)}
    for cycle in _cycles({resource.address: resource.needs for resource in resources}):
        shown = " -> ".join(cycle)
        report.error(by_address[cycle[0]], f"these need each other: {shown}", "take one of the references out")


def _cycles(needs: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield cycles of needs, each from its first address to the same again, until none is left."""
    # What needs nothing is in no cycle.
    left = {address: [need for need in sorted(set(wanted)) if needs.get(need)] for address, wanted in needs.items()}
    for _ in range(_MOST_CYCLES):
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            ring = error.args[1][:0:-1]
            start = ring.index(min(ring))
            yield [*ring[start:], *ring[:start], ring[start]]
            left = {
                address: [need for need in wanted if need not in ring]
                for address, wanted in left.items()
                if address not in ring
            }
        else:
            return
