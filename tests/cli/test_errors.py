"""Every way to hold the command line wrong ends in one clear report and the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labspec.cli.commands import NAMES, SECTIONS
from labspec.cli.main import cli


def test_no_arguments_show_the_help(labspec: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = labspec()
    assert code == 1
    assert out == ""
    assert "labspec init my-lab" in err


def test_the_help_names_every_command_with_its_own_summary(labspec: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = labspec("--help")
    assert code == 0
    for entries in SECTIONS.values():
        for entry in entries:
            command = cli.get_command(cli.make_context("labspec", ["x"], resilient_parsing=True), entry.name)
            assert command is not None
            assert command.short_help == entry.summary
            assert f"  {entry.name.ljust(10)}  {entry.summary}\n" in out


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_examples_in_its_help(name: str, labspec: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = labspec(name, "-h")
    assert code == 0
    assert f"labspec {name}" in out.partition("Options:")[2]
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("words", [("plan",), ("import", "live"), ("sandbox", "up"), ()], ids=" ".join)
def test_help_of_a_command_is_asked_for_in_either_way(
    words: tuple[str, ...], labspec: Callable[..., tuple[int, str, str]]
) -> None:
    assert labspec("help", *words) == labspec(*words, "--help")


KNOWN_IMPORTS = "known: compose, dockerfile, unit, daemon, rkt, bundle, run, live"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["plna"], "there is no command 'plna'", "did you mean 'plan'?"),
        (["aply"], "there is no command 'aply'", "did you mean 'apply'?"),
        (["xyzzy"], "there is no command 'xyzzy'", "'labspec --help' lists the commands"),
        (["plan", "--taget", "x"], "'labspec plan' has no option --taget", "did you mean '--target'?"),
        (["apply", "--auto-aprove"], "'labspec apply' has no option --auto-aprove", "did you mean '--auto-approve'?"),
        (["help", "plna"], "there is no command 'plna'", "did you mean 'plan'?"),
        (["help", "import", "nope"], "there is no 'labspec import nope'", KNOWN_IMPORTS),
        (["plan", "--zzzzzz"], "'labspec plan' has no option --zzzzzz", "'labspec plan -h' explains it"),
        (["--no-colour", "plan"], "'labspec' has no option --no-colour", "did you mean '--no-color'?"),
        (["plan", "a", "b"], "unexpected extra argument", "'labspec plan -h' explains it"),
        (["plan", "--var", "x"], "--var x: a variable is given as NAME=VALUE", "for example --var port=8080"),
        (["plan", "--var", "=x"], "--var =x: a variable is given as NAME=VALUE", "for example --var port=8080"),
        (["render"], "missing option '-o' / '--out'", "'labspec render -h' explains it"),
        (["-C", "/nowhere", "plan"], "-C /nowhere: No such file or directory", None),
        (["plan", "-C", "/nowhere"], "-C /nowhere: No such file or directory", None),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'", "'labspec completion -h' explains it"),
    ],
)
def test_mistakes(
    arguments: list[str], message: str, hint: str | None, labspec: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, err = labspec(*arguments)
    assert code == 1, "2 would be plan's 'there are changes'"
    assert out == ""
    first, *rest = err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert rest == ([f"      = {hint}"] if hint else [])


def test_mistakes_as_json(labspec: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = labspec("plan", "--json", "--taget", "x")
    assert (code, err) == (1, "")
    assert json.loads(out) == {
        "format": 1,
        "diagnostics": [
            {"message": "'labspec plan' has no option --taget", "hint": "did you mean '--target'?"},
        ],
    }


def test_an_internal_error_is_one_line(
    labspec: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("\x1b[2Jboom")

    monkeypatch.setattr("labspec.cli.checkup.checkup", broken)
    code, out, err = labspec("doctor")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith("error: internal error: ValueError: \\x1b[2Jboom (labspec ")
    assert "please report it" in err
    monkeypatch.setenv("LABSPEC_DEBUG", "1")
    assert "Traceback" in labspec("doctor").err
    assert json.loads(labspec("doctor", "--json").out)["diagnostics"][0]["message"].startswith("internal error")


def test_interrupted(labspec: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("labspec.cli.checkup.checkup", interrupted)
    code, out, err = labspec("doctor")
    assert (code, out, err) == (130, "", "\nInterrupted.\n")


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "labspec", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, check=False, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def test_a_reader_that_went_away() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = process("completion", "bash", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk() -> None:
    with Path("/dev/full").open("wb") as full:
        done = process("completion", "bash", stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: No space left on device\n")
    assert b"Traceback" not in done.stderr


def test_a_terminal_without_unicode() -> None:
    done = process("-C", "/\u00e9\u2713", "doctor", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.stderr.startswith(b"error: -C /\\xe9\\u2713: No such file")


@pytest.mark.parametrize(
    ("environment", "arguments", "coloured"),
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": ""}, [], True),
        ({"TERM": "dumb"}, [], False),
        ({}, ["--no-color"], False),
    ],
)
def test_colours_only_where_they_are_wanted(environment: dict[str, str], arguments: list[str], coloured: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    command = [sys.executable, "-m", "labspec", "plna", *arguments]
    subprocess.run(command, stderr=theirs, env={**environ, "TERM": "xterm", **environment}, check=False, timeout=60)
    os.close(theirs)
    said = os.read(ours, 10_000)
    os.close(ours)
    assert (b"\x1b[31m" in said) is coloured
    assert b"there is no command" in said
