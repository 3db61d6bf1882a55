"""validate, status, render, schema, init, completion and doctor: what they print and how they exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from labspec.cli.checkup import Finding, checkup
from labspec.cli.init import lab_name
from labspec.core.diagnostic import Diagnostic, LabError, Position
from labspec.core.resource import Lab, Resource
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder

if TYPE_CHECKING:
    from conftest import Engine, Result

    Labspec = Callable[..., Result]


class TestValidate:
    """labspec validate."""

    def test_what_is_in_it(self, engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch) -> None:
        assert labspec("validate") == (0, "lab tp1 is valid: 1 volume, 1 service\n", "")
        many = [Resource(f"volume.v{number}", "volume", f"v{number}") for number in range(3)]
        monkeypatch.setattr("labspec.spec.cache.load", lambda *_, **__: Lab("tp1", "/", "/lab.yaml", tuple(many)))
        assert labspec("validate").out == "lab tp1 is valid: 3 volumes\n"
        monkeypatch.setattr("labspec.spec.cache.load", lambda *_, **__: Lab("tp1", "/", "/lab.yaml"))
        assert labspec("validate").out == "lab tp1 is valid: it asks for nothing yet\n"
        assert engine.loaded

    def test_json(self, engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
        code, out, err = labspec("validate", "--json")
        assert (code, err) == (0, "")
        assert json.loads(out) == {
            "format": 1,
            "valid": True,
            "lab": {"name": "tp1", "title": "A lab", "file": str(tmp_path / "lab.yaml")},
            "resources": {"volume": 1, "service": 1},
        }
        assert engine.loaded

    def test_mistakes(self, engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch) -> None:
        found = Diagnostic("unknown key 'prots'", Position("lab.yaml", 3, 5), "did you mean 'ports'?", "    prots: 1")

        def load(*_: object, **__: object) -> Lab:
            raise LabError([found, found._replace(message="another")])

        monkeypatch.setattr("labspec.spec.cache.load", load)
        code, out, err = labspec("validate")
        assert (code, out) == (1, "")
        assert err.splitlines() == [
            "lab.yaml:3:5: error: unknown key 'prots'",
            "    3 |     prots: 1",
            "      |     ^",
            "      = did you mean 'ports'?",
            "lab.yaml:3:5: error: another",
            "    3 |     prots: 1",
            "      |     ^",
            "      = did you mean 'ports'?",
            "2 errors",
        ]
        code, out, err = labspec("validate", "--json")
        assert (code, err) == (1, "")
        assert [diagnostic["line"] for diagnostic in json.loads(out)["diagnostics"]] == [3, 3]
        assert engine.loaded == []


class TestRender:
    """labspec render."""

    def test_files_are_listed(self, engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("labspec.outputs.render.render", lambda _lab, folder: [folder / "compose.yaml"])
        assert labspec("render", "-o", "out") == (0, "out/compose.yaml\n", "")
        assert json.loads(labspec("render", "-o", "out", "--json").out) == {"format": 1, "files": ["out/compose.yaml"]}
        assert engine.loaded


class TestSchema:
    """labspec schema."""

    def test_printed_and_written_alike(self, labspec: Labspec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        code, out, _ = labspec("schema")
        assert code == 0
        assert json.loads(out)["$schema"]
        assert labspec("schema", "-o", "s.json") == (0, "s.json\n", "")
        assert Path("s.json").read_text() == out

    def test_no_folder(self, labspec: Labspec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert labspec("schema", "-o", "no/s.json").err == "error: cannot write no/s.json: No such file or directory\n"


class TestInit:
    """labspec init."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "TP 1").mkdir()
        monkeypatch.chdir(tmp_path / "TP 1")

    def test_here(self, labspec: Labspec) -> None:
        code, out, err = labspec("init")
        assert (code, out) == (0, "wrote lab.yaml\nwrote labspec.schema.json\n")
        assert "cd " not in err
        assert "labspec plan" in err
        text = Path("lab.yaml").read_text()
        assert text.startswith("# yaml-language-server: $schema=./labspec.schema.json\n")
        assert yaml.safe_load(text)["lab"]["name"] == "tp-1"
        assert "my-lab" not in text

    def test_in_a_new_folder(self, labspec: Labspec) -> None:
        code, out, err = labspec("init", "labs/first")
        assert (code, out) == (0, "wrote labs/first/lab.yaml\nwrote labs/first/labspec.schema.json\n")
        assert "  cd labs/first\n" in err
        assert yaml.safe_load(Path("labs/first/lab.yaml").read_text())["lab"]["name"] == "first"

    def test_nothing_is_overwritten(self, labspec: Labspec) -> None:
        Path("labspec.schema.json").write_text("mine")
        assert labspec("init").out == "wrote lab.yaml\nkept labspec.schema.json, which was there\n"
        Path("lab.yaml").write_text("mine too")
        code, out, err = labspec("init")
        assert (code, out) == (1, "")
        assert err.startswith("error: lab.yaml exists already\n")
        assert Path("lab.yaml").read_text() == "mine too"
        assert Path("labspec.schema.json").read_text() == "mine"

    def test_a_dangling_symlink_is_not_written_through(self, labspec: Labspec) -> None:
        Path("lab.yaml").symlink_to("elsewhere")
        assert labspec("init").code == 0
        assert not Path("elsewhere").exists()

    def test_plan_files_are_ignored_by_git_only_where_there_is_git(self, labspec: Labspec) -> None:
        labspec("init", "a")
        assert not Path("a/.gitignore").exists()
        Path(".git").mkdir()
        labspec("init", "b")
        assert Path("b/.gitignore").read_text() == "*.plan\n"
        Path("c").mkdir()
        Path("c/.gitignore").write_text("mine\n")
        assert "kept c/.gitignore, which was there" in labspec("init", "c").out

    def test_json(self, labspec: Labspec) -> None:
        assert json.loads(labspec("init", "a", "--json").out) == {
            "format": 1,
            "folder": "a",
            "created": ["lab.yaml", "labspec.schema.json"],
            "kept": [],
        }

    def test_a_file_is_no_folder(self, labspec: Labspec) -> None:
        Path("a").write_text("")
        code, _, err = labspec("init", "a")
        assert code == 1
        assert err.startswith("error: cannot write a")

    @pytest.mark.parametrize(
        ("folder", "name"), [("TP 1", "tp-1"), ("été", "t"), ("_x_", "x"), ("...", "my-lab"), ("a" * 99, "a" * 40)]
    )
    def test_lab_name(self, folder: str, name: str, tmp_path: Path) -> None:
        assert lab_name(tmp_path / folder) == name


class TestCompletion:
    """labspec completion, and what the scripts ask for."""

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_script(self, shell: str, labspec: Labspec) -> None:
        code, out, err = labspec("completion", shell)
        assert (code, err) == (0, "")
        assert f"_LABSPEC_COMPLETE={shell}_complete" in out

    def test_bash_accepts_it(self, labspec: Labspec) -> None:
        subprocess.run(["bash", "-n"], input=labspec("completion", "bash").out, text=True, check=True, timeout=20)

    def complete(self, *words: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "labspec"],
            env={
                **os.environ,
                "_LABSPEC_COMPLETE": "bash_complete",
                "COMP_WORDS": " ".join(("labspec", *words)),
                "COMP_CWORD": str(len(words)),
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == ""
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    def test_commands(self) -> None:
        assert self.complete("de") == ["destroy"]
        assert "--detailed-exitcode" in self.complete("plan", "--d")

    def test_a_broken_lab_completes_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "lab.yaml").write_text("labspec: [")
        assert self.complete("-C", str(tmp_path), "plan", "--target", "v") == []


class TestDoctor:
    """labspec doctor."""

    def findings(self, docker: Docker, state: Path | None = None) -> dict[str, Finding]:
        return {finding.name: finding for finding in checkup(Host(docker, StateFolder(state)))}

    def test_no_engine(self, tmp_path: Path, labspec: Labspec, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
        monkeypatch.setenv("LABSPEC_STATE_DIR", str(tmp_path / "state"))
        code, out, err = labspec("doctor")
        assert (code, err) == (1, "")
        lines = [line.rstrip() for line in out.splitlines()]
        at = next(number for number, line in enumerate(lines) if line.startswith("missing  Docker socket"))
        assert lines[at].endswith(f"{tmp_path}/none.sock is not there")
        assert "= " in lines[at + 1]
        assert lines[-1].endswith(" not met.")
        assert "Docker engine" not in out, "without a socket there is nothing to say of the engine"
        code, out, _ = labspec("doctor", "--json")
        assert code == 1
        document = json.loads(out)
        assert document["ok"] is False
        socket = next(check for check in document["checks"] if check["name"] == "Docker socket")
        assert socket["ok"] is False
        assert socket["required"] is True
        assert socket["hint"]

    def test_state_folder(self, tmp_path: Path) -> None:
        docker = Docker(f"unix://{tmp_path}/none.sock")
        findings = self.findings(docker, tmp_path / "a" / "b")
        assert findings["State folder"].ok
        assert findings["State folder"].found == f"{tmp_path}/a/b (to be made)"
        assert list(tmp_path.iterdir()) == [], "looking leaves nothing behind"
        findings = self.findings(docker, Path("/proc/none"))
        assert not findings["State folder"].ok
        assert "LABSPEC_STATE_DIR" in findings["State folder"].hint

    def test_without_the_docker_client(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        findings = self.findings(Docker(f"unix://{tmp_path}/none.sock"))
        assert not findings["Docker client"].ok
        assert "Compose plugin" not in findings
        assert not findings["mmdebstrap"].ok
        assert not findings["mmdebstrap"].required

    @pytest.mark.parametrize(
        ("said", "ok"),
        [("2.26.1-4", True), ("v2.20.0", True), ("2.19.9", False), ("1.29.2", False), ("5.2", True), ("what", False)],
    )
    def test_compose_version(self, said: str, ok: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        client = tmp_path / "docker"
        client.write_text(f"#!/bin/sh\necho '{said}'\n")
        client.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        findings = self.findings(Docker(f"unix://{tmp_path}/none.sock"))
        assert findings["Compose plugin"].ok is ok
        assert findings["Compose plugin"].found == said
