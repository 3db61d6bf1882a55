"""labspec fmt: write specs in canonical form."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from labspec.cli import options
from labspec.core.diagnostic import Diagnostic, LabError

FORMAT = 1
EXIT_UNFORMATTED = 1
STDIN = "-"

EPILOG = """Keys come into the order in which docs/spec.md has them, text in quotes into double ones. Names of your own,
such as those of services and variables, stay in your order, as do lists and the keys of units and of daemon.json.
Comments and blank lines move with the key below them, and what the spec means stays the same.

A folder stands for its lab.yaml and the files that this includes. Prints the files that it changes.

\b
Exit codes:
  0  in canonical form, now or before
  1  --check: one is not; or one cannot be read

\b
Examples:
  labspec fmt                      ./lab.yaml and its includes
  labspec fmt --check --diff labs/tp1
  labspec fmt - < lab.yaml         as a filter, for an editor

Read on: docs/spec.md."""


@dataclass(frozen=True, slots=True)
class Formatted:
    """One file, before and after."""

    path: str
    before: bytes
    after: bytes

    @property
    def changed(self) -> bool:
        """Whether the file is not in canonical form."""
        return self.before != self.after


@click.command("fmt", epilog=EPILOG, short_help="Write specs in canonical form")
@click.argument("paths", nargs=-1, metavar="[FILE|DIR|-]...", type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where a file is not in canonical form.")
@click.option("--diff", "as_diff", is_flag=True, help="Write nothing; show what would change.")
@options.as_json
@options.everywhere
def command(paths: tuple[str, ...], check: bool, as_diff: bool, as_json: bool) -> int:
    """Write specs in canonical form: the order of keys, the quotes of text."""
    given = paths or (".",)
    if STDIN in given and len(given) > 1:
        raise LabError("'-' stands for the input, and other files are beside it", hint="format them by themselves")
    found: list[Formatted] = []
    mistakes: list[Diagnostic] = []
    for path in _files(given, mistakes):
        try:
            found.append(_formatted(path))
        except LabError as error:
            mistakes += error.diagnostics
    if not (check or as_diff):
        for file in found:
            _write(file, quiet=as_json)
    changed = [file for file in found if file.changed]
    if mistakes:
        raise LabError(mistakes)
    if as_json:
        files = [{"file": file.path, "changed": file.changed} for file in found]
        click.echo(json.dumps({"format": FORMAT, "written": not (check or as_diff), "files": files}))
    elif as_diff:
        for file in changed:
            click.echo(_diff(file), nl=False)
    elif check or STDIN not in given:
        for file in changed:
            click.echo(click.format_filename(file.path))
    return EXIT_UNFORMATTED if check and changed else 0


def _files(given: tuple[str, ...], mistakes: list[Diagnostic]) -> Iterator[str]:
    """Yield the files that are meant, each once; for a folder its spec and what that includes."""
    seen: set[str] = set()
    for path in given:
        try:
            files = [path] if path == STDIN else list(_lab_files(path))
        except LabError as error:
            mistakes += error.diagnostics
            continue
        for file in files:
            name = os.path.realpath(file)
            if name not in seen:
                seen.add(name)
                yield file


def _lab_files(path: str) -> Iterator[str]:
    from labspec.spec.files import Files, spec_file
    from labspec.spec.report import Report, shown_path
    from labspec.spec.yamlfile import parse

    if not Path(path).is_dir():
        yield path
        return
    spec = spec_file(Path(path))
    yield shown_path(spec)
    files = Files(os.path.dirname(spec))  # noqa: PTH120  text, not files
    todo = [spec]
    seen: set[str] = set()
    while todo:
        document = parse(files.read_yaml(todo.pop()), spec, Report())
        value = document.value if document else None
        included = value.get("include") if isinstance(value, dict) else None
        for name in included if isinstance(included, list) else ():
            file = files.find(name) if isinstance(name, str) else spec
            if file != spec and file not in seen:
                seen.add(file)
                todo.append(file)
                yield shown_path(file)


def _formatted(path: str) -> Formatted:
    from labspec.spec.formatting import formatted

    before = _read(path)
    return Formatted(path, before, formatted(before, "<stdin>" if path == STDIN else path))


def _read(path: str) -> bytes:
    from labspec.spec.files import MAX_YAML

    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(MAX_YAML + 1)
        else:
            if not Path(path).is_file():
                raise LabError(f"{path} is not a regular file" if Path(path).exists() else f"there is no {path}")
            with Path(path).open("rb") as file:
                data = file.read(MAX_YAML + 1)
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_YAML:
        raise LabError(f"{path} is too large", hint=f"a YAML file has at most {MAX_YAML >> 20} MiB")
    return data


def _write(file: Formatted, *, quiet: bool) -> None:
    """Put a file's canonical form in its place; that of the input goes to the output."""
    from labspec.host.state import write_atomic

    if file.path == STDIN:
        if not quiet:
            click.echo(file.after, nl=False)
        return
    if not file.changed:
        return
    # The file itself, where the path is a symlink to it.
    path = Path(os.path.realpath(file.path))
    try:
        about = path.stat()
        owner = (about.st_uid, about.st_gid) if os.geteuid() == 0 else None
        write_atomic(path, file.after, stat.S_IMODE(about.st_mode), owner)
    except OSError as error:
        raise LabError(f"cannot write {file.path}: {error.strerror}") from error


def _diff(file: Formatted) -> str:
    from difflib import unified_diff

    before, after = (
        text.decode("utf-8").replace("\r\n", "\n").splitlines(keepends=True) for text in (file.before, file.after)
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(before, after, file.path, file.path)
    )
