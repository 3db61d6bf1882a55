"""container: a field of what `docker inspect` says of a service's container."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labspec.checks.keys import MATCH, PLACE, QUERY, Key
from labspec.checks.kind import Finding, Kind, What, judged
from labspec.checks.query import asked

if TYPE_CHECKING:
    from labspec.checks.view import View

KEYS = (
    Key("in", PLACE, "The service.", required=True, secret=False),
    Key("field", QUERY, "The field, as HostConfig.Memory, or any JMESPath expression.", required=True, secret=False),
    Key("is", MATCH, "What it is to be.", required=True),
)


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield where the field is not as it should be."""
    yield from judged(what["field"], what["is"], asked(what["field"], view.inspected(what["in"])))


KIND = Kind("container", "A field of what the engine says of a container.", KEYS, look)
