"""group: who is in a group of the host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from labspec.checks.keys import FLAG, LINE, MATCH, Key
from labspec.checks.kind import Finding, Kind, What, judged

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.core.resource import Resource

KEYS = (
    Key("name", LINE, "The group.", required=True, secret=False),
    Key("exists", FLAG, "Whether there is such a group; true where it is not given."),
    Key("members", MATCH, "The names of its members, in order; also of those whose first group it is."),
    Key("gid", MATCH, "Its number."),
)


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield what of the group is not as it should be."""
    name, wanted = what["name"], what.get("exists", True)
    found = view.groups.get(name)
    if (found is not None) is not wanted:
        yield Finding(f"group {name}", "there" if wanted else "not there", "there" if found else "not there")
        return
    if found is None:
        return
    first = [user.name for user in view.users.values() if user.gid == found.gid]
    yield from judged("members", what.get("members"), sorted({*found.members, *first}))
    yield from judged("gid", what.get("gid"), found.gid)


def related(what: What, resources: Iterable[Resource]) -> Iterable[str]:
    """Return the lab's own group of that name."""
    return [resource.address for resource in resources if resource.kind == "group" and resource.name == what["name"]]


KIND = Kind("group", "A group of the host.", KEYS, look, related, ("members",))
