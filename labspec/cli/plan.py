"""labspec plan: show what apply would change, and why; change nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from labspec.cli import options
from labspec.core.change import Plan
from labspec.core.diagnostic import LabError

EXIT_PROBLEMS = 1
EXIT_CHANGES = 2
PIPED_COLUMNS = 120
"""A plan in a file or a log is laid out for this many."""

EPILOG = """\b
Signs:
  +   created            ~   updated in place     >   started
  -   deleted            -/+ deleted, then created anew

\b
Why a field differs:
  (spec changed)           you edited the spec since the last apply
  (changed on the host)    somebody changed the object since: drift
  (no longer in the spec)  you removed the line: back to the default

\b
Exit codes:
  0  planned
  1  a mistake in the spec, or something is in the way
  2  with --detailed-exitcode: there are changes

\b
Examples:
  labspec plan                            the lab in this folder
  labspec plan labs/tp1 --var port=8080   another lab, one variable set
  labspec plan --target service.web       only this service and what it needs
  labspec plan -v                         with the steps, nothing shortened
  labspec plan -o tp1.plan                then 'labspec apply tp1.plan'
  labspec plan --detailed-exitcode        exit 0: nothing to do, 2: changes

Read on: docs/how-it-works.md; docs/json.md for --json."""


@click.command("plan", epilog=EPILOG, short_help="Show what apply would change, and why")
@options.spec
@options.variables
@options.targets
@options.replace
@options.allow
@options.allow_missing
@click.option("--destroy", is_flag=True, help="Plan to remove the lab, as 'labspec destroy' would.")
@click.option(
    "-o",
    "--out",
    "out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the plan to FILE, for 'labspec apply FILE'.",
)
@click.option(
    "--detailed-exitcode", "detailed", is_flag=True, help="Exit with 2 when there are changes, 0 when there are none."
)
@options.steps
@options.verbose
@options.as_json
@options.everywhere
def command(
    spec: str | None,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    targets: tuple[str, ...],
    replace: tuple[str, ...],
    allow: frozenset[str],
    allow_missing: bool,
    destroy: bool,
    out: Path | None,
    detailed: bool,
    steps: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Show what apply would change on this host, and why. Changes nothing.

    labspec reads the spec, looks at what the host really has, and prints every object that would be created,
    changed or deleted. An empty plan means that the host is as the spec says.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    from labspec.engine import workflow
    from labspec.host.host import Host

    plan: Plan | None = click.get_current_context().obj  # made without click, where no option was given
    file = ""
    if plan is None:
        lab = options.load(spec, variables, variable_files)
        file = lab.file
        plan = workflow.make_plan(
            lab, Host(), targets=targets, replace=replace, destroy=destroy, allow_missing=allow_missing
        )
    if as_json:
        from labspec.report.plan_json import plan_chunks

        sys.stdout.writelines(plan_chunks(plan))
    else:
        echo_plan(plan, steps=steps, verbose=verbose, destroy=destroy, allow=allow)
    if out is not None:
        _write(out, plan, file, variables, variable_files, targets, replace, destroy)
    if plan.problems:
        return EXIT_PROBLEMS
    if not as_json and not plan.empty:
        click.echo(f"\nNext: {_next(out, spec, destroy)}", err=True)
    return EXIT_CHANGES if detailed and not plan.empty else 0


def echo_plan(
    plan: Plan, *, steps: bool, verbose: bool, destroy: bool = False, allow: frozenset[str] = frozenset()
) -> None:
    """Print a plan on stdout, shortened to the terminal's width where there is one."""
    from labspec.report.plan import Style, plan_lines

    columns = PIPED_COLUMNS
    if sys.stdout.isatty():
        import shutil

        columns = shutil.get_terminal_size().columns
    shown = Style(columns=columns, whole=verbose, steps=steps or verbose, destroy=destroy, allow=allow)
    # In one go: click flushes the stream at every echo.
    click.echo("\n".join(plan_lines(plan, shown)))


def _write(
    out: Path,
    plan: Plan,
    spec: str,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    targets: tuple[str, ...],
    replace: tuple[str, ...],
    destroy: bool,
) -> None:
    from labspec.cli.planfile import PlanFile

    if plan.problems:
        raise LabError(f"the plan is not written to {out}: what is in the way must be settled first")
    files = tuple(str(path.absolute()) for path in variable_files)
    PlanFile(spec, variables, files, targets, replace, destroy, plan.fingerprint).write(out, plan)


def _next(out: Path | None, spec: str | None, destroy: bool) -> str:
    # Where this runs for 'labspec --sandbox', the next command does not run here either.
    sandbox = os.environ.get("LABSPEC_SANDBOX")
    program = f"labspec --sandbox {sandbox}" if sandbox else "labspec"
    if out is not None:
        return f"{program} apply {click.format_filename(out)}"
    where = f" {spec}" if spec else ""
    return f"{program} {'destroy' if destroy else 'apply'}{where}"
