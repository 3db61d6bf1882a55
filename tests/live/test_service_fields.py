"""Every field of a service on a real engine: set, changed alone, dropped, changed behind labspec's back.

All cases live in one lab, a service each, so that the whole table takes four applies.
"""

from __future__ import annotations

import json
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cleaning import remove_lab

from labspec.core.change import Change, Plan
from labspec.core.diff import Cause
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.kinds.service.fields import FIELDS
from labspec.spec.loader import load

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("service_fields")]

Drift = Callable[[Docker, str], object]

ALLOWED = frozenset(
    {"privileged", "socket", "host-mount", "host-network", "host-namespaces", "capabilities", "devices", "unconfined"}
)
MEGABYTE = 1 << 20


def update(**body: Any) -> Drift:
    """Return what changes limits as `docker update` does."""
    return lambda docker, name: docker.post(f"/containers/{name}/update", body)


def rename(docker: Docker, name: str) -> None:
    """Rename a container as `docker rename` does."""
    docker.post(f"/containers/{name}/rename", query={"name": f"{name}-strange"})


def connect(docker: Docker, name: str) -> None:
    """Connect a container as `docker network connect` does."""
    docker.post("/networks/bridge/connect", {"Container": name})


@dataclass(frozen=True)
class Case:
    """One field: the keys that set it and change it, and what of it differs in a plan.

    `shows` is "PATH: BEFORE -> AFTER" of the change, `dropped` the paths that differ once the keys are gone (None: just
    the field).
    """

    field: str
    keys: Mapping[str, Any]
    changed: Mapping[str, Any]
    shows: str
    dropped: tuple[str, ...] | None = None
    constant: Mapping[str, Any] = field(default_factory=dict)
    drift: Drift | None = None
    note: str = ""

    @property
    def service(self) -> str:
        """The service's name."""
        return "-".join(filter(None, (self.field.replace("_", "-"), self.note)))


def one(name: str, before: Any, after: Any, shows: str, **more: Any) -> Case:
    """Return the case of a field that one key of the same name sets."""
    return Case(name, {name: before}, {name: after}, f"{name}: {shows}", **more)


CASES = (
    Case(
        "name",
        {"container_name": "LAB-first"},
        {"container_name": "LAB-second"},
        "name: 'LAB-first' -> 'LAB-second'",
        drift=rename,
    ),
    one("image", "IMAGE:two", "IMAGE:three", "'IMAGE:two' -> 'IMAGE:three'", dropped=("image",)),
    one("command", ["sleep", "11"], "sleep 22", "['sleep', '11'] -> ['sleep', '22']"),
    one(
        "entrypoint",
        ["/bin/sleep"],
        "/bin/busybox sleep",
        "['/bin/sleep'] -> ['/bin/busybox', 'sleep']",
        constant={"image": "IMAGE:two", "command": ["9999"]},
    ),
    Case(
        "environment",
        {"environment": {"A": "1", "PLAIN": "x y=z $$1"}},
        {"environment": ["A=2", "PLAIN=x y=z $$1"]},
        "environment.A: '1' -> '2'",
        dropped=("environment.A", "environment.PLAIN"),
    ),
    Case(
        "environment",
        {"environment": {"OFTHEIMAGE": "mine"}},
        {"environment": {"OFTHEIMAGE": "other"}},
        "environment.OFTHEIMAGE: 'mine' -> 'other'",
        dropped=("environment.OFTHEIMAGE",),
        constant={"image": "IMAGE:two", "command": ["9999"]},
        note="of-image",
    ),
    one("working_dir", "/tmp", "/etc", "'/tmp' -> '/etc'"),
    one("user", "1:2", "3", "'1:2' -> '3'"),
    one("tty", True, False, "True -> False", dropped=()),
    one("stdin_open", True, False, "True -> False", dropped=()),
    one("init", True, False, "True -> False", dropped=()),
    one("stop_signal", "SIGKILL", "SIGINT", "'SIGKILL' -> 'SIGINT'"),
    one("stop_grace_period", "0s", "1500ms", "'0s' -> '1s'"),
    Case(
        "healthcheck",
        {"healthcheck": {"test": "true", "interval": "90s", "retries": 2}},
        {"healthcheck": {"test": ["CMD-SHELL", "true"], "interval": "1m31s", "retries": 2}},
        "healthcheck.interval: '1m30s' -> '1m31s'",
        dropped=("healthcheck.interval", "healthcheck.retries", "healthcheck.test"),
    ),
    Case(
        "healthcheck",
        {"healthcheck": {"retries": 5}},
        {"healthcheck": {"retries": 6}},
        "healthcheck.retries: 5 -> 6",
        dropped=("healthcheck.retries",),
        constant={"image": "IMAGE:two", "command": ["9999"]},
        note="of-image",
    ),
    Case(
        "healthcheck",
        {"healthcheck": {"disable": True}},
        {"healthcheck": {"test": ["CMD", "true"]}},
        "healthcheck.test: ['NONE'] -> ['CMD', 'true']",
        dropped=("healthcheck.test",),
        constant={"image": "IMAGE:two", "command": ["9999"]},
        note="off",
    ),
    Case("labels", {"labels": {"x": "1"}}, {"labels": ["x=2"]}, "labels.x: '1' -> '2'", ("labels.x",)),
    Case(
        "annotations",
        {"annotations": {"x": "1"}},
        {"annotations": ["x=2"]},
        "annotations.x: '1' -> '2'",
        ("annotations.x",),
    ),
    one(
        "ports",
        ["127.0.0.1:PORT0:80"],
        ["127.0.0.1:PORT1:80"],
        "['127.0.0.1:PORT0:80/tcp'] -> ['127.0.0.1:PORT1:80/tcp']",
    ),
    one(
        "ports",
        ["90", {"target": 91, "published": "PORT2", "protocol": "udp", "host_ip": "127.0.0.1"}],
        ["90", {"target": 91, "published": "PORT2", "protocol": "tcp", "host_ip": "127.0.0.1"}],
        "['127.0.0.1:PORT2:91/udp', ':90/tcp'] -> ['127.0.0.1:PORT2:91/tcp', ':90/tcp']",
        note="long",
    ),
    one(
        "expose",
        ["7000", "81"],
        ["7001/udp", 81],
        "['7000/tcp'] -> ['7001/udp']",
        constant={"image": "IMAGE:two", "command": ["9999"]},
    ),
    Case(
        "networks",
        {"networks": {"one": {"aliases": ["b", "a"]}}},
        {"networks": {"one": {"aliases": ["a", "c"]}}},
        "networks.LAB_one: {'aliases': ['a', 'b']} -> {'aliases': ['a', 'c']}",
        dropped=("networks.LAB_default", "networks.LAB_one"),
        drift=connect,
    ),
    Case(
        "networks",
        {"networks": {"one": {"ipv4_address": "SUBNET.9"}}},
        {"networks": {"one": {"ipv4_address": "SUBNET.10"}}},
        "networks.LAB_one: {'ipv4': 'SUBNET.9'} -> {'ipv4': 'SUBNET.10'}",
        dropped=("networks.LAB_default", "networks.LAB_one"),
        note="address",
    ),
    Case(
        "networks",
        {"networks": ["one"]},
        {"networks": ["one", "two"]},
        "networks.LAB_two: (unset) -> {}",
        dropped=("networks.LAB_default", "networks.LAB_one", "networks.LAB_two"),
        note="second",
    ),
    one("network_mode", "bridge", "none", "'bridge' -> 'none'", dropped=("networks.LAB_default", "network_mode")),
    one(
        "network_mode",
        "service:base",
        "service:other",
        "'service:base' -> 'service:other'",
        dropped=("networks.LAB_default", "network_mode"),
        note="service",
    ),
    one("hostname", "one", "two", "'one' -> 'two'"),
    one("domainname", "one.test", "two.test", "'one.test' -> 'two.test'"),
    one("mac_address", "02:42:0a:d5:00:01", "02:42:0a:d5:00:02", "'02:42:0a:d5:00:01' -> '02:42:0a:d5:00:02'"),
    one("extra_hosts", ["a:1.2.3.4"], {"a": "1.2.3.5"}, "['a:1.2.3.4'] -> ['a:1.2.3.5']"),
    one("dns", "1.2.3.4", ["1.2.3.5"], "['1.2.3.4'] -> ['1.2.3.5']"),
    one("dns_search", "a.test", ["b.test"], "['a.test'] -> ['b.test']"),
    one("dns_opt", ["ndots:2"], ["ndots:3"], "['ndots:2'] -> ['ndots:3']"),
    Case(
        "mounts",
        {"volumes": ["./folder:/a"]},
        {"volumes": ["./folder:/a:ro"]},
        "mounts: [{'type': 'bind', 'target': '/a', 'source': 'ROOT/folder'}] -> "
        "[{'type': 'bind', 'target': '/a', 'source': 'ROOT/folder', 'read_only': True}]",
    ),
    Case(
        "mounts",
        {"volumes": ["data:/b", "/anonymous", {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "1m"}}]},
        {"volumes": ["data:/b", "/anonymous", {"type": "tmpfs", "target": "/t", "tmpfs": {"mode": 0o700}}]},
        "mounts: [{'type': 'volume', 'target': '/anonymous'}, "
        "{'type': 'volume', 'target': '/b', 'source': 'LAB_data'}, "
        "{'type': 'tmpfs', 'target': '/t', 'tmpfs_size': 1048576}] -> "
        "[{'type': 'volume', 'target': '/anonymous'}, {'type': 'volume', 'target': '/b', 'source': 'LAB_data'}, "
        "{'type': 'tmpfs', 'target': '/t', 'tmpfs_mode': 448}]",
        note="mixed",
    ),
    Case(
        "mounts",
        {"volumes": [{"type": "volume", "source": "data", "target": "/b", "volume": {"nocopy": True}}, "/data"]},
        {"volumes": [{"type": "volume", "source": "data", "target": "/c", "volume": {"nocopy": True}}, "/data"]},
        "mounts: [{'type': 'volume', 'target': '/b', 'source': 'LAB_data', 'nocopy': True}] -> "
        "[{'type': 'volume', 'target': '/c', 'source': 'LAB_data', 'nocopy': True}]",
        constant={"image": "IMAGE:two", "command": ["9999"]},
        note="long",
    ),
    Case(
        "tmpfs", {"tmpfs": "/t:size=1m"}, {"tmpfs": ["/t:size=2m"]}, "tmpfs./t: 'size=1m' -> 'size=2m'", ("tmpfs./t",)
    ),
    one("devices", ["/dev/null:/dev/x"], ["/dev/null:/dev/x:r"], "['/dev/null:/dev/x:rwm'] -> ['/dev/null:/dev/x:r']"),
    one("device_cgroup_rules", ["c 1:3 r"], ["c 1:3 rw"], "['c 1:3 r'] -> ['c 1:3 rw']"),
    one("volumes_from", ["base"], ["other"], "['service:base'] -> ['service:other']"),
    one("read_only", True, False, "True -> False", dropped=()),
    one("privileged", True, False, "True -> False", dropped=()),
    one("cap_add", ["NET_ADMIN"], ["cap_sys_nice"], "['NET_ADMIN'] -> ['SYS_NICE']"),
    one("cap_drop", ["all"], ["CHOWN", "MKNOD"], "['ALL'] -> ['CHOWN', 'MKNOD']"),
    one(
        "security_opt",
        ["no-new-privileges"],
        ["seccomp=./seccomp.json"],
        "['no-new-privileges=true'] -> ['seccomp=(profile PROFILE)']",
    ),
    one("group_add", ["5", 7], ["5"], "['5', '7'] -> ['5']"),
    Case(
        "sysctls",
        {"sysctls": {"net.core.somaxconn": 99}},
        {"sysctls": ["net.core.somaxconn=98"]},
        "sysctls.net.core.somaxconn: '99' -> '98'",
        ("sysctls.net.core.somaxconn",),
    ),
    Case(
        "ulimits",
        {"ulimits": {"nofile": 100}},
        {"ulimits": {"nofile": {"soft": 100, "hard": 200}}},
        "ulimits.nofile: {'soft': 100, 'hard': 100} -> {'soft': 100, 'hard': 200}",
        ("ulimits.nofile",),
    ),
    one("shm_size", "10m", 5 * MEGABYTE, "10485760 -> 5242880"),
    one("pid", "host", "service:base", "'host' -> 'service:base'"),
    one("ipc", "shareable", "host", "'shareable' -> 'host'"),
    Case("uts", {"uts": "host"}, {}, "uts: 'host' -> ''", ()),
    one("cgroup", "host", "private", "'host' -> 'private'"),
    one("cgroup_parent", "/LAB-a", "/LAB-b", "'/LAB-a' -> '/LAB-b'"),
    Case("userns_mode", {"userns_mode": "host"}, {}, "userns_mode: 'host' -> ''", ()),
    one("runtime", "runc", "io.containerd.runc.v2", "'runc' -> 'io.containerd.runc.v2'"),
    Case(
        "logging",
        {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}},
        {"logging": {"driver": "json-file", "options": {"max-size": "2m"}}},
        "logging.options: {'max-size': '1m'} -> {'max-size': '2m'}",
        dropped=("logging",),
    ),
    one(
        "restart",
        "always",
        "on-failure:3",
        "'always' -> 'on-failure:3'",
        drift=update(RestartPolicy={"Name": "unless-stopped"}),
    ),
    one("cpus", 0.5, "0.75", "0.5 -> 0.75", drift=update(NanoCpus=600000000)),
    one("cpu_shares", 100, 200, "100 -> 200", drift=update(CpuShares=150)),
    one("cpu_period", 50000, "60000", "50000 -> 60000", drift=update(CpuPeriod=70000)),
    one("cpu_quota", 50000, 60000, "50000 -> 60000", drift=update(CpuQuota=70000)),
    one("cpuset", "0", "0,1", "'0' -> '0,1'", drift=update(CpusetCpus="0")),
    one(
        "mem_limit",
        "32m",
        64 * MEGABYTE,
        "33554432 -> 67108864",
        drift=update(Memory=48 * MEGABYTE, MemorySwap=128 * MEGABYTE),
    ),
    one(
        "memswap_limit",
        "128m",
        -1,
        "134217728 -> -1",
        constant={"mem_limit": "64m"},
        drift=update(MemorySwap=100 * MEGABYTE, Memory=64 * MEGABYTE),
    ),
    one("mem_reservation", "16m", "17m", "16777216 -> 17825792", drift=update(MemoryReservation=18 * MEGABYTE)),
    one("mem_swappiness", 10, 20, "10 -> 20"),
    one("pids_limit", 50, 60, "50 -> 60", drift=update(PidsLimit=70)),
    one("oom_kill_disable", True, False, "True -> False", dropped=()),
    one("oom_score_adj", 10, 20, "10 -> 20"),
    Case(
        "cpus",
        {"deploy": {"resources": {"limits": {"cpus": "0.5"}}}},
        {"deploy": {"resources": {"limits": {"cpus": "0.25"}}}},
        "cpus: 0.5 -> 0.25",
        note="deployed",
    ),
    Case("replicas", {"scale": 2}, {"deploy": {"replicas": 3}}, "replicas: 2 -> 3"),
)

UNTESTED = {
    "image_id": "in test_a_tag_moved_to_another_image",
    "isolation": "Windows",
    "storage_opt": "needs a storage driver with quotas",
    "cpu_rt_period": "needs a kernel with real-time groups",
    "cpu_rt_runtime": "needs a kernel with real-time groups",
    "blkio": "needs a block device",
    "rest": "in test_what_no_answer_shows",
}
"""Why a field has no case above."""


def test_every_field_has_a_case() -> None:
    assert {case.field for case in CASES} | set(UNTESTED) == {item.name for item in FIELDS}


class Table:
    """A lab with a service for each case, and the plans that its four changes gave."""

    def __init__(self, name: str, folder: Path, host: Host, image: str, ports: list[int]) -> None:
        self.host = host
        self.file = folder / "lab.yaml"
        self._words = {"LAB": name, "IMAGE": image, "ROOT": str(folder), "PROFILE": "1e91071efd3c"}
        self._words["SUBNET"] = f"10.213.{int(name[-2:], 16)}"  # two runs at once must not have the same
        self._words |= {f"PORT{index}": str(port) for index, port in enumerate(ports)}
        (folder / "folder").mkdir()
        (folder / "seccomp.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
        self.plans: dict[str, Plan] = {}
        self.after: dict[str, Plan] = {}
        self.name = name

    def said(self, value: Any) -> Any:
        """Return a value of the table with the words of this run in it."""
        text = json.dumps(value)
        for word, meaning in self._words.items():
            text = text.replace(word, meaning)
        return json.loads(text)

    def write(self, keys: Callable[[Case], Mapping[str, Any]]) -> Lab:
        """Write the spec with what `keys` gives for each case, and return the lab."""
        common = {"image": "IMAGE:one", "stop_grace_period": "0s"}
        services: dict[str, Any] = {"base": common, "other": common}
        for case in CASES:
            own = {**common, **case.constant, **keys(case)}
            if case.field == "stop_grace_period" and not keys(case):
                del own["stop_grace_period"]
            services[case.service] = own
        spec = {
            "labspec": 1,
            "lab": {"name": "LAB"},
            "networks": {"one": {"subnets": ["SUBNET.0/24"]}, "two": {}},
            "volumes": {"data": {}},
            "services": services,
        }
        self.file.write_text(json.dumps(self.said(spec)))
        return load(self.file, variables={}, variable_files=[])

    def step(self, stage: str, lab: Lab) -> None:
        """Plan, apply, and plan again."""
        self.plans[stage] = workflow.make_plan(lab, self.host)
        outcome = workflow.apply(lab, self.host, allow=ALLOWED)
        assert not outcome.failed, [str(error) for _, error in outcome.failed]
        self.after[stage] = workflow.make_plan(lab, self.host)

    def change(self, stage: str, case: Case) -> Change | None:
        """Return what a stage's plan says of a case."""
        address = f"service.{case.service}"
        return next((change for change in self.plans[stage].changes if change.address == address), None)

    def left(self, stage: str, case: Case) -> list[str]:
        """Return what still differs for a case after a stage."""
        changes = [change for change in self.after[stage].changes if change.address == f"service.{case.service}"]
        return [f"{change.reason}: {[_shown(diff) for diff in change.diffs]}" for change in changes]


def _shown(diff: Any) -> str:
    return f"{diff.path}: {diff.before!r} -> {diff.after!r}"


@pytest.fixture(scope="module")
def images(busybox: str) -> Iterator[str]:
    """Return the name of three images; `two` has all the defaults that an image can have."""
    name = f"labspec-test/fields-{uuid.uuid4().hex[:8]}"
    defaults = [
        "ENV OFTHEIMAGE=1",
        'ENTRYPOINT ["sleep"]',
        'CMD ["9999"]',
        "EXPOSE 81",
        "VOLUME /data",
        "WORKDIR /tmp",
        "USER 0:0",
        "LABEL of=image",
        "STOPSIGNAL SIGKILL",
        "HEALTHCHECK --interval=77s CMD true",
    ]
    for tag, lines in (("one", ['CMD ["sleep", "9999"]']), ("two", defaults), ("three", ['CMD ["sleep", "3"]'])):
        text = "\n".join([f"FROM {busybox}", *lines])
        subprocess.run(
            ["docker", "build", "-q", "-t", f"{name}:{tag}", "-"],
            input=text.encode(),
            check=True,
            stdout=subprocess.DEVNULL,
        )
    yield name
    subprocess.run(
        ["docker", "rmi", "-f", *(f"{name}:{tag}" for tag in ("one", "two", "three"))],
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def table(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """Return the table after all its stages."""
    folder = tmp_path_factory.mktemp("fields")
    name = f"labspec-test-{uuid.uuid4().hex[:8]}"
    host = Host(Docker(), StateFolder(folder / "state"))
    made = Table(name, folder, host, images, free_ports(3))
    try:
        made.step("set", made.write(lambda case: case.keys))
        changed = made.write(lambda case: case.changed)
        made.step("change", changed)
        for case in CASES:
            if case.drift:
                case.drift(host.docker, made.said(case.changed.get("container_name") or f"LAB-{case.service}-1"))
        made.step("drift", changed)
        made.step("drop", made.write(lambda _case: {}))
        yield made
    finally:
        remove_lab(name)
        host.docker.close()


def free_ports(count: int) -> list[int]:
    """Return port numbers that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


every = pytest.mark.parametrize("case", CASES, ids=[case.service for case in CASES])


@every
def test_once_applied_nothing_differs(table: Table, case: Case) -> None:
    assert table.left("set", case) == []


@every
def test_a_change_alone_is_named_with_before_and_after(table: Table, case: Case) -> None:
    change = table.change("change", case)
    assert change is not None
    assert [_shown(diff) for diff in change.diffs] == [table.said(case.shows)]
    assert {diff.cause for diff in change.diffs} == {Cause.SPEC if case.changed else Cause.DROPPED}
    assert table.left("change", case) == []


@every
def test_what_is_dropped_is_reverted(table: Table, case: Case) -> None:
    change = table.change("drop", case)
    expected = list((case.field,) if case.dropped is None else case.dropped)
    found = [diff.path for diff in change.diffs] if change else []
    assert found == table.said(expected)
    assert table.left("drop", case) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.drift], ids=lambda case: case.service)
def test_a_change_behind_labspecs_back_is_drift(table: Table, case: Case) -> None:
    change = table.change("drift", case)
    assert change is not None
    assert case.field in {diff.field for diff in change.diffs}
    assert {diff.cause for diff in change.diffs} == {Cause.DRIFT}
    assert table.left("drift", case) == []


def test_nothing_else_drifted(table: Table) -> None:
    drifted = {f"service.{case.service}" for case in CASES if case.drift}
    assert {change.address for change in table.plans["drift"].changes} == drifted


def test_a_tag_moved_to_another_image(images: str, host: Host, lab_name: str, tmp_path: Path) -> None:
    tag = f"{images}:{lab_name}"
    subprocess.run(["docker", "tag", f"{images}:one", tag], check=True)
    spec = {"labspec": 1, "lab": {"name": lab_name}, "services": {"a": {"image": tag, "stop_grace_period": "0s"}}}
    (tmp_path / "lab.yaml").write_text(json.dumps(spec))
    lab = load(tmp_path / "lab.yaml", variables={}, variable_files=[])
    try:
        workflow.apply(lab, host)
        assert workflow.make_plan(lab, host).empty
        subprocess.run(["docker", "tag", f"{images}:three", tag], check=True)
        (change,) = workflow.make_plan(lab, host).changes
        assert [(diff.field, diff.cause) for diff in change.diffs] == [("image_id", Cause.DRIFT)]
        workflow.apply(lab, host)
        assert workflow.make_plan(lab, host).empty
    finally:
        workflow.apply(lab, host, destroy=True)
        subprocess.run(["docker", "rmi", tag], check=True, stdout=subprocess.DEVNULL)


def test_what_no_answer_shows(images: str, host: Host, lab_name: str, tmp_path: Path) -> None:
    def lab(content: str) -> Lab:
        service = {"image": f"{images}:one", "stop_grace_period": "0s", "configs": [{"source": "c", "target": "/c"}]}
        spec = {
            "labspec": 1,
            "lab": {"name": lab_name},
            "stacks": {"s": {"services": {"a": service}, "configs": {"c": {"content": content}}}},
        }
        (tmp_path / "lab.yaml").write_text(json.dumps(spec))
        return load(tmp_path / "lab.yaml", variables={}, variable_files=[])

    workflow.apply(lab("one"), host)
    assert workflow.make_plan(lab("one"), host).empty
    (change,) = workflow.make_plan(lab("two"), host).changes
    assert [(diff.field, diff.cause) for diff in change.diffs] == [("rest", Cause.SPEC)]
    workflow.apply(lab("two"), host)
    assert workflow.make_plan(lab("two"), host).empty
    workflow.apply(lab("two"), host, destroy=True)
