"""Differences that Docker settles on a container as it stands: limits, restart policy, name, networks, number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labspec.core.change import Step
from labspec.core.diff import UNSET, Cause, Diff, Settle, digests
from labspec.core.resource import Observed, Resource
from labspec.kinds.service.compose_steps import CreateContainers
from labspec.kinds.service.steps import (
    ConnectNetwork,
    DisconnectNetwork,
    RecordApplied,
    RemoveContainer,
    RenameContainer,
    UpdateContainer,
)

_LIMITS = {
    "cpus": "NanoCpus",
    "cpu_shares": "CpuShares",
    "cpu_period": "CpuPeriod",
    "cpu_quota": "CpuQuota",
    "cpuset": "CpusetCpus",
    "mem_limit": "Memory",
    "memswap_limit": "MemorySwap",
    "mem_reservation": "MemoryReservation",
    "pids_limit": "PidsLimit",
    "restart": "RestartPolicy",
}
"""Field -> key of POST /containers/ID/update."""

_NEVER_LIFTED = frozenset(_LIMITS) - {"memswap_limit", "pids_limit", "restart"}
"""Limits that an update can change but not take away: for it, their zero means 'as it is'."""


def settled(diffs: Sequence[Diff]) -> tuple[Diff, ...]:
    """Return the differences, those that Docker cannot settle in place marked so."""
    return tuple(
        diff._replace(settle=Settle.REPLACE) if diff.field in _NEVER_LIFTED and not diff.after else diff
        for diff in diffs
    )


def update_steps(lab: str, desired: Resource, observed: Observed, diffs: Sequence[Diff]) -> tuple[Step, ...]:
    """Return the steps that settle differences on the containers that are there, and record what was applied."""
    wanted = int(desired.desired.get("replicas", 1))
    replicas = observed.facts["replicas"]
    kept, extra = replicas[:wanted], replicas[wanted:]
    steps: list[Step] = [RemoveContainer(item["id"], item["name"], item["grace"]) for item in extra]
    for item in kept:
        steps += _on_one(item, desired, observed, diffs)
    if len(replicas) < wanted:
        steps.append(CreateContainers(lab, desired.project, desired.options["key"], desired.address, wanted))
    entries = {item["id"]: digests(desired.desired) for item in kept}
    if entries and any(diff.cause is not Cause.DRIFT for diff in diffs):
        steps.append(RecordApplied(lab, desired.address, json.dumps(entries, sort_keys=True)))
    return tuple(steps)


def _on_one(item: Mapping[str, Any], desired: Resource, observed: Observed, diffs: Sequence[Diff]) -> Iterator[Step]:
    name = item["name"]
    if name != item["expected"]:
        yield RenameContainer(item["id"], name, item["expected"])
        name = item["expected"]
    limits = [diff for diff in diffs if diff.field in _LIMITS]
    if limits:
        body = json.dumps(_limits(limits, desired, observed), sort_keys=True)
        yield UpdateContainer(item["id"], name, body, tuple(diff.field for diff in limits))
    for diff in diffs:
        if diff.field != "networks":
            continue
        network = diff.path.partition(".")[2]
        if network in item["networks"]:
            yield DisconnectNetwork(item["id"], name, network)
        if diff.after is not UNSET:
            yield ConnectNetwork(item["id"], name, network, json.dumps(_endpoint(diff.after, name, desired)))


def _limits(diffs: Sequence[Diff], desired: Resource, observed: Observed) -> dict[str, Any]:
    body: dict[str, Any] = {_LIMITS[diff.field]: _value(diff) for diff in diffs}
    if body.keys() & {"Memory", "MemorySwap"}:
        # Docker holds the one against the other, so they only change together.
        memory = desired.desired.get("mem_limit", observed.state["mem_limit"])
        body["Memory"] = memory
        body["MemorySwap"] = desired.desired.get("memswap_limit") or 2 * memory
    return body


def _value(diff: Diff) -> Any:
    if diff.field == "cpus":
        return round(diff.after * 10**9)
    if diff.field == "restart":
        name, _, count = str(diff.after).partition(":")
        return {"Name": name, "MaximumRetryCount": int(count or 0)}
    return diff.after


def _endpoint(wish: Mapping[str, Any], name: str, desired: Resource) -> dict[str, Any]:
    ipam = {
        "IPv4Address": wish.get("ipv4"),
        "IPv6Address": wish.get("ipv6"),
        "LinkLocalIPs": wish.get("link_local"),
    }
    endpoint = {
        "IPAMConfig": {key: value for key, value in ipam.items() if value},
        # As compose has them: the container's name, the service's, then those of the spec.
        "Aliases": [name, desired.options["key"], *wish.get("aliases", ())],
        "MacAddress": wish.get("mac"),
        "DriverOpts": wish.get("driver_opts"),
    }
    return {key: value for key, value in endpoint.items() if value}
