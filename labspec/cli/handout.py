"""labspec handout: the lab's sheet, what its commands print on the applied lab, and whether they still do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labspec.cli import options
from labspec.cli.replaying import Where, replayed
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.core.resource import Lab
    from labspec.sheet.captures import Captures
    from labspec.sheet.sheet import Sheet

FORMAT = 1
EXIT_DRIFTED = 2
FORMATS = ("md", "html", "pdf")

EPILOG = """The sheet shows what its commands really printed: --capture applies the lab in a sandbox made for it, runs
them in order, and keeps the output in NAME.captures.yaml beside the spec, to be looked at and committed. --verify does
the same again and compares; what is different at every run (processes, addresses, times, sizes) is known as such, and
the same process in two places must be the same one again.

\b
\b
Exit codes:
  0  done
  1  refused or failed
  2  --verify has found a difference

\b
Examples:
  labspec handout --capture                  in a new sandbox
  labspec handout --capture --sandbox lab    in this one
  labspec handout --capture --here           on this host, as it is applied
  labspec handout -o sheet.html
  labspec handout --edition teacher --format pdf --lang fr
  labspec handout --verify && echo 'the sheet is right'

Read on: docs/handouts.md."""


@click.command("handout", epilog=EPILOG, short_help="Write the lab's sheet, with what its commands really print")
@options.spec
@click.option(
    "-o",
    "--out",
    "out",
    metavar="FILE|DIR",
    type=click.Path(path_type=Path),
    help="Where to write the sheet, or with --capture the captures; - is standard output. Without it it is "
    "LAB-EDITION.LANGUAGE.FORMAT in this folder, and for captures beside the spec.",
)
@click.option("--capture", "do_capture", is_flag=True, help="Run the sheet's commands, and keep what they print.")
@click.option("--verify", "do_verify", is_flag=True, help="Run them again, and compare; changes no file.")
@click.option("--here", is_flag=True, help="Run them on this host, where the lab is applied, and not in a sandbox.")
@click.option(
    "--sandbox", metavar="NAME", help="Run them in this sandbox, in which the lab is applied anew, not in a new one."
)
@click.option(
    "--edition", type=click.Choice(("student", "teacher")), default="student", help="Whose sheet; the student's."
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="The sheet's format: that of -o FILE, or html.")
@click.option("--lang", "language", metavar="fr|en", help="The sheet's language; the lab's own.")
@click.option("--any-exit", is_flag=True, hidden=True, help="With --capture: whatever a command ends with is kept.")
@options.variables
@options.allow
@options.allow_missing
@options.as_json
@options.everywhere
def command(
    spec: str | None,
    out: Path | None,
    do_capture: bool,
    do_verify: bool,
    here: bool,
    sandbox: str | None,
    edition: str,
    form: str | None,
    language: str | None,
    any_exit: bool,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    allow: frozenset[str],
    allow_missing: bool,
    as_json: bool,
) -> int:
    """Write the lab's sheet: its text, its commands with what they really printed, its questions and answers.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    _exclude(do_capture=do_capture, do_verify=do_verify, here=here, sandbox=sandbox)
    lab = options.load(spec, variables, variable_files)
    sheet = _sheet(lab)
    where = Where(here, sandbox, tuple(sorted(allow)), allow_missing, variables, variable_files)
    if do_capture:
        return _capture(lab, sheet, where, out, strict=not any_exit, as_json=as_json)
    if do_verify:
        return _verify(lab, sheet, where, as_json=as_json)
    return _write(lab, sheet, out, edition, form, language, as_json=as_json)


def _exclude(*, do_capture: bool, do_verify: bool, here: bool, sandbox: str | None) -> None:
    if do_capture and do_verify:
        raise LabError("--capture and --verify exclude each other")
    if here and sandbox:
        raise LabError("--here and --sandbox exclude each other")
    if (here or sandbox) and not (do_capture or do_verify):
        raise LabError("--here and --sandbox say where --capture and --verify run", hint="add one of the two")


def _sheet(lab: Lab) -> Sheet:
    from labspec.sheet.sheet import sheet_of

    if "handout" not in lab.parts:
        raise LabError(f"lab {lab.name} has no sheet", hint="write one under 'handout:', docs/handouts.md shows how")
    return sheet_of(lab.parts["handout"])


def _capture(lab: Lab, sheet: Sheet, where: Where, out: Path | None, *, strict: bool, as_json: bool) -> int:
    from labspec.engine.capture_file import write_captures
    from labspec.report.text import count
    from labspec.sheet.captures import captures_path

    path = out or captures_path(lab)
    if not path.parent.is_dir() or path.is_dir():
        raise LabError(f"cannot write the captures to {path}", hint="name a file in a folder that is there")
    found = replayed(lab, sheet, where, _say, strict=strict)
    write_captures(found, path)
    if as_json:
        click.echo(json.dumps({"format": FORMAT, "file": str(path), "blocks": list(found.blocks)}))
    else:
        click.echo(f"{count(len(found.blocks), 'capture')} in {click.format_filename(path)}")
    return 0


def _verify(lab: Lab, sheet: Sheet, where: Where, *, as_json: bool) -> int:
    from labspec.engine.replay_verdicts import verdicts
    from labspec.report.handout import verdict_lines, verdicts_json
    from labspec.sheet.compare import DRIFTED

    captured = _captures(lab, sheet)
    if captured is None:
        raise LabError("the sheet has no command whose output could be verified")
    # A command that ends otherwise than it must has drifted, and the others are looked at all the same.
    found = verdicts(lab, sheet, captured, replayed(lab, sheet, where, _say, strict=False))
    commands = [_shown(captured, block.id) for block, _ in found]
    if as_json:
        click.echo(json.dumps(verdicts_json(found, commands)))
    else:
        for line in verdict_lines(found, commands):
            click.echo(line)
    return EXIT_DRIFTED if any(verdict.state == DRIFTED for _, verdict in found) else 0


def _write(
    lab: Lab,
    sheet: Sheet,
    out: Path | None,
    edition: str,
    form: str | None,
    language: str | None,
    *,
    as_json: bool,
) -> int:
    from labspec.host.state import write_atomic
    from labspec.outputs.handout import render

    language = language or lab.language
    if language not in lab.languages:
        hint = f"it is there in {', '.join(lab.languages)}; 'lab.languages' names them"
        raise LabError(f"the sheet is not there in '{language}'", hint=hint)
    form = form or _format_of(out)
    content = render(lab, _captures(lab, sheet), edition=edition, format=form, language=language)
    if out is not None and str(out) == "-":
        sys.stdout.buffer.write(content)
        return 0
    path = _place(out, f"{lab.name}-{edition}.{language}.{form}")
    try:
        write_atomic(path, content, mode=0o644)
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}") from error
    if as_json:
        about = {"edition": edition, "type": form, "language": language}
        click.echo(json.dumps({"format": FORMAT, "file": str(path), **about}))
    else:
        click.echo(click.format_filename(path))
    return 0


def _captures(lab: Lab, sheet: Sheet) -> Captures | None:
    """Return the captures of a sheet, all of them; stale ones are told. None: it has no command to capture.

    Raises LabError where one is missing.
    """
    from labspec.engine.capture_file import missing, read_captures, stale
    from labspec.report.diagnostics import diagnostic_lines
    from labspec.sheet.captures import captures_path

    found = read_captures(captures_path(lab))
    lacking = missing(sheet, found)
    if lacking:
        raise LabError(lacking)
    for old in stale(sheet, found, lab) if found else ():
        for line in diagnostic_lines(old, "warning", "yellow"):
            click.echo(line, err=True)
    return found


def _format_of(out: Path | None) -> str:
    suffix = out.suffix.removeprefix(".") if out is not None else ""
    return suffix if suffix in FORMATS else "html"


def _place(out: Path | None, name: str) -> Path:
    """Return the file to write to: `out`, or a file of this name in the folder that it is."""
    if out is None:
        return Path(name)
    path = out / name if out.is_dir() else out
    if not path.parent.is_dir():
        raise LabError(f"cannot write the sheet to {path}: there is no folder {path.parent}")
    return path


def _shown(captures: Captures, block: str) -> str:
    from labspec.engine.capture import shown

    capture = captures.blocks[block]
    return shown(capture.command) + ("" if capture.place == "host" else f"   (in {capture.place})")


def _say(text: str) -> None:
    click.echo(text if text.startswith("[") else f"{text} ...", err=True)
