"""Comparing what is wanted with what is there: one function for every kind."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from labspec.core.resource import Observed


class Unset(Enum):
    """The value of a field that nobody set."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "(unset)"


UNSET: Final = Unset.UNSET


class Cause(Enum):
    """Why a field differs."""

    SPEC = "spec changed"
    DROPPED = "no longer in the spec"
    DRIFT = "changed on the host"


class Settle(Enum):
    """How a difference in a field is settled."""

    UPDATE = "in place"
    REPLACE = "replace"


class Field(NamedTuple):
    """A comparable field of a kind."""

    name: str
    settle: Settle = Settle.REPLACE
    default: Any = UNSET
    """The host's value where neither spec nor object defaults say one; UNSET: not known, so compared only if set."""
    keyed: bool = False
    """The value is a mapping, and differences are reported key by key."""
    live: bool = True
    """The host reports it; else only the digest last applied can be compared."""
    secret: bool = False
    """The values are never shown."""
    size: bool = False
    """The values are numbers of bytes."""


class Diff(NamedTuple):
    """One difference: `path` is the field, with '.key' behind it for a keyed one."""

    path: str
    before: Any
    after: Any
    cause: Cause
    settle: Settle
    secret: bool = False

    @property
    def field(self) -> str:
        """The field's name, without the key."""
        return self.path.partition(".")[0]


def digest(value: Any) -> str:
    """Return 12 hex digits that stand for a JSON value, the same on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def digests(desired: Mapping[str, Any]) -> dict[str, str]:
    """Return field -> digest of its value, as recorded with an object when it is made."""
    return {name: digest(value) for name, value in sorted(desired.items())}


def compare(
    fields: Iterable[Field],
    desired: Mapping[str, Any],
    observed: Observed,
    folded: Mapping[str, Any] | None = None,
) -> tuple[Diff, ...]:
    """Return the differences between what the spec wants and what the host has, in the order of `fields`.

    A field that the spec does not set is held against the object's own default, then the field's; where neither is
    known it is compared only if it was set before. `folded` has, for a field that the spec only adds to (the
    environment, say), the whole value that the host should show.
    """
    whole = {**desired, **(folded or {})}
    state, defaults, applied = observed.state, observed.defaults, observed.applied
    found: list[Diff] = []
    for field in fields:
        name, _, default, _, live, _, _ = field
        if not live:
            found += _recorded(field, desired, observed)
            continue
        expected = whole[name] if name in whole else defaults.get(name, default)
        if expected != state.get(name, UNSET) and (expected is not UNSET or name in applied):
            found += _differences(field, desired, observed, expected)
    return tuple(found)


def _recorded(field: Field, desired: Mapping[str, Any], observed: Observed) -> Iterator[Diff]:
    """Yield the difference between a field that the host does not report and the digest last applied."""
    recorded = observed.applied.get(field.name)
    wanted = desired.get(field.name, UNSET)
    now = None if wanted is UNSET else digest(wanted)
    if observed.owned and recorded != now:
        before = UNSET if recorded is None else f"(digest {recorded})"
        yield Diff(field.name, before, wanted, _cause(wanted, recorded), field.settle, field.secret)


def _differences(field: Field, desired: Mapping[str, Any], observed: Observed, expected: Any) -> Iterator[Diff]:
    """Yield the difference in a field that the host reports and that is not as expected, or those in its keys."""
    name = field.name
    found = observed.state.get(name, UNSET)
    cause = _cause(desired.get(name, UNSET), observed.applied.get(name))
    if field.keyed and isinstance(expected or {}, Mapping) and isinstance(found or {}, Mapping):
        left = found if isinstance(found, Mapping) else {}
        right = expected if isinstance(expected, Mapping) else {}
        for key in sorted({*left, *right}):
            before, after = left.get(key, UNSET), right.get(key, UNSET)
            if before != after:
                yield Diff(f"{name}.{key}", before, after, cause, field.settle, field.secret)
        return
    yield Diff(name, found, expected, cause, field.settle, field.secret)


def _cause(wanted: Any, recorded: str | None) -> Cause:
    if wanted is UNSET:
        return Cause.DRIFT if recorded is None else Cause.DROPPED
    return Cause.DRIFT if recorded == digest(wanted) else Cause.SPEC
