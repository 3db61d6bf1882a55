"""What a spec may say of objects that are to be adopted: their addresses, under `adopt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labspec.core.diagnostic import did_you_mean
from labspec.core.resource import Resource
from labspec.kinds.provider import Scope

KINDS = ("service", "network", "volume", "image")
"""What may be adopted. Files, units and settings need not: labspec leaves what is as the spec says."""


class AdoptPart:
    """The part `adopt`."""

    name = "adopt"

    def read(self, value: Any, scope: Scope, resources: Sequence[Resource], parts: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Return the addresses of the objects to adopt, sorted; mistakes go to `scope.error`."""
        if not isinstance(value, list):
            scope.error((self.name,), "'adopt' is a list of addresses", "write adopt: [service.web]")
            return None
        known = {resource.address: resource.kind for resource in resources}
        found: set[str] = set()
        for index, target in enumerate(value):
            path = (self.name, index)
            if not isinstance(target, str):
                scope.error(path, "expected an address", "write one such as service.web")
                continue
            covered = [address for address in known if address == target or address.startswith(f"{target}.")]
            adoptable = [address for address in covered if known[address] in KINDS]
            if not covered:
                hint = did_you_mean(target, known) or "'labspec plan' shows the addresses"
                scope.error(path, f"the spec has no address '{target}'", hint)
            elif not adoptable:
                scope.error(path, f"{target} is not adopted: labspec leaves it as it is where nothing differs")
            found.update(adoptable)
        return sorted(found)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the value."""
        return {
            "type": "array",
            "items": {"type": "string"},
            "description": "Addresses of objects that are on the host already, made by docker compose or by hand: "
            "apply takes them over as they are, and from then on they are the lab's. A group such as stack.shop stands "
            "for all in it. The line may go once they are adopted.",
            "examples": [["service.web", "network.default", "volume.data"]],
        }


PART = AdoptPart()
"""What makes the part known."""
