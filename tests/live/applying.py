"""A lab applied: everything is done, and the plan after it is empty."""

from __future__ import annotations

from labspec.core.change import Action
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.host.host import Host


def applied(lab: Lab, host: Host) -> dict[str, Action]:
    """Apply a lab, which takes one apply and meets nothing in the way, and return the actions by address."""
    plan = workflow.make_plan(lab, host)
    assert plan.problems == ()
    outcome = workflow.apply(lab, host)
    assert (outcome.failed, outcome.skipped) == ((), 0)
    assert workflow.make_plan(lab, host).empty
    return {change.address: change.action for change in plan.changes}
