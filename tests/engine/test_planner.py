"""Decisions, as text: what a plan says of a lab and of what the host has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from labspec.core.change import Plan
from labspec.core.diagnostic import LabError
from labspec.core.diff import digests
from labspec.core.resource import Lab, Observed, Resource
from labspec.engine.planner import Wishes, in_order, plan


def volume(name: str, address: str = "", **desired: Any) -> Resource:
    options = {"key": name, "compose": {}, "external": False}
    return Resource(address or f"volume.{name}", "volume", f"tp_{name}", desired, options, project="tp")


def network(name: str, *, external: bool = False, needs: tuple[str, ...] = (), **desired: Any) -> Resource:
    options = {"key": name, "compose": {}, "external": external}
    return Resource(f"network.{name}", "network", f"tp_{name}", desired, options, needs, "tp")


def there(resource: Resource, *, owned: bool = True, **state: Any) -> Observed:
    """Return the object as it is when just what the resource asks for was applied, but for `state`."""
    defaults = {
        "volume": {"driver": "local", "options": {}, "labels": {}},
        "network": {
            "driver": "bridge",
            "internal": False,
            "attachable": False,
            "ipv4": True,
            "ipv6": False,
            "options": {},
            "ipam_driver": "default",
            "ipam_options": {},
            "pools": [{"subnet": "172.20.0.0/16", "gateway": "172.20.0.1"}],
            "labels": {},
        },
    }[resource.kind]
    return Observed(
        resource.address,
        resource.kind,
        f"id-{resource.name}",
        resource.name,
        {**defaults, **resource.desired, **state},
        digests(resource.desired),
        owned=owned,
    )


def lab(*resources: Resource) -> Lab:
    return Lab("tp", "/lab", "/lab/lab.yaml", resources)


def made(resources: Sequence[Resource], found: Sequence[Observed] = (), **wishes: Any) -> Plan:
    return plan(lab(*resources), {item.address: item for item in found}, Wishes(**wishes))


def text(of: Plan) -> list[str]:
    return [f"{change.action.value} {change.address}: {change.reason}" for change in of.changes]


FOO = volume("foo", driver="local", options={"type": "tmpfs", "device": "tmpfs", "o": "size=100m"})
BAR = volume("bar")
NET = network("net", internal=True)


def test_what_is_missing_is_created() -> None:
    assert text(made([FOO, NET])) == ["+ volume.foo: not on this host", "+ network.net: not on this host"]


def test_what_is_as_asked_is_left_alone() -> None:
    found = made([FOO, NET], [there(FOO), there(NET)])
    assert found.empty
    assert found.unchanged == 2
    assert found.nodes == ()


def test_an_edit_a_drift_and_a_dropped_line() -> None:
    edited = volume("foo", driver="local", options={"type": "tmpfs", "device": "tmpfs", "o": "size=50m"})
    assert text(made([edited], [there(FOO)])) == ["-/+ volume.foo: options.o changed in the spec"]
    by_hand = there(FOO, options={**FOO.desired["options"], "o": "size=9m"})
    assert text(made([FOO], [by_hand])) == ["-/+ volume.foo: options.o changed on the host"]
    dropped = network("net")
    assert text(made([dropped], [there(NET)])) == ["-/+ network.net: internal left the spec"]


def test_what_left_the_spec_is_deleted_and_what_is_not_ours_never() -> None:
    assert text(made([], [there(FOO), there(NET, owned=False)])) == ["- volume.foo: no longer in the spec"]


def test_a_volume_with_data_is_replaced_with_a_warning() -> None:
    changed = volume("bar", labels={"a": "b"})
    assert made([changed], [there(BAR)]).changes[0].warnings == ("what the volume holds is lost",)
    assert made([volume("foo", driver="local")], [there(FOO)]).changes[0].warnings == ()


def test_replace_on_demand() -> None:
    assert text(made([FOO, BAR], [there(FOO), there(BAR)], replace=("volume.bar",))) == [
        "-/+ volume.bar: asked for by --replace"
    ]


def test_targets_bring_along_what_they_need() -> None:
    resources = [FOO, network("a"), network("b", needs=("network.a",)), network("c", needs=("network.b",))]
    assert [change.address for change in made(resources, targets=("network.b",)).changes] == ["network.a", "network.b"]


def test_a_destroyed_target_takes_along_what_needs_it() -> None:
    resources = [FOO, network("a"), network("b", needs=("network.a",)), network("c", needs=("network.b",))]
    found = [there(resource) for resource in resources]
    gone = made(resources, found, targets=("network.b",), destroy=True)
    assert sorted(change.address for change in gone.changes) == ["network.b", "network.c"]


def test_a_group_of_addresses_is_a_target() -> None:
    inside = volume("data", "stack.portainer.volume.data")
    assert text(made([FOO, inside], targets=("stack.portainer",))) == [
        "+ stack.portainer.volume.data: not on this host"
    ]


@pytest.mark.parametrize("wish", [{"targets": ("volume.fo",)}, {"replace": ("volume.fo",)}])
def test_a_wish_for_something_that_is_not_there(wish: dict[str, Any]) -> None:
    with pytest.raises(LabError, match="the lab has no such address") as refused:
        made([FOO], **wish)
    assert refused.value.diagnostics[0].hint == "did you mean 'volume.foo'?"


def test_destroy_removes_all_that_is_owned() -> None:
    found = [there(FOO), there(NET), there(BAR)]
    assert text(made([FOO, NET], found, destroy=True)) == [
        "- network.net: the lab is removed",
        "- volume.bar: the lab is removed",
        "- volume.foo: the lab is removed",
    ]


def test_an_external_object_must_be_there_and_is_never_changed() -> None:
    outside = network("outside", external=True)
    missing = made([outside])
    assert missing.empty
    assert [problem.message for problem in missing.problems] == [
        "network.outside: this host has no network named tp_outside, and it is external"
    ]
    assert made([outside], [there(outside, owned=False, internal=True)]).problems == ()
    assert made([outside], [there(outside, owned=False, internal=True)]).empty


def test_the_fingerprint_follows_spec_files_host_and_wishes() -> None:
    same = made([FOO], [there(FOO)])
    assert made([FOO], [there(FOO)]).fingerprint == same.fingerprint
    others = [
        made([volume("foo", driver="local")], [there(FOO)]),
        made([FOO], [there(FOO, labels={"x": "y"})]),
        made([FOO], []),
        made([FOO], [there(FOO)], replace=("volume.foo",)),
        plan(Lab("tp", "/lab", "/lab/lab.yaml", (FOO,), files={"a": "1"}), {"volume.foo": there(FOO)}),
    ]
    assert len({same.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_order_is_that_of_the_needs_and_else_of_the_spec() -> None:
    resources = [network("c", needs=("network.a",)), FOO, network("a")]
    assert [resource.address for resource in in_order(resources)] == ["volume.foo", "network.a", "network.c"]
