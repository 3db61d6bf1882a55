"""labspec apply: make the host match the spec, or do what a plan file says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labspec.cli import options
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.cli.planfile import PlanFile

EPILOG = """Apply shows the plan and asks; only 'yes' goes on. Press Ctrl-C once and the steps that run are
finished, then apply stops; what is done stays done, and the next apply goes on from there. Press it twice to stop at
once.

\b
Exit codes:
  0    done, or nothing to do
  1    refused or failed; what is done stays done
  75   another process is changing the lab
  130  stopped by Ctrl-C

\b
Examples:
  labspec apply                     the lab in this folder
  labspec apply -y --wait           no question; until health checks pass
  labspec apply --target service.web
  labspec apply tp1.plan            what 'labspec plan -o tp1.plan' showed,
                                    unless something has changed since
  labspec apply --allow privileged  what the plan warns of, if you trust it
  labspec apply --confirm-within 60s
                                    the host's settings go back in a minute,
                                    unless you say that you still get in

Read on: docs/how-it-works.md; docs/security.md for labs of strangers."""


@click.command("apply", epilog=EPILOG, short_help="Make this host match the spec")
@click.argument("spec", required=False, metavar="[SPEC|PLAN]", type=click.Path())
@options.approve
@options.variables
@options.targets
@options.replace
@options.allow
@options.allow_missing
@click.option(
    "--confirm-within",
    "confirm_within",
    metavar="TIME",
    callback=lambda _context, _option, text: 0 if text is None else options.seconds(text),
    help="Put settings of the host back after this time (60s, 5m), unless 'labspec confirm' is run before.",
)
@click.option("--wait", is_flag=True, help="Wait until every service with a health check is healthy.")
@options.steps
@options.verbose
@options.as_json
@options.everywhere
def command(
    spec: str | None,
    approved: bool,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    targets: tuple[str, ...],
    replace: tuple[str, ...],
    allow: frozenset[str],
    allow_missing: bool,
    confirm_within: int,
    wait: bool,
    steps: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Make this host match the spec: create what is missing, change what differs, delete what left the spec.

    With a plan file, apply does what that plan showed, without asking, or refuses because something has changed.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read. PLAN is what 'labspec plan -o PLAN' wrote.
    """
    from labspec.cli.execution import Request, execute

    planned = _planned(spec)
    if planned is None:
        lab = options.load(spec, variables, variable_files)
    else:
        _nothing_else(variables, variable_files, targets, replace)
        lab = options.load(planned.spec, planned.variables, tuple(map(Path, planned.variable_files)))
        targets, replace = planned.targets, planned.replace
    destroy = planned is not None and planned.destroy
    request = Request(
        "destroy" if destroy else "apply",
        lab,
        targets,
        replace,
        allow=allow,
        approved=approved or planned is not None,
        wait=wait,
        expected=planned.fingerprint if planned else None,
        allow_missing=allow_missing,
        confirm_within=0 if destroy else confirm_within,
    )
    return execute(request, steps=steps, verbose=verbose, as_json=as_json)


def _planned(path: str | None) -> PlanFile | None:
    """Return the plan file at a path; None where it is a spec, or there is none."""
    if path is None:
        return None
    from labspec.cli.planfile import PlanFile

    return PlanFile.read(Path(path))


def _nothing_else(
    variables: dict[str, str], variable_files: tuple[Path, ...], targets: tuple[str, ...], replace: tuple[str, ...]
) -> None:
    given = {"--var": variables, "--var-file": variable_files, "--target": targets, "--replace": replace}
    for option, value in given.items():
        if value:
            raise LabError(
                f"{option} cannot go with a plan file: the plan already says it",
                hint=f"plan again with {option}, or apply the spec itself",
            )
