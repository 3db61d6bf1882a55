"""The command lines, held against those that were recorded with the real rkt."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from rktpods import RECORDINGS
from rktspecs import NAMED, SEED

from labspec.host.rkt import Pod, _pods
from labspec.kinds.rkt.command import applied_command, fetch_command, sheet_command
from labspec.kinds.rkt.steps import is_own_unit

SEED_LINE = (
    "systemd-run rkt --insecure-options=image --stage1-name=coreos.com/rkt/stage1-fly:1.29.0 run docker://alpine "
    "--exec /bin/sleep -- 9999"
)


def test_the_sheets_line_is_the_seeds() -> None:
    assert " ".join(sheet_command(SEED)) == SEED_LINE


def test_the_sheets_line_is_the_recorded_one() -> None:
    recorded = (RECORDINGS / "lab-line.txt").read_text().splitlines()[1]
    spec = {**SEED, "insecure_options": ["image", "http"], "image": "docker://registry.lab:5055/alpine"}
    assert sheet_command(spec) == shlex.split(recorded)


def test_the_applied_line_is_the_recorded_one() -> None:
    unit = (RECORDINGS / "systemd-cat-named.txt").read_text()
    recorded = shlex.split(re.findall(r'(?m)^ExecStart=(".*)$', unit)[0])
    made = applied_command(NAMED, "web", "web", "lab", "web", "abc123")
    assert made[:3] == ["systemd-run", "--unit=web", "--collect"]
    moved = [word.replace("/run/labspec/lab/", "/run/lab/") for word in made[3:]]
    assert ["/usr/bin/rkt", *moved[1:]] == recorded


def test_the_applied_line_of_the_seed() -> None:
    made = applied_command(SEED, "labspec-tp1-sleeper", "sleeper", "tp1", "tp1/rkt.sleeper", "0123456789ab")
    assert " ".join(made) == (
        "systemd-run --unit=labspec-tp1-sleeper --collect rkt --insecure-options=image "
        "--stage1-name=coreos.com/rkt/stage1-fly:1.29.0 run "
        "--uuid-file-save=/run/labspec/tp1/labspec-tp1-sleeper.uuid docker://alpine --name=sleeper "
        "--user-label=labspec.id=tp1/rkt.sleeper --user-annotation=labspec.hash=0123456789ab --exec /bin/sleep -- 9999"
    )


def test_the_service_manager_hands_a_dollar_on() -> None:
    made = applied_command({**SEED, "args": ["$HOME", "${X}"]}, "u", "a", "tp1", "i", "h")
    assert made[-2:] == ["$$HOME", "$${X}"]
    assert sheet_command({**SEED, "args": ["$HOME"]})[-1] == "$HOME"


def test_fetches_with_the_same_checks() -> None:
    assert fetch_command(SEED) == ["rkt", "--insecure-options=image", "fetch", "--pull-policy=new", "docker://alpine"]


@pytest.mark.parametrize(
    ("file", "pod"),
    [
        (
            "list-labelled.json",
            Pod(
                "09c4bcd4-8893-4947-8b94-92df8245e137",
                True,
                1795488052866890664,
                {"labspec.id": "web"},
                {"labspec.hash": "abc123"},
            ),
        ),
        ("list-pretty.json", Pod("3ca8bfe9-5808-4686-a4ac-2a1393f3d290", True, 1795487909073350683, {}, {})),
    ],
)
def test_reads_the_recorded_lists(file: str, pod: Pod) -> None:
    assert list(_pods(json.loads((RECORDINGS / file).read_text()))) == [pod]


def test_reads_every_recorded_state() -> None:
    lines = (RECORDINGS / "states.txt").read_text().splitlines()
    lists = [json.loads(lines[at + 1]) or [] for at, line in enumerate(lines) if line == "$ rkt list --format=json"]
    states = [[(pod.running, pod.labels) for pod in _pods(found)] for found in lists]
    own = {"labspec.id": "s"}
    assert states == [[], [(True, own)], [(False, own)], [(False, own)], []]


def test_knows_its_own_unit_by_the_recorded_line() -> None:
    line = "{ path=/usr/bin/rkt ; argv[]=/usr/bin/rkt run --uuid-file-save=/run/labspec/tp1/u.uuid IMAGE ; pid=1509 }"
    assert is_own_unit({"Transient": "yes", "ExecStart": line}, "tp1", "u")
    assert not is_own_unit({"Transient": "yes", "ExecStart": line}, "tp2", "u")
    assert not is_own_unit({"Transient": "no", "ExecStart": line}, "tp1", "u")
    assert not is_own_unit({"LoadState": "not-found"}, "tp1", "u")
