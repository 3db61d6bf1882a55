"""A plan as data: changes, each with its reason and the very steps that apply will run."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Self

from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Diff
from labspec.core.resource import Observed


class Action(Enum):
    """What happens to an object; the value is the sign that the plan prints."""

    CREATE = "+"
    UPDATE = "~"
    REPLACE = "-/+"
    DELETE = "-"
    START = ">"
    ADOPT = "="

    @property
    def word(self) -> str:
        """The action as a lower-case word, as in JSON."""
        return self.name.lower()


class Step:
    """A frozen value that does one thing to the host; `str()` of it is the line that plan prints.

    Equal steps of a plan are one step: it runs once, before all that asked for it goes on.
    """

    def run(self, host: Any) -> None:
        """Do it. Raises LabError with what went wrong and what to try."""
        raise NotImplementedError

    @property
    def batch(self) -> Hashable | None:
        """Ready steps of one class with an equal `batch` are run by one `run_batch`; None: each by its own `run`."""
        return None

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Any) -> Iterable[Self]:
        """Do all of them in one go, and give those that are done before the last; one that fails is not among them."""
        for step in steps:
            step.run(host)
            yield step


class Danger(NamedTuple):
    """Something in the spec that gives away more than a lab should: refused unless `--allow` names it."""

    name: str
    """What `--allow` takes: privileged, socket, host-mount, ..."""
    address: str
    message: str


class Change(NamedTuple):
    """What one object needs.

    `prepare` runs before anything of the lab is touched, `remove` before `make`, `finish` after all that every change
    makes.
    """

    address: str
    kind: str
    action: Action
    reason: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    diffs: tuple[Diff, ...] = ()
    prepare: tuple[Step, ...] = ()
    remove: tuple[Step, ...] = ()
    make: tuple[Step, ...] = ()
    finish: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    empties: bool = False
    """After it the engine has none of its objects: later kinds are planned as if nothing of them were there."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All the steps, in order."""
        return self.prepare + self.remove + self.make + self.finish

    def warned(self, *warnings: str) -> Self:
        """Return the change with more warnings."""
        return self._replace(warnings=self.warnings + warnings)


class Node(NamedTuple):
    """A step in its place: `after` are the indexes, in the plan's `nodes`, of the nodes that must be done first."""

    step: Step | None
    """None: nothing to do, a place to wait for many others at once."""
    address: str
    after: tuple[int, ...] = ()


class Plan(NamedTuple):
    """Every change that makes the host what the lab says, and the graph of their steps."""

    lab: str
    changes: tuple[Change, ...] = ()
    nodes: tuple[Node, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    """What stands in the way: nothing is applied while there is one."""
    dangers: tuple[Danger, ...] = ()
    fingerprint: str = ""
    """A digest of the spec, the files and the live objects that the plan was made from."""
    unchanged: int = 0
    left_out: tuple[Diagnostic, ...] = ()
    """Objects of the spec that this host cannot have, and that the user is ready to go without."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes

    def number(self, actions: Sequence[Action]) -> int:
        """Return how many changes have one of these actions."""
        return sum(change.action in actions for change in self.changes)


class Preview(NamedTuple):
    """What a kind must know of the plan so far while it plans one object."""

    changes: Mapping[str, Change] = {}
    """Changes already planned, by address: all that this object needs are among them."""
    replace: frozenset[str] = frozenset()
    """Addresses that the user wants replaced."""
    leaving: Mapping[str, Sequence[Observed]] = {}
    """Kind -> what the lab has of it on the host and the spec no longer does."""

    def disturbing(self, needs: Sequence[str]) -> tuple[Change, ...]:
        """Return the changes to `needs` after which an object that uses them must be made anew."""
        found = (self.changes.get(address) for address in needs)
        return tuple(change for change in found if change and change.action in (Action.CREATE, Action.REPLACE))
