"""labspec check: look whether the lab is as its checks say, and prove that they would tell."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labspec.cli import options
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.core.resource import Lab
    from labspec.engine.checking import Check, Result

EXIT_FAILED = 1
WATCH_SECONDS = 2.0

EPILOG = """\b
States:
  ok      as it should be      FAIL   something is not as it should be
  ERROR   could not be looked at: the engine does not answer, no permission
  skip    a check that it needs has not passed

\b
Exit codes:
  0  all is as it should be      1  it is not (FAIL and ERROR alike)
With --prove:
  0  every check was seen to fail   2  one was not, or does not even pass

\b
Examples:
  labspec check                             all checks of this folder's lab
  labspec check --audience student          what a student sees
  labspec check --only web --only volume    two of them
  labspec check --format junit -o out.xml   for a CI server
  labspec check --watch                     again and again, until Ctrl-C
  labspec check --prove --sandbox fresh     can each of them fail?

Read on: docs/checks.md."""


@click.command("check", epilog=EPILOG, short_help="Check that the applied lab does what it should")
@options.spec
@options.variables
@click.option("--only", "only", metavar="ID", multiple=True, help="Only this check. Repeatable.")
@click.option(
    "--audience",
    type=click.Choice(["student", "teacher"]),
    help="The checks that they see; everything where it is not given.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit", "tap"]),
    default="text",
    help="The form of the results; text.",
)
@options.as_json
@click.option(
    "-o",
    "--out",
    "output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the results to FILE.",
)
@click.option("--list", "listing", is_flag=True, help="Only name the checks.")
@click.option("--watch", is_flag=True, help="Look again and again; print when something changes.")
@click.option("--lang", "language", metavar="LANGUAGE", help="The language of titles and hints; the lab's by default.")
@options.allow
@options.allow_missing
@click.option("--prove", is_flag=True, help="Break the lab in many ways, and tell for each check what makes it fail.")
@click.option(
    "--sandbox", "sandbox", metavar="NAME|fresh", help="With --prove: the sandbox to do it in, or a new one for it."
)
@options.everywhere
def command(
    spec: str | None,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    only: tuple[str, ...],
    audience: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
    listing: bool,
    watch: bool,
    language: str | None,
    allow: frozenset[str],
    allow_missing: bool,
    prove: bool,
    sandbox: str | None,
) -> int:
    """Look whether the applied lab is as its checks say: all at once, each again until its time is over.

    Looks only: programs run in containers where a check says so, and on this host with --allow host-commands.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    from labspec.engine.checking import checks_of, passed, refuse_dangers, run_checks, without_program
    from labspec.host.host import Host

    if output is not None and "LABSPEC_SANDBOX" in os.environ:
        raise LabError(
            "-o would write the file into the sandbox", hint="leave it out, and put '> FILE' behind the command"
        )
    lab = options.load(spec, variables, variable_files)
    language = _language(lab, language)
    checks = checks_of(lab, audience, only)
    form = "json" if as_json else form
    if listing:
        _print(_listed(lab, checks, language, audience, form), output)
        return 0
    if not checks:
        raise LabError(f"lab {lab.name} has no checks", hint="add some to the spec: docs/checks.md")
    if prove or sandbox is not None:
        if not prove:
            raise LabError(
                "--sandbox behind 'check' goes with --prove",
                hint=f"labspec --sandbox {sandbox} check runs checks in a sandbox",
            )
        from labspec.cli import proving

        wanted = proving.Wanted(spec, variables, variable_files, only, allow_missing, form == "json")
        return proving.prove(lab, wanted, sandbox)
    refuse_dangers(checks, allow)
    host = Host()
    left_out = without_program(lab, host, checks) if allow_missing else {}
    results = run_checks(lab, host, checks, left_out=left_out)
    _print(_shown(lab, results, language, audience, form), output)
    while watch:
        time.sleep(WATCH_SECONDS)
        seen = [(result.state, result.findings) for result in results]
        results = run_checks(lab, host, checks, left_out=left_out)
        if [(result.state, result.findings) for result in results] != seen:
            _print(_shown(lab, results, language, audience, form), output)
    return 0 if passed(results) else EXIT_FAILED


def _language(lab: Lab, wanted: str | None) -> str:
    if wanted is not None and wanted not in lab.languages:
        raise LabError(f"--lang {wanted}: the lab is in {', '.join(lab.languages)}")
    return wanted or lab.language


def _shown(lab: Lab, results: Sequence[Result], language: str, audience: str | None, form: str) -> str:
    from labspec.report import checks, checks_formats

    if form == "json":
        return json.dumps(checks.results_json(lab.name, results, language, audience))
    if form == "junit":
        return checks_formats.junit(lab.name, results, language, audience)
    if form == "tap":
        return "\n".join(checks_formats.tap_lines(results, language, audience))
    return "\n".join(checks.result_lines(lab.name, results, language, audience))


def _listed(lab: Lab, checks: Sequence[Check], language: str, audience: str | None, form: str) -> str:
    from labspec.report.checks import list_json, list_lines

    if form == "json":
        return json.dumps(list_json(lab.name, checks, language, audience))
    return "\n".join(list_lines(checks, language, audience))


def _print(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text)
        return
    from labspec.host.state import write_atomic

    try:
        write_atomic(output, click.unstyle(text).encode() + b"\n")
    except OSError as error:
        raise LabError(f"cannot write {output}: {error.strerror}") from error
