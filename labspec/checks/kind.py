"""The contract of a kind of check: its keys, how it looks, and what of the lab it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labspec.checks.keys import Key
from labspec.checks.matchers import Matcher, holds, shown, words

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.core.resource import Resource

What = Mapping[str, Any]
"""What a check of a kind says: its keys, matchers in canonical form."""
LONGEST_SEEN = 400
RUNNING = "running"
"""What is expected of something that does not run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as a check wants it."""

    subject: str
    """status, body, service.web, ..."""
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.subject}: expected {self.expected}, seen {self.seen}"


class NotThereError(Exception):
    """What a check looks at is not there, or does not run."""

    def __init__(self, subject: str, expected: str, seen: str) -> None:
        super().__init__(f"{subject}: {seen}")
        self.finding = Finding(subject, expected, seen)


def _nothing(_what: What, _resources: Iterable[Resource]) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of check."""

    name: str
    about: str
    keys: tuple[Key, ...]
    look: Callable[[What, View], Iterable[Finding]]
    """Yields what is not as it should be. Raises NotThereError, LabError, OSError."""
    related: Callable[[What, Iterable[Resource]], Iterable[str]] = _nothing
    """Addresses that a check depends on though it does not name them."""
    spoils: tuple[str, ...] = ()
    """Keys of a service (or of another object) that such a check mostly hangs on: the first to be spoilt by a proof."""
    danger: Callable[[What], str | None] = lambda _what: None
    """What a check does to this host beyond looking, in words: refused unless `--allow` names `host-commands`."""


def judged(subject: str, matcher: Matcher | None, seen: Any, said: str | None = None) -> Iterable[Finding]:
    """Return a finding where there is a matcher and a value is not as it wants it; `said` shows the value."""
    if matcher is None or holds(matcher, seen):
        return ()
    return (Finding(subject, words(matcher), short(said if said is not None else shown(seen))),)


def short(text: str) -> str:
    """Return a text with its middle left out where it is long."""
    if len(text) <= LONGEST_SEEN:
        return text
    return f"{text[: LONGEST_SEEN - 60]} ... {text[-40:]}"
