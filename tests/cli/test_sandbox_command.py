"""labspec sandbox and labspec --sandbox, as far as no engine is needed: what is asked, refused, passed on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from labspec.cli.commands import NAMES
from labspec.cli.main import cli
from labspec.cli.sandboxed import ONLY_HERE, Call, call_of


def call(name: str, *arguments: str) -> Call | None:
    context = click.Context(cli, info_name="labspec", **cli.context_settings)
    command = cli.get_command(context, name)
    assert command is not None
    own = click.Context(command, parent=context, info_name=name, help_option_names=["-h", "--help"])
    return call_of(command, arguments, own)


def passed(name: str, *arguments: str) -> tuple[str, ...]:
    found = call(name, *arguments)
    assert found is not None
    return found.arguments


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ((), ()),
        (("specs/tp1", "-v"), ("--verbose", "--", "specs/tp1")),
        (("/home/me/lab",), ("--", "/labs/home/me/lab")),
        (("--var", "a=/b c", "--var=d=e"), ("--var=a=/b c", "--var=d=e")),
        (("--target", "service.web", "--json"), ("--target=service.web", "--json")),
        (("--var-file", "/etc/vars.yaml", "-o", "x.plan"), ("--var-file=/labs/etc/vars.yaml", "--out=x.plan")),
        (("--", "-odd"), ("--", "-odd")),
        (("one", "two"), ("--", "one", "two")),
    ],
)
def test_the_command_line_there(given: tuple[str, ...], there: tuple[str, ...]) -> None:
    assert passed("plan", *given) == there


def test_what_is_read_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = call("plan", "lab", "--var-file", "../v.yaml", "-o", "out/p.plan")
    assert found is not None
    assert (found.reads, found.spec) == (True, "lab")
    assert found.further == (str(tmp_path.parent / "v.yaml"),)
    assert found.out == str(tmp_path / "out" / "p.plan")


def test_a_command_without_a_spec_reads_no_lab() -> None:
    assert call("doctor", "--json") == Call(("--json",), reads=False, spec=None, further=(), out=None)


def test_a_folder_behind_the_command_is_where_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    found = call("plan", "-o", "p.plan", "-C", "deep")
    assert found is not None
    assert found.arguments == ("--out=p.plan",)
    assert found.out == str(tmp_path / "deep" / "p.plan")


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(ONLY_HERE)))
def test_help_is_given_here(name: str, labspec: Callable[..., Any]) -> None:
    result = labspec("--sandbox", "lab", name, "-h")
    assert (result.code, result.err) == (0, "")
    assert f"Usage: labspec {name}" in result.out


@pytest.mark.parametrize("name", sorted(ONLY_HERE))
def test_what_does_not_run_in_a_sandbox(name: str, labspec: Callable[..., Any]) -> None:
    result = labspec("--sandbox", "lab", name)
    assert result.code == 1
    assert f"'{name}' does not run in a sandbox" in result.err


def test_an_unknown_option_is_told_here(labspec: Callable[..., Any]) -> None:
    result = labspec("--sandbox", "lab", "plan", "--targt", "x")
    assert result.code == 1
    assert "'labspec plan' has no option --targt" in result.err
    assert "did you mean '--target'?" in result.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["up", "Lab"], "'Lab' cannot be the name of a sandbox"),
        (["up", "--engine", "distr"], "did you mean 'distro'?"),
        (["up", "-p", "80"], "-p 80: a port is given as HOST:SANDBOX"),
        (["up", "--no-images", "--image", "x"], "exclude each other"),
        (["up", "--ssh-key", "/dev/null/none"], "does not exist"),
        (["exec", "lab"], "missing argument"),
        (["exec", "-x", "--", "true"], "'-x' cannot be the name of a sandbox"),
        (["shell", "../x"], "cannot be the name of a sandbox"),
        (["down", "a", "--all"], "exclude each other"),
        (["upp"], "upp"),
    ],
)
def test_what_is_refused_before_the_engine_is_asked(
    arguments: list[str], complaint: str, labspec: Callable[..., Any]
) -> None:
    result = labspec("sandbox", *arguments)
    assert result.code == 1
    assert complaint in result.err


@pytest.mark.parametrize("text", ["-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "", "ssh-ed25519 AAAA\nssh-rsa BBBB\n"])
def test_only_a_public_key_is_one(text: str, tmp_path: Path, labspec: Callable[..., Any]) -> None:
    (tmp_path / "key").write_text(text)
    result = labspec("sandbox", "up", "--ssh-key", tmp_path / "key")
    assert result.code == 1
    assert "has no public key in it" in result.err
