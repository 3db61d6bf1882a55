"""api: an answer of the Docker Engine API, and what a query finds in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from labspec.checks.keys import API_PATH, MATCH, QUERY, Key
from labspec.checks.kind import Finding, Kind, What, judged
from labspec.checks.query import asked
from labspec.host.docker import ApiError

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.core.resource import Resource

KEYS = (
    Key(
        "path",
        API_PATH,
        "What is asked for (GET), without version: /containers/{service.web}/json; {ADDRESS} stands for an id.",
        required=True,
        secret=False,
    ),
    Key("query", QUERY, "A JMESPath expression over the answer; all of it where it is not given.", secret=False),
    Key("status", MATCH, "The status of the answer; 200 where it is not given."),
    Key("is", MATCH, "What the query is to find."),
)
_DAEMON = ("/info", "/version")


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield what of the answer is not as it should be."""
    status, answer = 200, None
    try:
        answer = view.engine(what["path"])
    except ApiError as error:
        status, answer = error.status, error.message
    found = list(judged("status", what.get("status", {"equals": 200}), status, f"{status}: {answer}"))
    yield from found
    if not found and "is" in what:
        yield from judged(what.get("query", "answer"), what["is"], asked(what.get("query", "@"), answer))


def related(what: What, resources: Iterable[Resource]) -> Iterable[str]:
    """Return the daemon's settings, where the daemon itself is asked."""
    if not what["path"].startswith(_DAEMON):
        return ()
    return [resource.address for resource in resources if resource.address == "daemon.settings"]


KIND = Kind("api", "An answer of the Docker Engine API.", KEYS, look, related)
