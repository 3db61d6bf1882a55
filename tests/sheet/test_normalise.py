"""What is different every time: recognised by type, and nothing else taken for it."""

from __future__ import annotations

import pytest

from labspec.sheet.normalise import Context, asks_for_processes, fixed_values, skeleton, tokenise, tokens

NOTHING = Context()

ID = "ca8dadf7ab9e3d26dd388a947ded6fd5356018cd0217173d5397acea1d0904fd"


def found(text: str, context: Context = NOTHING) -> list[tuple[str, str]]:
    """Return (type, text as written) of each token."""
    return [(token.type, token.text) for line in tokenise(text, context) for token in tokens(line)]


CASES = {
    # processes
    "ls -l /proc/1680/ns/": [("pid", "1680")],
    '"Pid": 4211,': [("pid", "4211")],
    "   Main PID: 4211 (dockerd)": [("pid", "4211")],
    "MainPID=4211": [("pid", "4211")],
    "Pid:    4211": [("pid", "4211")],
    "dockerd[4211]: started": [("pid", "4211")],
    "             └─4211 /usr/sbin/dockerd": [("pid", "4211")],
    "container web, process 4211": [("pid", "4211")],
    "sleep(4211)": [("pid", "4211")],
    "PID 1 is systemd, pid 0 the idle one": [],
    # namespaces
    "lrwxrwxrwx 1 root root 0 Sep 24 12:55 ipc -> 'ipc:[4026532127]'": [
        ("time", "Sep 24 12:55"),
        ("namespace", "4026532127"),
    ],
    # ids
    f"/docker/{ID}": [("id", ID)],
    f"docker-{ID}.scope": [("id", ID)],
    f'"Image": "sha256:{ID}"': [("id", ID)],
    "ca8dadf7ab9e   nagini": [("id", "ca8dadf7ab9e")],
    "601074601074   nagini": [("id", "601074601074")],
    "vethc0ffee1@if12: <UP>": [("id", "c0ffee1"), ("interface", "12")],
    "7f2c1a54-93c1-4c4e-8f6e-0b2a3c4d5e6f": [("id", "7f2c1a54-93c1-4c4e-8f6e-0b2a3c4d5e6f")],
    "deadbeef is too short": [],
    'ETag: "650a-5f3"': [("id", '"650a-5f3"')],
    # addresses
    "inet 172.17.0.2/16 brd 172.17.255.255": [("ip", "172.17.0.2"), ("ip", "172.17.255.255")],
    "127.0.0.1:1010 and 0.0.0.0:1010->9999/tcp": [],
    "inet6 fe80::42:acff:fe11:2/64": [("ip", "fe80::42:acff:fe11:2")],
    "link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff": [("mac", "02:42:ac:11:00:02")],
    "12: eth0@if13: <BROADCAST> mtu 1500": [("interface", "12"), ("interface", "13")],
    "255.255.0.0": [],
    # ports
    "127.0.0.1:54321 -> 127.0.0.1:1010": [("port", "54321")],
    "0.0.0.0:49153->80/tcp": [("port", "49153")],
    # times
    "2018-10-01T14:15:54.123456789Z": [("time", "2018-10-01T14:15:54.123456789Z")],
    "2018-10-01 14:15:54 +0000 UTC": [("time", "2018-10-01 14:15:54 +0000 UTC")],
    "Mon, 01 Oct 2018 14:15:54 GMT": [("time", "Mon, 01 Oct 2018 14:15:54 GMT")],
    "[01/Oct/2018 14:15:54]": [("time", "01/Oct/2018 14:15:54")],
    "01/Oct/2018:14:15:54 +0000": [("time", "01/Oct/2018:14:15:54 +0000")],
    "Mon Oct  1 14:15:54 UTC 2018": [("time", "Mon Oct  1 14:15:54 UTC 2018")],
    "Sep 24  2018 file": [("time", "Sep 24  2018")],
    '"Created": 1538396154': [("time", "1538396154")],
    "up 14:15:54": [("time", "14:15:54")],
    "May the 4th": [],
    # durations
    "Up 4 seconds": [("duration", "4 seconds")],
    "Up About an hour (healthy)": [("duration", "About an hour")],
    "5 minutes ago": [("duration", "5 minutes ago")],
    "Less than a second ago": [("duration", "Less than a second ago")],
    "1min 12.5s ago": [("duration", "1min 12.5s ago")],
    "0.2 s": [("duration", "0.2 s")],
    "real 0m0.003s": [("duration", "0m0.003s")],
    # sizes and shares
    "Memory: 75.7M": [("size", "75.7M")],
    "12.3MB / 1.9GiB": [("size", "12.3MB"), ("size", "1.9GiB")],
    "0B": [("size", "0B")],
    "1% /app": [("percent", "1%")],
    "0.05%": [("percent", "0.05%")],
    '"Size": 158361209,': [("count", "158361209")],
    "Tasks: 12 (limit: 4915)": [("count", "12"), ("count", "4915")],
    # what stays
    "Python/3.11.2 HTTP 200": [],
    "version 26.1.5+dfsg1": [],
    "drwxr-xr-x 2 root root 4096": [],
    "total 12": [],
    "test.html": [],
    "uid=1000(vagrant) gid=1000(vagrant)": [],
    "http://127.0.0.1:1010/a": [],
    "add dead cafe": [],
}


@pytest.mark.parametrize(("line", "expected"), CASES.items())
def test_a_line(line: str, expected: list[tuple[str, str]]) -> None:
    assert found(line) == expected


def test_a_table_of_processes() -> None:
    text = "UID    PID    PPID   C  STIME  TTY  TIME  CMD\nroot   4211   4190   0  14:15  ?  00:00:01  sleep 9000 4211"
    assert found(text) == [
        ("pid", "4211"),
        ("pid", "4190"),
        ("count", "0"),
        ("time", "14:15"),
        ("time", "00:00:01"),
    ]


def test_a_table_of_namespaces() -> None:
    text = "        NS TYPE   NPROCS   PID USER COMMAND\n4026531837 user       12  4211 root sleep\n\n1 2 3 4 5"
    assert found(text) == [("namespace", "4026531837"), ("pid", "4211")]


def test_a_table_of_loads() -> None:
    text = "Control Group   Tasks   %CPU   Memory  Input/s Output/s\n/docker/x   2   -   75.7M   -   -"
    assert [kind for kind, _ in found(text)] == ["count"] * 5


def test_a_number_alone_is_a_process_where_the_command_asks_for_one() -> None:
    assert found("4211\n") == []
    assert found("4211\n", Context(about_processes=True)) == [("pid", "4211")]
    assert asks_for_processes(["docker", "inspect", "-f", "{{.State.Pid}}", "web"])
    assert asks_for_processes("pgrep sleep")
    assert not asks_for_processes("docker ps | wc -l")


def test_what_the_spec_says_is_never_different() -> None:
    fixed = fixed_values(["10.5.0.2", "size=100m,uid=1000", "40000:80", 67108864])
    context = Context(fixed=fixed)
    assert found("tmpfs 100M 0 100M 0%", context) == [("percent", "0%")]
    assert found("10.5.0.2 and 10.5.0.3", context) == [("ip", "10.5.0.3")]
    assert found("0.0.0.0:40000->80/tcp, :40001", context) == [("port", "40001")]
    assert found("64MiB of 65MiB", context) == [("size", "65MiB")]


def test_own_patterns() -> None:
    assert found("token=abc123 end", Context(volatile=["token=[a-z0-9]+"])) == [("volatile", "token=abc123")]


def test_short_and_long_ids_are_one() -> None:
    (short,) = tokens(tokenise(ID[:12], NOTHING)[0])
    (long,) = tokens(tokenise(f"sha256:{ID}", NOTHING)[0])
    assert short.value == long.value


def test_a_process_is_of_a_place() -> None:
    (here,) = tokens(tokenise("/proc/7/ns", Context(place="host"))[0])
    (there,) = tokens(tokenise("/proc/7/ns", Context(place="service.web"))[0])
    assert here.value != there.value


def test_layout_does_not_count() -> None:
    narrow, wide = "NAME  STATUS\nweb   Up 4 seconds", "NAME  STATUS       \nweb   Up About a minute"
    assert [skeleton(line) for line in tokenise(narrow, NOTHING)] == [
        skeleton(line) for line in tokenise(wide, NOTHING)
    ]


def test_the_meter_of_curl() -> None:
    meter = "  % Total    % Received % Xferd\n100   907  100   907    0     0   113k      0 --:--:--  147k"
    assert [kind for kind, _ in found(meter)] == ["volatile", "volatile"]
