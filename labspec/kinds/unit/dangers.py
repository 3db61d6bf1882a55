"""What a unit may do to the host beyond running something.

Names for `--allow`: unit-takeover (a unit in the place of one that a package brought), root-unit (a command whose
prefix lifts what User= and the sandboxing keys restrain).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from labspec.core.change import Danger
from labspec.core.resource import Resource
from labspec.kinds.unit.names import VENDOR_FOLDERS

_PREFIX = re.compile(r"^[@\-:|]*([+!])")


def unit_dangers(resource: Resource) -> Iterator[Danger]:
    """Yield the dangers of one unit."""
    path = resource.options["path"]
    if path and not resource.options["dropin"]:
        places = [f"{folder}/{resource.name}" for folder in VENDOR_FOLDERS]
        vendor = next((place for place in places if Path(place).exists()), None)
        if vendor:
            yield Danger("unit-takeover", resource.address, f"takes the place of {vendor}, which a package brought")
    for key, values in sorted(resource.desired.get("sections", {}).items()):
        if not key.startswith("Service.Exec") and not re.match(r"(Socket|Mount|Swap)\.Exec", key):
            continue
        for value in values:
            found = _PREFIX.match(value)
            if found:
                said = f"{key.partition('.')[2]} begins with '{found[1]}': it runs as root, whatever User= says"
                yield Danger("root-unit", resource.address, said)
