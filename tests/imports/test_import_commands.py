"""labspec import SOURCE as it is called: the spec on stdout or in a file, losses on stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from labspec.cli.main import cli
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

FILES = {
    "Dockerfile": "FROM debian\nRUN x\n",
    "web.service": "[Service]\nExecStart=/bin/true\n",
    "daemon.json": '{"debug": true, "bip": null}',
    "config.json": '{"process": {"args": ["x"]}}',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of files, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def called(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["import", *arguments], catch_exceptions=False, standalone_mode=False)


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        (("dockerfile", "Dockerfile", "--image", "page"), ("images", "page")),
        (("unit", "web.service"), ("units", "web.service")),
        (("daemon", "daemon.json"), ("daemon", "settings")),
        (("rkt", "--as", "pod", "rkt run docker://a -- x"), ("rkt", "pod")),
        (("rkt", "--", "rkt", "run", "docker://a", "--exec=/x"), ("rkt", "a")),
        (("bundle", "config.json", "--image", "debian", "--as", "box"), ("bundles", "box")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_the_spec(folder: Path, arguments: tuple[str, ...], address: tuple[str, str]) -> None:
    plain = called(*arguments)
    assert plain.exit_code == 0
    document = parse(plain.stdout.encode(), "lab.yaml", Report())
    assert document is not None
    section, name = address
    assert [*document.value[section]] == [name]
    source, *rest = arguments
    assert called(source, "--name", "own", "-o", "lab.yaml", *rest).exit_code == 0
    written = parse((folder / "lab.yaml").read_bytes(), "lab.yaml", Report())
    assert written is not None
    assert (written.value["lab"]["name"], [*written.value[section]]) == ("own", [name])


def test_losses_are_told_by_name(folder: Path) -> None:
    assert folder.is_dir()
    done = called("daemon", "daemon.json")
    assert "bip: it is null" in done.stderr
    assert "daemon.json:1:17" in done.stderr
    assert called("daemon", "daemon.json", "--strict").return_value == 1
    lost = json.loads(called("daemon", "daemon.json", "--json").stdout)["lost"]
    assert [loss["name"] for loss in lost] == ["bip"]
