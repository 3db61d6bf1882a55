"""What the README tells a newcomer to type, typed; and docs/json.md held against what the commands really print."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
Labspec = Callable[..., str]


@pytest.fixture
def labspec(tmp_path: Path) -> Labspec:
    """Return what runs a command in a scratch folder and returns what it prints on stdout."""
    environment = {**os.environ, "LABSPEC_STATE_DIR": str(tmp_path / "state")}

    def call(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "labspec", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return call


def section(page: str, title: str) -> str:
    """Return a page's section whose heading begins with a title."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^## {re.escape(title)}.*?\n(.*?)(?=^## |\Z)", text)
    assert found, title
    return found[1]


def told(title: str) -> list[list[str]]:
    """Return the fields that the tables of a section of docs/json.md lab_name, a list for each table."""
    tables = re.split(r"(?m)^\| field \| value \|$", section("docs/json.md", title))[1:]
    return [
        [field for row in re.findall(r"(?m)^\| (`.*?`) \| ", table) for field in re.findall(r"`(\w+)`", row)]
        for table in tables
    ]


def test_the_readmes_own_lab(labspec: Labspec, lab_name: str) -> None:
    block = re.search(r"(?s)```console\n(.*?)```", section("README.md", "Your own lab"))
    assert block
    commands = [line for line in block[1].splitlines() if line.startswith("labspec ")]
    assert [command.split()[1] for command in commands] == ["init", "plan", "apply", "status", "destroy"]
    said = [labspec(*command.replace("my-lab", lab_name).split()[1:]) for command in commands]
    assert "5 to create" in said[1]
    assert "5 created" in said[2]
    assert "5 ok." in said[3]
    assert "5 deleted" in said[4]


def test_the_json_page_names_every_field(labspec: Labspec, lab_name: str, tmp_path: Path) -> None:
    def document(*arguments: str, code: int = 0) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(labspec(*arguments, code=code))
        assert made.pop("format") == 1
        return made

    others = section("docs/json.md", "Others")
    made = document("init", "--json", lab_name)
    assert list(made) == re.findall(r"`(\w+)`", others.partition("labspec init --json`:")[2].partition("\n")[0])

    made = document("validate", "--json", lab_name)
    assert list(made) == told("labspec validate")[0]

    labspec("apply", "-y", lab_name)
    subprocess.run(
        ["docker", "update", "--memory", "64m", "--memory-swap", "128m", f"{lab_name}-writer-1"],
        check=True,
        capture_output=True,
    )
    whole, change = told("labspec plan")
    made = document("plan", "--json", lab_name)
    assert list(made) == whole
    assert sorted(made["changes"][0]) == sorted(change)
    row = next(line for line in section("docs/json.md", "labspec plan").splitlines() if line.startswith("| `diffs`"))
    assert set(made["changes"][0]["diffs"][0]) <= set(re.findall(r"`(\w+)`", row))
    summary = next(line for line in section("docs/json.md", "labspec plan").splitlines() if "| `summary`" in line)
    assert list(made["summary"]) == re.findall(r"`(\w+)`", summary)[1:]

    status = section("docs/json.md", "labspec status")
    made = document("status", "--json", lab_name)
    assert set(made) | set(made["resources"][0]) | {made["resources"][0]["state"]} <= set(
        re.findall(r"`(\w+)`", status)
    )

    lines = [json.loads(line) for line in labspec("apply", "-y", "--json", lab_name).splitlines()]
    assert [line["type"] for line in (lines[0], lines[-1])] == ["plan", "outcome"]
    example = json.loads(re.findall(r"(?s)```json\n(.*?)```", section("docs/json.md", "labspec apply"))[0])
    assert {tuple(line) for line in lines[1:-1]} == {tuple(example)}
    assert set(lines[-1]) == {"format", *told("labspec apply")[0]} - {"outcome"}

    made = document("render", "-o", "out", "--json", lab_name)
    assert list(made) == ["files"]
    made = document("doctor", "--json")
    doctor = others.partition("labspec doctor --json`:")[2].partition("\n")[0]
    assert [*made, *made["checks"][0]] == re.findall(r"`(\w+)`", doctor)

    (tmp_path / lab_name / "lab.yaml").write_text("labspec: 1\nlab: {name: a}\nservices: {a: {prots: []}}\n")
    made = document("validate", "--json", lab_name, code=1)
    example = json.loads(re.findall(r"(?s)```json\n(.*?)```", section("docs/json.md", "A command that fails"))[0])
    assert set(made["diagnostics"][0]) == set(example["diagnostics"][0])


def test_the_picture_shows_what_plan_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "picture"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
