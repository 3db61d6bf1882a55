"""The short spellings of a compose file, each against what compose makes of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labspec.kinds.compose import values
from labspec.kinds.compose.images import check_reference
from labspec.kinds.compose.mounts import Mount, file_mode, parse_device, parse_tmpfs
from labspec.kinds.compose.ports import parse_expose, parse_ports
from labspec.kinds.service import canonical


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("80", [":80/tcp"]),
        (80, [":80/tcp"]),
        ("8080:80", ["8080:80/tcp"]),
        ("8080:80/udp", ["8080:80/udp"]),
        ("8080:80/UDP", ["8080:80/udp"]),
        ("127.0.0.1:8080:80", ["127.0.0.1:8080:80/tcp"]),
        ("127.0.0.1::80", ["127.0.0.1::80/tcp"]),
        ("[::1]:5:6", ["[::1]:5:6/tcp"]),
        ("[::1]::6", ["[::1]::6/tcp"]),
        ("::1:5:6", ["[::1]:5:6/tcp"]),
        (":80", [":80/tcp"]),
        ("9000-9001", [":9000/tcp", ":9001/tcp"]),
        ("8000-8001:80-81", ["8000:80/tcp", "8001:81/tcp"]),
        ("8000-8010:80", ["8000-8010:80/tcp"]),
        ({"target": 80}, [":80/tcp"]),
        ({"target": "80", "published": "8080", "host_ip": "::1", "protocol": "udp"}, ["[::1]:8080:80/udp"]),
        ({"target": 80, "published": 8080, "mode": "host"}, ["8080:80/tcp"]),
        ({"target": 80, "published": "1-3"}, ["1-3:80/tcp"]),
    ],
)
def test_ports(entry: Any, expected: list[str]) -> None:
    assert [str(port) for port in parse_ports(entry)] == expected


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("", "the target in '' is missing"),
        ("80:", "the target in '80:' is missing"),
        ("x:80", "the published port in 'x:80' is not a port number: 'x'"),
        ("99999:80", "they go from 1 to 65535"),
        ("80:0", "is not a port number: 0"),
        ("81-80:80", "a range that ends before it begins"),
        ("80-82:90-91", "the ranges 80-82 and 90-91 differ in length"),
        ("80:90/xx", "'xx' is no protocol"),
        ("1.2.3:80:90", "'1.2.3' is not an IP address"),
        (80.5, "is not a port number: '80.5'"),
        ({"published": 80}, "a port lacks the key 'target'"),
        ({"target": "1-2"}, "'target' is one port"),
    ],
)
def test_bad_ports(entry: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_ports(entry)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [(80, ["80/tcp"]), ("81-83/udp", ["81/udp", "82/udp", "83/udp"]), ("5/sctp", ["5/sctp"])],
)
def test_expose(entry: Any, expected: list[str]) -> None:
    assert parse_expose(entry) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("/anon", Mount("volume", "/anon")),
        ("foo:/app", Mount("volume", "/app", "foo")),
        ("foo:/a/b/../c/:ro", Mount("volume", "/a/c", "foo", read_only=True)),
        ("foo:/app:nocopy", Mount("volume", "/app", "foo", nocopy=True)),
        ("./x:/y:ro,z", Mount("bind", "/y", "./x", read_only=True, selinux="z")),
        (".:/y", Mount("bind", "/y", ".")),
        ("~/x:/y", Mount("bind", "/y", "~/x")),
        ("/x:/y:rslave", Mount("bind", "/y", "/x", propagation="rslave")),
        ("/x:/y:rw", Mount("bind", "/y", "/x")),
        ({"type": "volume", "target": "/x"}, Mount("volume", "/x")),
        (
            {"type": "volume", "source": "v", "target": "/x/", "read_only": "true", "volume": {"nocopy": True}},
            Mount("volume", "/x", "v", read_only=True, nocopy=True),
        ),
        (
            {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "10m", "mode": 493}},
            Mount("tmpfs", "/t", tmpfs_size=10 * 2**20, tmpfs_mode=0o755),
        ),
        (
            {"type": "bind", "source": "/x", "target": "/y", "bind": {"propagation": "shared", "selinux": "Z"}},
            Mount("bind", "/y", "/x", propagation="shared", selinux="Z"),
        ),
    ],
)
def test_mounts(entry: Any, expected: Mount) -> None:
    assert Mount.parse(entry) == expected


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("foo:/a:ro:z", "too many colons"),
        ("foo:", "an empty part"),
        ("foo:app", "not an absolute path"),
        ("app", "not an absolute path"),
        ("foo:/", "root folder"),
        ("foo:/a:nocpy", "did you mean 'nocopy'?"),
        ("C:\\x:/y", "is a Windows path"),
        ({"type": "bind", "target": "/y"}, "lacks the key 'source'"),
        ({"type": "volume"}, "lacks the key 'target'"),
        ({"type": "tmpfs", "source": "x", "target": "/y"}, "has no source"),
        ({"type": "bind", "source": "/x", "target": "/y", "bind": {"propagation": "x"}}, "is no propagation"),
    ],
)
def test_bad_mounts(entry: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Mount.parse(entry)


def test_tmpfs_and_devices_and_modes() -> None:
    assert parse_tmpfs("/run:size=1m,mode=1777") == ("/run", "size=1m,mode=1777")
    assert parse_tmpfs("/run") == ("/run", "")
    assert parse_device("/dev/null") == "/dev/null:/dev/null:rwm"
    assert parse_device("/dev/zero:/dev/y:r") == "/dev/zero:/dev/y:r"
    assert parse_device("/dev/zero:rw") == "/dev/zero:/dev/zero:rw"
    assert parse_device({"source": "/dev/a", "permissions": "r"}) == "/dev/a:/dev/a:r"
    assert (file_mode("0440"), file_mode(288)) == (0o440, 288)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1m30s", "1m30s"),
        ("90s", "1m30s"),
        ("1.5s", "1s500ms"),
        ("0", "0s"),
        ("1h1m0.5s", "1h1m500ms"),
        ("500ms", "500ms"),
        ("1us", "1us"),
    ],
)
def test_durations(text: str, expected: str) -> None:
    assert canonical.duration(values.nanoseconds(text)) == expected


@pytest.mark.parametrize("text", ["1x", "", "1", "s", "1s2", "-1s", "1d", "9" * 60 + "h", "1 s"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        values.nanoseconds(text)


@given(st.integers(min_value=0, max_value=10**15))
def test_a_duration_survives_the_way_to_text_and_back(nanoseconds: int) -> None:
    assert values.nanoseconds(canonical.duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("given_size", "expected"),
    [(5, 5), ("5", 5), ("1k", 1024), ("100MB", 100 * 2**20), ("1.5g", 3 * 2**29), ("1 mb", 2**20), ("2GiB", 2**31)],
)
def test_sizes(given_size: Any, expected: int) -> None:
    assert values.size(given_size) == expected


@pytest.mark.parametrize("given_size", ["1x", "", "m", "-1", "1e3", -1, "9" * 20 + "g"])
def test_bad_sizes(given_size: Any) -> None:
    with pytest.raises(ValueError, match=r"size|large"):
        values.size(given_size)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sleep 9000", ["sleep", "9000"]),
        ("", []),
        (["a", "b c"], ["a", "b c"]),
        ("a 'b c'd \"e'f\" g\\ h", ["a", "b cd", "e'f", "g h"]),
        ('sh -c "echo \\"x y\\" ; ls" ""', ["sh", "-c", 'echo "x y" ; ls', ""]),
        ("a\tb\nc", ["a", "b", "c"]),
        ("'a\\b' $X", ["a\\b", "$X"]),
    ],
)
def test_words(line: Any, expected: list[str]) -> None:
    assert values.words(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [("a && b", "no shell runs this line"), ("a 'b", "a quote ' is not closed"), ("a\\", "ends with a backslash")],
)
def test_bad_words(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        values.words(line)


def test_lists_that_stand_for_mappings() -> None:
    assert values.mapping(["a", "b=c", "d="]) == {"a": "", "b": "c", "d": ""}
    assert values.mapping({"a": None, "b": 1.0, "c": True, "d": 1.5}) == {"a": "", "b": "1", "c": "true", "d": "1.5"}
    assert values.optional_mapping(["a", "b=c=d"]) == {"a": None, "b": "c=d"}
    assert values.optional_mapping(None) == {}


@pytest.mark.parametrize(
    ("given_hosts", "expected"),
    [
        (["a=1.2.3.4", "b:::1", "c=[::1]"], ["a:1.2.3.4", "b:::1", "c:::1"]),
        ({"a": ["1.1.1.1", "2.2.2.2"], "b": "host-gateway"}, ["a:1.1.1.1", "a:2.2.2.2", "b:host-gateway"]),
    ],
)
def test_extra_hosts(given_hosts: Any, expected: list[str]) -> None:
    assert values.extra_hosts(given_hosts) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("no", "no"), ("always", "always"), ("on-failure", "on-failure"), ("on-failure:3", "on-failure:3")],
)
def test_restart(policy: str, expected: str) -> None:
    assert values.restart(policy) == expected


@pytest.mark.parametrize("policy", ["on-failur", "on-failure:x", "always:3", "", "never"])
def test_bad_restart(policy: str) -> None:
    with pytest.raises(ValueError, match="is no restart policy"):
        values.restart(policy)


def test_a_misspelt_restart_policy_is_recognised() -> None:
    with pytest.raises(ValueError, match="did you mean 'on-failure'"):
        values.restart("on-failur")


@pytest.mark.parametrize("good", ["debian", "debian:12", "a.b/c/d_e:T-1", "localhost:5000/x", "x@sha256:" + "a" * 64])
def test_references(good: str) -> None:
    assert check_reference(good) == good


@pytest.mark.parametrize("bad", ["Debian", "a b", "-x", "x:", "a//b", "x" * 600, "x\n", "x:y:z"])
def test_bad_references(bad: str) -> None:
    with pytest.raises(ValueError, match="is no name of an image"):
        check_reference(bad)
