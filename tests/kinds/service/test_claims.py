"""What two containers of a lab cannot both have, and what they can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labspec.kinds.service.claims import awaited_ends, doubled, misplaced
from labspec.spec.loader import load


def problems(folder: Path, **services: dict[str, Any]) -> list[str]:
    """Return what the services of a lab claim twice, where all are made at once."""
    subnets = {"ipam": {"config": [{"subnet": "10.9.0.0/24"}, {"subnet": "fd00:9::/64"}]}, "enable_ipv6": True}
    spec = {
        "labspec": 1,
        "lab": {"name": "claims"},
        "networks": {"net": subnets, "other": subnets, "free": {}, "else": {"external": True}},
        "services": {key: {"image": "busybox", **entry} for key, entry in services.items()},
    }
    (folder / "lab.yaml").write_text(json.dumps(spec))
    lab = load(folder / "lab.yaml", variables={}, variable_files=[])
    made = [resource for resource in lab.resources if resource.kind == "service"]
    found = [*doubled(made, awaited_ends(made)), *misplaced(made, lab.by_kind["network"])]
    assert all(problem.at is not None and problem.hint for problem in found)
    return [problem.message for problem in found]


def ports(*entries: str) -> dict[str, Any]:
    return {"ports": list(entries)}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("80:1", "80:2"),
        ("80:1", "127.0.0.1:80:1"),
        ("127.0.0.1:80:1", "0.0.0.0:80:1"),
        ("[::1]:80:1", "[::]:80:1"),
        ("[::1]:80:1", "80:1"),
        ("80-82:80-82", "81:1"),
        ("80:1/udp", "80:2/udp"),
    ],
)
def test_a_port_for_two(tmp_path: Path, first: str, second: str) -> None:
    found = problems(tmp_path, a=ports(first), b=ports(second))
    assert len(found) == 1
    assert found[0].startswith("service.b: it publishes port 8")
    assert found[0].endswith(", and so does service.a")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("80:1", "81:1"),
        ("80:1", "80:1/udp"),
        ("127.0.0.1:80:1", "127.0.0.2:80:1"),
        ("0.0.0.0:80:1", "[::]:80:1"),
        ("0.0.0.0:80:1", "[::1]:80:1"),
        ("80-89:1", "80:1"),  # the engine takes another one of the range
        ("1", "1"),
        ("0:1", "0:1"),
    ],
)
def test_ports_for_both(tmp_path: Path, first: str, second: str) -> None:
    assert problems(tmp_path, a=ports(first), b=ports(second)) == []


def test_a_service_that_claims_a_port_twice(tmp_path: Path) -> None:
    assert problems(tmp_path, a=ports("80:1", "80:2")) == ["service.a: it publishes port 80/tcp twice"]


def test_each_is_told_of_the_first_only(tmp_path: Path) -> None:
    found = problems(tmp_path, a=ports("80:1"), b=ports("80:1"), c=ports("80:1"))
    assert [text.rpartition(" ")[2] for text in found] == ["service.a", "service.a"]


@pytest.mark.parametrize("key", ["scale", "deploy"])
def test_replicas_that_cannot_all_have_it(tmp_path: Path, key: str) -> None:
    three: dict[str, Any] = {"scale": 3} if key == "scale" else {"deploy": {"replicas": 3}}
    assert problems(tmp_path, a={**ports("80:1"), **three}) == [
        "service.a: its 3 containers cannot all publish port 80/tcp"
    ]
    assert problems(tmp_path, a={**ports("80-81:1"), **three}) == [
        "service.a: its 3 containers cannot all publish port 80-81/tcp"
    ]
    assert problems(tmp_path, a={**ports("80-82:1", "1"), **three}) == []
    placed = {"networks": {"net": {"ipv4_address": "10.9.0.9"}}}
    assert problems(tmp_path, a={**placed, **three}) == [
        "service.a: its 3 containers cannot all have the address 10.9.0.9 on claims_net"
    ]


def test_an_address_for_two(tmp_path: Path) -> None:
    four, six = {"ipv4_address": "10.9.0.9"}, {"ipv6_address": "fd00:9::9"}
    first = {"networks": {"net": {**four, **six}}}
    assert problems(tmp_path, a=first, b={"networks": {"net": four}}) == [
        "service.b: it has the address 10.9.0.9 on network claims_net, and so does service.a"
    ]
    assert len(problems(tmp_path, a=first, b=first)) == 2
    assert problems(tmp_path, a=first, b={"networks": {"net": {"ipv4_address": "10.9.0.8"}}}) == []
    assert problems(tmp_path, a=first, b={"networks": {"other": four}}) == []


def test_an_address_that_the_network_does_not_have(tmp_path: Path) -> None:
    found = problems(tmp_path, a={"networks": {"net": {"ipv4_address": "10.8.0.9", "ipv6_address": "fd00:8::1"}}})
    assert found == [
        "service.a: network.net does not have the address 10.8.0.9",
        "service.a: network.net does not have the address fd00:8::1",
    ]
    assert len(problems(tmp_path, a={"networks": {"free": {"ipv4_address": "10.9.0.9"}}})) == 1
    assert problems(tmp_path, a={"networks": {"else": {"ipv4_address": "10.8.0.9"}}}) == []


def test_what_a_job_had_is_free_once_it_has_ended(tmp_path: Path) -> None:
    job = {**ports("80:1"), "networks": {"net": {"ipv4_address": "10.9.0.9"}}}
    after = {**job, "depends_on": {"job": {"condition": "service_completed_successfully"}}}
    assert problems(tmp_path, job=job, web=after) == []
    started = {**job, "depends_on": {"job": {"condition": "service_started"}}}
    assert len(problems(tmp_path, job=job, web=started)) == 2
