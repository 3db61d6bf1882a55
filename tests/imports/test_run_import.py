"""docker run command lines as specs: every flag of the client is known, and mistakes are refused in plain words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.imports.run import import_run
from labspec.imports.run_flags import FLAGS, LIST, flags_table
from labspec.imports.run_words import shell_words
from labspec.imports.writing import spec_text
from labspec.spec.loader import load_text

PAGE = Path(__file__).parents[2] / "docs" / "docker-run.md"
NEWER = {"help", "use-api-socket"}
"""Flags that are no trait of a container, or came after version 26."""


def service(line: str, folder: Path = Path(), **environment: str) -> dict[str, Any]:
    """Return the one service that a command line makes; the spec of it loads."""
    imported = import_run((line,), folder, environment)
    load_text(spec_text(imported), folder / "lab.yaml")
    ((_, found),) = imported.sections["services"].items()
    return dict(found)


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker here")
def test_every_flag_of_docker_run_is_known() -> None:
    said = subprocess.run(["docker", "run", "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    flags = re.findall(r"^  (?:-(\w), |    )--([a-z0-9-]+)(?: (\w[\w-]*))? ", said, re.MULTILINE)
    assert len(flags) > 90
    mine = {flag.name: flag for flag in FLAGS}
    for short, name, kind in flags:
        if name not in NEWER:
            assert mine[name].short == short, name
            assert (mine[name].kind == "switch") == (not kind), name
            if kind in ("list", "map", "ulimit", "mount", "network"):
                assert mine[name].kind == LIST, name


def test_nearly_all_can_be_said() -> None:
    assert sum(not flag.lost for flag in FLAGS) >= 0.95 * len(FLAGS)
    assert all(flag.key or flag.note for flag in FLAGS)


def test_the_page_has_the_table() -> None:
    assert flags_table() in PAGE.read_text(encoding="utf-8")


def test_words_of_a_shell() -> None:
    line = 'docker run \\\n -e "A=$X y" -e \'B=$X\' -e C=a\\ b -v $(pwd):/w ~/x ""'
    words = ["docker", "run", "-e", "A=1 y", "-e", "B=$X", "-e", "C=a b", "-v", "/here:/w", "/root/x", ""]
    assert shell_words(line, {"X": "1", "HOME": "/root"}, "/here") == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("docker run a # what it is\n# more\n", ["docker", "run", "a"]),
        ("docker run a#b 'c' # d", ["docker", "run", "a#b", "c"]),
        ("docker run `#name` -d `# all` a", ["docker", "run", "-d", "a"]),
        ("docker run -u $(id -u):`id -g` a", ["docker", "run", "-u", f"{os.getuid()}:{os.getgid()}", "a"]),
        ('docker run ${X:-y} ${Y-z} "${Z:-}" ${PWD} $', ["docker", "run", "1", "z", "", "/here", "$"]),
        ('docker run "a"\'b\'$X "$"', ["docker", "run", "ab1", "$"]),
    ],
)
def test_what_a_shell_makes_of_a_line(line: str, words: list[str]) -> None:
    assert shell_words(line, {"X": "1"}, "/here") == words


def test_flags_in_their_short_forms() -> None:
    found = service("sudo docker run -itd -p8080:80 -m=64m -eA=1 --net=host --init=false busybox echo -n x")
    assert found == {
        "image": "busybox",
        "mem_limit": "64m",
        "stdin_open": True,
        "tty": True,
        "init": False,
        "ports": ["8080:80"],
        "command": ["echo", "-n", "x"],
        "environment": {"A": "1"},
        "network_mode": "host",
    }


def test_swap_without_limit_is_a_number() -> None:
    found = service("docker run -m 64m --memory-swap -1 busybox")
    assert (found["mem_limit"], found["memswap_limit"]) == ("64m", -1)


def test_files_of_variables_are_taken_as_docker_takes_them(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text('# no\nA="quoted"\nB= x \nC\n\nD=$A\n')
    found = service("docker run --env-file a.env -e B=2 busybox", tmp_path)
    assert found["environment"] == {"A": '"quoted"', "B": "2", "C": None, "D": "$A"}


def test_what_is_lost_is_told() -> None:
    imported = import_run(("docker run --rm -P --cidfile x --cpuset-mems 0 --rm=true busybox",), Path(), {})
    assert [loss.name for loss in imported.losses] == ["--rm", "--publish-all", "--cidfile", "--cpuset-mems"]
    assert not import_run(("docker run --rm=false --stop-timeout 1 busybox",), Path(), {}).losses
    (loss,) = import_run(("docker run --stop-timeout=-1 busybox",), Path(), {}).losses
    assert loss.name == "--stop-timeout -1"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("docker ps", "this is no 'docker run'"),
        ("docker run", "names no image"),
        ("docker run --privilegd x", "no flag --privilegd"),
        ("docker run -Z x", "no flag -Z"),
        ("docker run x; rm -rf /", "more than one command"),
        ("docker run $(cat x)", "runs a command"),
        ("docker run -e A=$NOWHERE x", "NOWHERE has no value"),
        ("docker run ${X/a/b} x", "'${X/a/b} x' is for a shell to read"),
        ("docker run $'x'", "is for a shell to read"),
        ("docker run $1", "the variable 1 has no value"),
        ("docker run -d \\ \n x", "a blank stands behind the backslash"),
        ("docker --context c run x", "--context is an option of docker"),
        ("docker run 'x", "not closed"),
        ("docker run --cpus many x", "expected a number"),
        ("docker run --mount type=bind,src=/a x", "no target"),
        ("docker run --mount type=bind,sorce=/a,dst=/b x", "sorce is not known"),
        ("docker run --network", "lacks its value"),
        ("docker run --init=perhaps x", "expected true or false"),
        ("docker run --network host --network a x", "goes with no other"),
    ],
)
def test_refused(line: str, words: str) -> None:
    with pytest.raises(LabError, match=re.escape(words)):
        import_run((line,), Path(), {})
