"""What a service needs, decided from what is wanted and what is there: each decision as readable text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labspec.core.change import Action, Change, Preview
from labspec.core.diff import digests
from labspec.core.resource import ADDRESS_LABEL, FIELDS_LABEL, Lab, Observed, Resource
from labspec.kinds.service.images import Images
from labspec.kinds.service.live import LIVE
from labspec.kinds.service.reading import Around, service
from labspec.kinds.service.sharing import Peer

RECORDED = json.loads((Path(__file__).parent / "data" / "privileged.json").read_text())
USUAL: Mapping[str, Any] = {
    "name": "lab-c-1",
    "image": "busybox:1",
    "privileged": True,
    "networks": {"lab_default": {}},
}


def wanted(needs: tuple[str, ...] = (), options: Mapping[str, Any] | None = None, **desired: Any) -> Resource:
    """Return the wish that the recorded container fulfils, with other fields."""
    given = {
        "key": "c",
        "compose": {},
        "image": "busybox:1",
        "image_address": "",
        "pull_policy": "",
        "secret_env": [],
        "waits": {},
        "restarts_with": [],
        "joins": [],
        "parts": {},
        **(options or {}),
    }
    fields = {name: value for name, value in {**USUAL, **desired}.items() if value is not None}
    return Resource("service.c", "service", str(fields.get("name", "lab-c-1")), fields, given, needs, project="lab")


def there(
    desired: Resource | None = None,
    *,
    status: str = "running",
    code: int = 0,
    count: int = 1,
    applied: Mapping[str, Any] = USUAL,
    name: str = "",
    image: str = "",
    twice: bool = False,
    **limits: Any,
) -> Observed:
    """Return the recorded container as it is there: `count` times, last applied `applied`, otherwise as told."""
    inspects = []
    for number in [*range(1, count + 1), *([1] if twice else [])]:
        inspect = json.loads(json.dumps(RECORDED["container"]))
        labels = inspect["Config"]["Labels"]
        labels |= {
            ADDRESS_LABEL: "service.c",
            FIELDS_LABEL: json.dumps(digests(applied)),
            "com.docker.compose.container-number": str(number),
        }
        inspect["Id"] = f"{number}{len(inspects)}" + inspect["Id"][2:]
        inspect["Name"] = f"/{name or f'lab-c-{number}'}" if not inspects or number > 1 else f"/{'0' * 12}_lab-c-1"
        inspect["State"] = {"Status": status, "Running": status in ("running", "paused"), "ExitCode": code}
        inspect["HostConfig"] |= limits
        inspects.append(inspect)
    answer = RECORDED["image"]
    current = {**answer, "Id": image} if image else answer
    images = Images.of({"busybox:1": current}, {answer["Id"]: answer})
    peers: dict[str, Peer] = {}
    return service("service.c", inspects, desired or wanted(), Around(images, peers))


def said(
    desired: Resource | None, observed: Observed | None, *others: Change, replace: tuple[str, ...] = ()
) -> list[str]:
    """Return a decision as text: action, reason, differences, steps, warnings."""
    resources = [
        Resource("network.default", "network", "lab_default", {}, {"key": "default"}, project="lab"),
        Resource("volume.data", "volume", "lab_data", {}, {"key": "data"}, project="lab"),
        Resource("service.db", "service", "lab-db-1", {}, wanted().options | {"key": "db"}, project="lab"),
    ]
    lab = Lab("lab", "/lab", "/lab/lab.yaml", (*resources, *([desired] if desired else [])))
    preview = Preview({change.address: change for change in others}, frozenset(replace))
    change = LIVE.change(desired, observed, preview, lab)
    if change is None:
        return ["nothing"]
    lines = [f"{change.action.value} {change.reason}"]
    lines += [f"{diff.path}: {diff.before!r} -> {diff.after!r} ({diff.cause.value})" for diff in change.diffs]
    lines += [f"- {step}" for step in change.steps]
    return lines + [f"! {warning}" for warning in change.warnings]


def other(address: str, action: Action, **more: Any) -> Change:
    """Return a change to something else."""
    kind = address.partition(".")[0]
    return Change(address, kind, action, "because", **more)


PREPARED = ["- pull image busybox:1 if it is missing", "- write the compose file of project lab"]
LOST = "! what was written inside the container, outside its volumes, is lost"


def test_a_container_as_wanted_needs_nothing() -> None:
    assert said(wanted(), there()) == ["nothing"]


def test_a_missing_service_is_made_once_what_it_waits_for_is_healthy() -> None:
    desired = wanted(options={"waits": {"service.db": "service_healthy", "network.default": "service_started"}})
    assert said(desired, None) == [
        "+ not on this host",
        *PREPARED,
        "- wait until service.db is healthy",
        "- create the container of service.c",
    ]


def test_an_image_of_the_lab_is_not_pulled() -> None:
    desired = wanted(options={"image_address": "image.own"})
    assert said(desired, None)[1:] == [PREPARED[1], "- create the container of service.c"]


def test_what_left_the_spec_is_removed() -> None:
    assert said(None, there(count=2)) == [
        "- no longer in the spec",
        "- remove container lab-c-1",
        "- remove container lab-c-2",
    ]


def test_limits_change_in_place() -> None:
    assert said(wanted(cpus=0.5, restart="always"), there()) == [
        "~ restart, cpus changed in the spec",
        "restart: 'no' -> 'always' (spec changed)",
        "cpus: 0.0 -> 0.5 (spec changed)",
        "- update container lab-c-1 (restart, cpus)",
        "- record what was applied to service.c",
    ]


def test_memory_and_swap_change_together() -> None:
    desired = wanted(mem_limit=1 << 26)
    change = LIVE.change(desired, there(desired), Preview(), Lab("lab", "/lab", "", (desired,)))
    assert change is not None
    assert json.loads(change.make[0].body) == {"Memory": 1 << 26, "MemorySwap": 1 << 27}  # type: ignore[attr-defined]


def test_docker_update_by_hand_is_drift() -> None:
    limited = {**USUAL, "cpu_shares": 10}
    assert said(wanted(cpu_shares=10), there(applied=limited, CpuShares=20))[:2] == [
        "~ cpu_shares changed on the host",
        "cpu_shares: 20 -> 10 (changed on the host)",
    ]


def test_a_limit_that_cannot_be_lifted_in_place_makes_the_container_anew() -> None:
    assert said(wanted(), there(applied={**USUAL, "cpu_shares": 10}, CpuShares=10)) == [
        "-/+ cpu_shares left the spec",
        "cpu_shares: 10 -> 0 (no longer in the spec)",
        *PREPARED,
        "- recreate the container of service.c",
        LOST,
    ]


def test_a_command_makes_the_container_anew() -> None:
    assert said(wanted(command=["true"]), there()) == [
        "-/+ command changed in the spec",
        "command: ['sleep', '9999'] -> ['true'] (spec changed)",
        *PREPARED,
        "- recreate the container of service.c",
        LOST,
    ]


def test_a_tag_that_stands_for_another_image_now() -> None:
    found = said(wanted(), there(image="sha256:" + "1" * 64))
    assert found[0] == "-/+ image_id changed on the host"


def test_a_port_that_moves_is_warned_of() -> None:
    bound = {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    found = said(wanted(ports=["9090:80/tcp"]), there(applied={**USUAL, "ports": ["8080:80/tcp"]}, PortBindings=bound))
    assert "! no longer published: 8080:80/tcp" in found


def test_networks_are_joined_and_left_in_place() -> None:
    assert said(wanted(networks={"lab_new": {"aliases": ["x"]}}), there()) == [
        "~ networks.lab_default, networks.lab_new changed in the spec",
        "networks.lab_default: {} -> (unset) (spec changed)",
        "networks.lab_new: (unset) -> {'aliases': ['x']} (spec changed)",
        "- disconnect container lab-c-1 from network lab_default",
        "- connect container lab-c-1 to network lab_new",
        "- record what was applied to service.c",
    ]


@pytest.mark.parametrize(
    ("status", "code", "restart", "decision"),
    [
        ("exited", 137, "no", ["> stopped (exit code 137)", "- start container lab-c-1"]),
        ("exited", 0, "no", ["nothing"]),
        ("exited", 0, "always", ["> stopped (exit code 0)", "- start container lab-c-1"]),
        ("paused", 0, "no", ["> paused", "- unpause container lab-c-1"]),
        ("created", 0, "no", ["> was never started", "- start container lab-c-1"]),
        ("restarting", 1, "always", ["nothing"]),
    ],
)
def test_a_container_that_does_not_run(status: str, code: int, restart: str, decision: list[str]) -> None:
    policy = {"Name": restart, "MaximumRetryCount": 0}
    applied = {**USUAL, "restart": restart}
    assert (
        said(wanted(restart=restart), there(status=status, code=code, applied=applied, RestartPolicy=policy))
        == decision
    )


def test_a_dead_container_is_made_anew() -> None:
    assert said(wanted(), there(status="dead"))[0] == "-/+ a container is dead"


def test_a_name_changed_by_hand_is_given_back() -> None:
    assert said(wanted(), there(name="strange")) == [
        "~ name changed on the host",
        "name: 'strange' -> 'lab-c-1' (changed on the host)",
        "- rename container strange to lab-c-1",
    ]


def test_more_and_fewer_replicas() -> None:
    scaled = {**USUAL, "replicas": 3}
    assert said(wanted(replicas=3), there(applied=scaled)) == [
        "~ replicas changed on the host",
        "replicas: 1 -> 3 (changed on the host)",
        *PREPARED,
        "- create containers of service.c, 3 in all",
    ]
    assert said(wanted(), there(count=2))[1:] == [
        "replicas: 2 -> 1 (changed on the host)",
        "- remove container lab-c-2",
    ]


def test_what_a_cut_off_apply_left_is_removed() -> None:
    assert said(wanted(), there(twice=True)) == [
        "~ left over from an apply that was cut off",
        "- remove container 000000000000_lab-c-1",
    ]


def test_a_network_that_is_replaced_takes_its_containers_off_first() -> None:
    replaced = other("network.default", Action.REPLACE)
    assert said(wanted(needs=("network.default",)), there(), replaced) == [
        "-/+ network.default is replaced",
        *PREPARED,
        "- remove container lab-c-1",
        "- create the container of service.c",
        LOST,
    ]


def test_a_new_volume_or_network_that_the_container_does_not_have_yet_disturbs_nothing() -> None:
    created = other("volume.data", Action.CREATE)
    assert said(wanted(needs=("volume.data",)), there(), created) == ["nothing"]


def test_a_new_image_makes_the_container_anew() -> None:
    built = other("image.own", Action.REPLACE)
    assert said(wanted(needs=("image.own",)), there(), built)[0] == "-/+ image.own is replaced"


def test_a_service_that_is_only_depended_on_disturbs_nothing() -> None:
    replaced = other("service.db", Action.REPLACE)
    assert said(wanted(needs=("service.db",)), there(), replaced) == ["nothing"]


def test_a_service_whose_namespace_is_shared_takes_its_sharer_along() -> None:
    desired = wanted(needs=("service.db",), options={"joins": ["service.db"]})
    assert said(desired, there(), other("service.db", Action.REPLACE))[0] == "-/+ service.db is replaced"


def test_a_service_that_follows_another_is_restarted_with_it() -> None:
    desired = wanted(needs=("service.db",), options={"restarts_with": ["service.db"]})
    assert said(desired, there(), other("service.db", Action.REPLACE)) == [
        "~ follows service.db, which is replaced",
        "- restart container lab-c-1",
    ]


def test_asked_for_by_replace() -> None:
    assert said(wanted(), there(), replace=("service.c",))[0] == "-/+ asked for by --replace"


def test_a_moved_service_leaves_its_old_project_first() -> None:
    desired = wanted()
    moved = Resource(desired.address, "service", "new-c-1", desired.desired, desired.options, project="new")
    assert said(moved, there()) == [
        "-/+ moves from project lab to new",
        "- pull image busybox:1 if it is missing",
        "- write the compose file of project new",
        "- remove container lab-c-1",
        "- create the container of service.c",
        LOST,
    ]
