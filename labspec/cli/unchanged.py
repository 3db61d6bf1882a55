"""`labspec plan [SPEC]`, the command that is run most, on a lab that has not changed: answered without click.

Click takes as long to import as reading a host of a hundred containers. What is said here is what labspec.cli.plan
says; a command line with any option, and a plan with anything in it, is left to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labspec.core.change import Plan
    from labspec.core.diagnostic import LabError
    from labspec.core.resource import Lab


def plan_of(arguments: Sequence[str]) -> Plan | LabError | None:
    """Return the plan that a command line asks for, or what stands in its way; None where click must read it."""
    if len(arguments) not in (1, 2) or arguments[0] != "plan" or any(word.startswith("-") for word in arguments):
        return None
    from pathlib import Path

    from labspec.core.diagnostic import LabError
    from labspec.spec.cache import load

    try:
        lab = load(Path(arguments[1]) if len(arguments) == 2 else None, variables={}, variable_files=())
        return _plan_for(lab)
    except LabError as error:
        return error


def _plan_for(lab: Lab) -> Plan:
    from labspec.engine.ahead import expect
    from labspec.host.host import Host

    host = Host()
    expect(lab, host.docker)
    from labspec.engine.workflow import make_plan  # while the engine looks

    return make_plan(lab, host, fingerprint=False)


def says_so(plan: Plan | LabError | None) -> bool:
    """Say that there is nothing to do, and return whether that was all to be said."""
    if plan is None or isinstance(plan, Exception) or not plan.empty or plan.problems or plan.left_out:
        return False
    from labspec.report.empty import NO_CHANGES

    try:
        print(NO_CHANGES, flush=True)
    except OSError:
        return False  # labspec.cli.main knows what a closed pipe and a full disk mean
    return True
