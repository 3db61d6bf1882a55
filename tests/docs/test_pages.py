"""What the pages say holds: links lead somewhere, specs are valid, commands parse, tables name what the code has."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml
from example_labs import EXAMPLES, saved_image

from labspec.cli.commands import NAMES as COMMANDS
from labspec.cli.main import cli
from labspec.engine.checking import PERMISSION
from labspec.spec.loader import load

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", EXAMPLES / "README.md", *(ROOT / "docs").glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"(?ms)^```.*?^```$", "", text(name))


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text(name))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings get."""
    titles = re.findall(r"(?m)^#+ (.+)$", prose(str(page.relative_to(ROOT))))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(name)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), target
        if anchor:
            assert anchor in anchors(page), target


def specs() -> list[tuple[str, str]]:
    """Return the specs in the pages, but those that the reference quotes from the examples."""
    pages = [name for name in NAMES if name != "docs/spec.md"]
    found = [(name, block) for name in pages for block in blocks(name, "yaml")]
    return [(name, block) for name, block in found if re.search(r"(?m)^labspec: 1$", block)]


@pytest.mark.parametrize(("name", "spec"), specs())
def test_every_spec_is_valid(name: str, spec: str, tmp_path: Path) -> None:
    with_files(yaml.safe_load(spec), tmp_path)
    (tmp_path / "lab.yaml").write_text(spec)
    assert load(tmp_path, variables={}, variable_files=[]).resources, name


def with_files(spec: object, folder: Path) -> None:
    """Make a stand-in for every file that a spec names."""
    if isinstance(spec, list):
        for item in spec:
            with_files(item, folder)
        return
    if not isinstance(spec, dict):
        return
    for key, value in spec.items():
        if key in ("src", "file", "dockerfile") and isinstance(value, str):
            (folder / value).parent.mkdir(parents=True, exist_ok=True)
            (folder / value).write_text("FROM debian:latest\n" if key == "dockerfile" else "a file\n")
        elif key == "archive":
            saved_image(folder / value)
        else:
            with_files(value, folder)


def commands() -> list[tuple[str, str]]:
    """Return every labspec command that a page or an example tells to type: in blocks, tables and sentences."""
    found = [
        (str(file.relative_to(ROOT)), command)
        for file in sorted(EXAMPLES.glob("*/*.yaml"))
        for pair in re.findall(r"(?m)^# +(labspec [a-z].*?)(?:  .*)?$|'(labspec [a-z][^']*)'", file.read_text())
        for command in pair
        if command and command.split()[1] in COMMANDS
    ]
    for name in NAMES:
        lines = [line for block in blocks(name, "console") for line in block.splitlines()]
        found += [(name, line.partition("#")[0].strip()) for line in lines if line.startswith("labspec ")]
        found += [(name, command) for command in re.findall(r"`(labspec [a-z][^`]*)`", prose(name))]
    return sorted(set(found))


@pytest.mark.parametrize(("name", "line"), commands())
def test_every_command_exists_with_its_options(name: str, line: str) -> None:
    words = shlex.split(re.sub(r"[\[\]]", "", line))[1:]
    context = click.Context(cli, info_name="labspec", **cli.context_settings)
    command: click.Command | None = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.get_command(context, words.pop(0))
    assert command is not None, f"{name}: {line}"
    known = {option for parameter in command.get_params(context) for option in parameter.opts} | {"-h", "--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, f"{name}: {line}"


def reporting(command: click.Command, context: click.Context) -> list[str]:
    """Return the paths of the commands below one that take --json."""
    if isinstance(command, click.Group):
        inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        return [
            path
            for name, found in inner
            if found
            for path in reporting(found, click.Context(found, info_name=name, parent=context))
        ]
    options = {option for parameter in command.params for option in parameter.opts}
    return [context.command_path] if "--json" in options else []


@pytest.mark.parametrize("command", reporting(cli, click.Context(cli, info_name="labspec", **cli.context_settings)))
def test_every_json_is_told(command: str) -> None:
    assert f"{command} --json" in text("docs/json.md")


def test_every_danger_is_told() -> None:
    sources = [
        ROOT / "labspec" / "kinds" / kind
        for kind in (
            "service/dangers.py",
            "volume/live.py",
            "image/live.py",
            "group/dangers.py",
            "file/dangers.py",
            "sysctl/dangers.py",
            "daemon/live.py",
            "unit/dangers.py",
        )
    ]
    written = "\n".join(source.read_text() for source in sources)
    raised = set(re.findall(r'Danger\(\s*"([a-z-]+)"', written)) | set(
        re.findall(r'(?m)^    "[a-z.]+": \("([a-z-]+)", "', written)
    )
    told = set(re.findall(r"(?m)^\| `([a-z][a-z-]+)` \|", text("docs/how-it-works.md")))
    assert raised | {PERMISSION} == told


def test_every_threat_and_every_guarantee_names_its_tests() -> None:
    page = text("docs/security.md")
    rows = re.findall(r"(?m)^\| (?!threat|-).*$", page) + re.findall(r"(?ms)^\d\. .*?(?=^\d\. |^$)", page)
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"\[`(tests/[^`]+)`\]\(\.\./([^)]+)\)", row)
        assert named or "(see the table)" in row, row
        assert all(shown == target and (ROOT / target).exists() for shown, target in named), row
    assert not re.search(r"(?<!\[)`tests/[^`]*(test_|/`)", page), "a test is named and not linked"


def test_the_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_picture_stands_alone() -> None:
    picture = text("docs/plan.svg")
    assert set(re.findall(r"https?://[^\"'\s)]+", picture)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in picture
    assert "@font-face" not in picture
