"""labspec init: write a small lab to begin with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

from labspec.cli import options
from labspec.core.diagnostic import LabError

FORMAT = 1
STARTER = Path(__file__).parent / "starter" / "lab.yaml"
STARTER_NAME = "my-lab"
SPEC = "lab.yaml"
SCHEMA = "labspec.schema.json"
IGNORED = "*.plan"

EPILOG = """The lab is an image, a volume, a network and two containers, with comments that explain them. An editor
with the YAML language server reads labspec.schema.json, and completes and checks what you type.

\b
Exit codes:
  0  written
  1  refused: a file is there already

\b
Examples:
  labspec init              in this folder
  labspec init tp1          in a new folder, for a lab named tp1

Read on: docs/tutorial.md, and docs/spec.md for every key."""


@click.command("init", epilog=EPILOG, short_help="Write a small lab to begin with")
@click.argument("folder", required=False, default=".", metavar="[DIR]", type=click.Path(path_type=Path))
@options.as_json
@options.everywhere
def command(folder: Path, as_json: bool) -> None:
    """Write a lab.yaml to begin with, and its JSON Schema for your editor. Never overwrites a file."""
    if (folder / SPEC).exists():
        raise LabError(f"{folder / SPEC} exists already", hint="'labspec plan' shows what it would change")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = dict(_contents(folder))
        created = [name for name, text in files.items() if _create(folder / name, text)]
    except OSError as error:
        raise LabError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    kept = [name for name in files if name not in created]
    if as_json:
        click.echo(json.dumps({"format": FORMAT, "folder": str(folder), "created": created, "kept": kept}))
        return
    for name in created:
        click.echo(f"wrote {click.format_filename(folder / name)}")
    for name in kept:
        click.echo(f"kept {click.format_filename(folder / name)}, which was there")
    click.echo(_next_steps(folder), err=True)


def lab_name(folder: Path) -> str:
    """Return a lab name made of a folder's: lower case, letters, digits, '-' and '_', a letter or digit first."""
    name = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")[:40]
    return name or STARTER_NAME


def _contents(folder: Path) -> Iterator[tuple[str, str]]:
    from labspec.cli.schema import schema_text

    yield SPEC, STARTER.read_text(encoding="utf-8").replace(STARTER_NAME, lab_name(folder))
    yield SCHEMA, schema_text()
    if any((parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents)):
        # A plan file may hold the values of variables, which belong in no history.
        yield ".gitignore", f"{IGNORED}\n"


def _create(path: Path, text: str) -> bool:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _next_steps(folder: Path) -> str:
    lines = ["labspec plan     look at what it would do", "labspec apply    make it so"]
    if folder.resolve() != Path.cwd():
        lines.insert(0, f"cd {click.format_filename(folder)}")
    return "\nNext:\n" + "\n".join(f"  {line}" for line in lines)
