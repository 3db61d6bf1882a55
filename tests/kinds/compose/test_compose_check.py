"""What is wrong with a service or a compose file is told at its place, once, in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from fakescope import FakeScope
from hypothesis import given, settings
from hypothesis import strategies as st

from labspec.kinds.compose.check import check_document, check_service
from labspec.kinds.compose.schema import compose_schema

IMAGE = {"image": "debian"}


def told(entry: Any) -> list[str]:
    scope = FakeScope()
    good = check_service(entry, ("services", "web"), "service 'web'", scope)
    assert good == (not scope.told)
    return [line.removeprefix("services.web") for line in scope.lines()]


CASES: list[tuple[Any, list[str]]] = [
    # of the schema
    ({"network": ["x"]}, [".network (key): unknown key 'network' in service 'web' = did you mean 'networks'?"]),
    (
        {"healthcheck": {"tst": 1}},
        [".healthcheck.tst (key): unknown key 'tst' in 'healthcheck' of service 'web' = did you mean 'test'?"],
    ),
    ({"hostname": 3}, [".hostname: expected text, found the number 3 = put it in quotes"]),
    ({"ports": {"a": 1}}, [".ports: expected a list, found a mapping"]),
    ({"ports": [{"target": []}]}, [".ports.0.target: expected text or a whole number, found a list"]),
    ({"ports": [{"trget": 80}]}, [
        ".ports.0.trget (key): unknown key 'trget' in 'ports' of service 'web' = did you mean 'target'?"]),
    (
        {"networks": {"a": {"alias": ["x"]}}},
        [".networks.a.alias (key): unknown key 'alias' in 'networks.a' of service 'web' = did you mean 'aliases'?"],
    ),
    (
        {"build": {"contexts": "x"}},
        [".build.contexts (key): unknown key 'contexts' in 'build' of service 'web' = did you mean 'context'?"],
    ),
    ({"cgroup": "hst"}, [".cgroup: expected host or private, found text 'hst' = did you mean 'host'?"]),
    (
        {"depends_on": {"a": {"condition": "service_helthy"}}},
        [
            ".depends_on.a.condition: expected service_started, service_healthy or service_completed_successfully, "
            "found text 'service_helthy' = did you mean 'service_healthy'?"
        ],
    ),
    ({"depends_on": {"a": {}}}, [".depends_on.a (key): 'depends_on.a' of service 'web' lacks the key 'condition'"]),
    ({"depends_on": {"01": {}}}, [".depends_on.01 (key): 'depends_on.01' of service 'web' lacks the key 'condition'"]),
    ({"cap_add": ["A", "A"]}, [".cap_add.1: text 'A' is here twice = remove one of them"]),
    ({"oom_score_adj": 3000}, [".oom_score_adj: expected at most 1000, found the number 3000"]),
    (
        {"volumes": [{"tpe": "bind"}]},
        [".volumes.0.tpe (key): unknown key 'tpe' in 'volumes' of service 'web' = did you mean 'type'?"],
    ),
    ({"command": {"a": 1}}, [".command: expected text, a list or nothing, found a mapping"]),
    (
        {"environment": {"a": [1]}},
        [".environment.a: expected text, a number, true or false or nothing, found a list"],
    ),
    (
        {"pull_policy": "alway"},
        [
            ".pull_policy: expected always, never, build, if_not_present, missing, refresh, daily or weekly, "
            "found text 'alway' = did you mean 'always'?"
        ],
    ),
    # beyond the schema
    (
        {"healthcheck": {"interval": "1x"}},
        [".healthcheck.interval: '1x' is not a duration = write numbers with h, m, s or ms such as 1m30s"],
    ),
    (
        {"mem_limit": "1x"},
        [".mem_limit: '1x' is not a size = write a number of bytes, or a number with k, m or g such as 100m"],
    ),
    ({"ports": ["80", "80:90/xx"]}, [".ports.1: 'xx' is no protocol = one of tcp, udp, sctp"]),
    ({"restart": "on-failur"}, [".restart: 'on-failur' is no restart policy = did you mean 'on-failure'?"]),
    ({"cap_add": ["NET_ADMINN", "all", "CAP_KILL"]}, [
        ".cap_add.0: 'NET_ADMINN' is no capability = did you mean 'NET_ADMIN'?"]),
    ({"cap_drop": ["zz"]}, [".cap_drop.0: 'zz' is no capability"]),
    ({"stop_signal": "SIGTREM"}, [".stop_signal: 'SIGTREM' is no signal = did you mean 'TERM'?"]),
    ({"stop_signal": "sigrtmin+3"}, []),
    ({"stop_signal": "65"}, [".stop_signal: '65' is no signal"]),
    ({"stop_signal": "9"}, []),
    ({"ulimits": {"nofiles": 1}}, [
        ".ulimits.nofiles (key): 'nofiles' is no limit of processes = did you mean 'nofile'?"]),
    ({"pid": "hots"}, [".pid: 'hots' is no namespace = use host, service:NAME or container:NAME"]),
    ({"pid": "container:"}, [".pid: 'container:' is no namespace = use host, service:NAME or container:NAME"]),
    ({"pid": "container:a", "ipc": "shareable", "uts": "host", "userns_mode": "host"}, []),
    ({"ipc": "hosts"}, [
        ".ipc: 'hosts' is no namespace = use host, none, private, shareable, service:NAME or container:NAME"]),
    ({"uts": "private"}, [".uts: expected host, found 'private'"]),
    ({"userns_mode": "x"}, [".userns_mode: expected host, found 'x'"]),
    ({"cpuset": "0-"}, [".cpuset: '0-' is no list of processors = write it as in 0-3,7"]),
    ({"cpuset": "0-1,3"}, []),
    ({"mem_limit": "4m"}, [".mem_limit: the engine gives a container 6 MiB of memory at least, found 4m"]),
    ({"mem_limit": 0, "deploy": {"resources": {"limits": {"memory": "1k"}}}}, [
        ".deploy.resources.limits.memory: the engine gives a container 6 MiB of memory at least, found 1k"]),
    ({"working_dir": "src"}, [".working_dir: 'src' is not an absolute path"]),
    ({"tty": "maybe"}, [".tty: expected true or false, found text 'maybe'"]),
    ({"scale": -1}, [".scale: expected a number that is not negative, found -1"]),
    ({"cpus": "abc"}, [".cpus: expected a number, found 'abc'"]),
    ({"mac_address": "zz"}, [
        ".mac_address: 'zz' is not a MAC address = write six pairs of hex digits such as 02:42:ac:11:00:02"]),
    ({"dns": ["a"]}, [".dns: 'a' is not an IP address"]),
    ({"networks": {"a": {"ipv4_address": "1.2"}}}, [".networks.a.ipv4_address: '1.2' is not an IP address"]),
    ({"ulimits": {"nofile": "x"}}, [".ulimits.nofile: expected a whole number, found 'x'"]),
    ({"healthcheck": {"test": ["x"]}}, [
        ".healthcheck.test: a test in list form begins with CMD, CMD-SHELL or NONE"]),
    ({"environment": ["=x"]}, [".environment: '' is not a name = write NAME=VALUE"]),
    ({"hostname": "a\x1bb"}, [".hostname: control character '\\x1b' in the text = remove it"]),
    ({"command": ["a\rb"], "environment": {"A": "a\rb"}, "healthcheck": {"test": ["CMD", "a\r"]}}, []),
    ({"command": "a\rb"}, [".command: control character '\\r' in the text = remove it"]),
    ({"user": "a\rb"}, [".user: control character '\\r' in the text = remove it"]),
    ({"labels": {"a\n": "b"}}, [".labels.a\n (key): control character '\\n' in a key = remove it"]),
    ({"labels": ["a\n=b"]}, [".labels: 'a\\n' is not a name = write NAME=VALUE"]),
    ({"container_name": "-x"}, None),
    # keys that exclude each other
    ({"network_mode": "host", "networks": ["a"]}, [
        ".network_mode (key): service 'web' has both network_mode and networks = keep one of them"]),
    ({"container_name": "xx", "scale": 2}, [
        ".container_name (key): service 'web' has a container_name and 2 replicas "
        "= a name is for one container: keep one of them"]),
    ({"cpus": 1, "deploy": {"resources": {"limits": {"cpus": "0.5"}}}}, [
        ".deploy.resources.limits.cpus: cpus and deploy.resources.limits.cpus of service 'web' differ "
        "= they mean the same: keep one of them"]),
    ({"platform": "linux/arm64", "build": {"context": ".", "platforms": ["linux/amd64"]}}, [
        ".platform: service 'web' runs on linux/arm64, and its image is built for linux/amd64 "
        "= add it to the platforms of the build"]),
    ({"deploy": {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"], "count": "some"}]}}}}, [
        ".deploy.resources.reservations.devices.0.count: expected a whole number, found 'some'"]),
    ({"deploy": {"resources": {"reservations": {"devices": [
        {"capabilities": ["gpu"], "count": "all", "device_ids": ["0"]}]}}}}, [
        ".deploy.resources.reservations.devices.0.count (key): service 'web' asks for both a number of devices and "
        "certain ones = keep one of them"]),
    ({"volumes": ["a:/x", "/b:/x/"]}, [
        ".volumes.1: something is mounted at /x already = mount it somewhere else, or remove it"]),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "expected"), CASES, ids=[str(index) for index in range(len(CASES))])
def test_a_mistake_is_told(extra: dict[str, Any], expected: list[str] | None) -> None:
    lines = told(IMAGE | extra)
    assert lines == expected if expected is not None else len(lines) == 1


def test_several_mistakes_are_told_at_once() -> None:
    lines = told({"image": "debian", "port": ["80"], "tty": 3, "volumes": [{"type": "bnd"}]})
    assert {line.partition(":")[0] for line in lines} == {".tty", ".volumes.0.type", ".port (key)"}


@pytest.mark.parametrize("entry", [None, 3, [], "debian"])
def test_an_entry_is_a_mapping(entry: Any) -> None:
    assert told(entry)[0].startswith(": expected a mapping, found")


def test_a_service_has_an_image_or_a_build() -> None:
    assert told({}) == [" (key): service 'web' has neither an image nor a build = write image: debian:latest"]
    assert told({"build": "."}) == []


def test_good_services_are_good() -> None:
    assert told(IMAGE | {"x-mine": 1, "command": None, "ports": ["80:80"], "deploy": None}) == []


def test_every_key_one_letter_off_is_refused_with_the_right_key() -> None:
    definitions = compose_schema()["$defs"]
    keys = {key for name in ("service", "container_spec", "workload_spec") for key in definitions[name]["properties"]}
    for key in sorted(keys):
        wrong = key[:-1] + ("x" if key[-1] != "x" else "y")
        if wrong in keys or len(key) < 4:
            continue
        lines = told(IMAGE | {wrong: None})
        assert len(lines) == 1, wrong
        assert lines[0].startswith(f".{wrong} (key): unknown key '{wrong}'"), wrong
        assert "did you mean '" in lines[0], wrong


def document_told(document: Any) -> list[str]:
    scope = FakeScope()
    assert check_document(document, scope) == (not scope.told)
    return scope.lines()


def test_documents() -> None:
    assert document_told({"version": "3", "name": "x", "services": {"a": IMAGE}, "x-y": 1}) == []
    assert document_told({"service": {}, "services": {"a": IMAGE}}) == [
        "service (key): unknown key 'service' in the compose file = did you mean 'services'?"
    ]
    assert document_told({"services": {"a": IMAGE | {"network": []}}}) == [
        "services.a.network (key): unknown key 'network' in 'services.a' of the compose file = did you mean 'networks'?"
    ]
    assert document_told({"services": {"-a": IMAGE}}) == [
        "services.-a (key): '-a' is not a name "
        "= use letters, digits, '_', '.' and '-', and begin with a letter or digit"
    ]
    assert (
        "'include' in the compose file is not supported"
        in document_told({"include": ["x.yml"], "services": {"a": IMAGE}})[0]
    )
    assert document_told({"services": {"a": {"image": "x", "restart": "x"}}}) == [
        "services.a.restart: 'x' is no restart policy"
    ]
    assert "has no services" in document_told({"volumes": {}})[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["80:80", "a=b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(
    {
        key
        for name in ("service", "container_spec", "workload_spec")
        for key in compose_schema()["$defs"][name]["properties"]
    }
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4) | JSON)
def test_no_entry_makes_the_check_fail(entry: Any) -> None:
    scope = FakeScope()
    assert check_service(entry, ("services", "web"), "service 'web'", scope) == (not scope.told)
    check_document({"services": {"web": entry}}, FakeScope())
    check_document(entry, FakeScope())


@pytest.mark.parametrize("key", ["models", "use_api_socket", "provider"])
def test_what_labspec_does_not_run_is_refused_by_name(key: str) -> None:
    value = {"models": ["llm"], "use_api_socket": True, "provider": {"type": "x"}}[key]
    assert [line.partition(":")[0] for line in told({**IMAGE, key: value})] == [f".{key} (key)"]
