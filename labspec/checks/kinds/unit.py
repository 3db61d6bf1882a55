"""unit: properties of a systemd unit, as `systemctl show` names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from labspec.checks.keys import LINE, MATCHES, Key
from labspec.checks.kind import Finding, Kind, NotThereError, What, judged

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.core.resource import Resource

KEYS = (
    Key("name", LINE, "The unit: nginx.service, or the address of one of the lab's.", required=True, secret=False),
    Key(
        "properties",
        MATCHES,
        "Properties by name: ActiveState, UnitFileState, Restart, ...; ActiveState: active where not given.",
    ),
)
RUNS = {"ActiveState": {"equals": "active"}}


def unit_name(name: str) -> str:
    """Return the name on the host of a unit, given by name or by address."""
    return name.removeprefix("unit.")


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield the properties that are not as they should be."""
    name = unit_name(what["name"])
    wanted = what.get("properties", RUNS)
    found = view.unit(name)
    if found.get("LoadState") == "not-found" and "LoadState" not in wanted:
        raise NotThereError(name, "a unit", "none")
    for key, matcher in wanted.items():
        yield from judged(key, matcher, found.get(key))


def related(what: What, resources: Iterable[Resource]) -> Iterable[str]:
    """Return the lab's own unit of that name, or what the lab says of Docker's."""
    name = unit_name(what["name"])
    daemon = "daemon.service" if name == "docker.service" else ""
    return [resource.address for resource in resources if resource.address in (f"unit.{name}", daemon)]


KIND = Kind("unit", "Properties of a systemd unit.", KEYS, look, related)
