"""Broken states of a lab, derived from its spec: for each check, what of the things it depends on can be spoilt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labspec.checks.kinds import kind
from labspec.core.resource import Lab, Resource
from labspec.engine.checking import Check
from labspec.engine.proving_edits import Mutation, Values, spoilt_entry, stops
from labspec.engine.proving_kinds import particular

EARLY = 6
"""So many particular ways to spoil something are tried before it is simply stopped."""


def candidates(check: Check, lab: Lab, values: Values) -> list[Mutation]:
    """Return the ways to break what a check depends on: first those that it is there for."""
    by_address = lab.by_address
    near = [by_address[address] for address in check["about"] if address in by_address]
    fine = list(particular(check, lab, values))
    for resource in near:
        fine += spoilt_entry(resource, kind(check["kind"]).spoils, values, only_spoils=True)
    stopped = [mutation for resource in near for mutation in stops(resource)]
    rest: list[Mutation] = []
    for resource in _closure(near, by_address):
        ways = list(spoilt_entry(resource, (), values, only_spoils=False))
        needed = len(dependents(resource.address, lab)) > 1
        rest += [way for way in ways if not (needed and way.removes)]
        rest += stops(resource)
    found = dict.fromkeys((*fine[:EARLY], *stopped, *fine[EARLY:], *rest))
    return list(found)


def closure(addresses: Iterable[str], by_address: Mapping[str, Resource]) -> set[str]:
    """Return addresses with all that they need."""
    return {resource.address for resource in _closure([by_address[name] for name in addresses], by_address)}


def dependents(address: str, lab: Lab) -> set[str]:
    """Return an address with all that needs it; all there is for the daemon, which everything runs on."""
    if address.startswith(("daemon.", "kernel_arg.")):
        return {resource.address for resource in lab.resources} | {address}
    found = {address}
    while True:
        more = {resource.address for resource in lab.resources if found & set(resource.needs)} - found
        if not more:
            return found
        found |= more


def _closure(near: Iterable[Resource], by_address: Mapping[str, Resource]) -> list[Resource]:
    found: dict[str, Resource] = {}
    todo = list(near)
    while todo:
        resource = todo.pop(0)
        if resource.address not in found:
            found[resource.address] = resource
            todo += [by_address[need] for need in resource.needs if need in by_address]
    return list(found.values())
