"""What labspec did to things that carry no labels, and what they were before: the way back.

One JSON file a lab, in the lab's state folder. An entry is written before the host is touched, so that whatever
happens after it can be undone: address -> {"kind", "applied" (field -> digest), "before" (what the kind needs to put
the thing back), ...}.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.host.state import StateFolder

FILE = "journal.json"
FORMAT = 1


class Journal:
    """The journal of one lab. Threads may record at the same time; the lab's lock keeps other processes away."""

    def __init__(self, state: StateFolder, lab: str) -> None:
        self._state = state
        self._lab = lab
        self._lock = threading.Lock()

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return the entries by address; none where there is no journal.

        Raises LabError for a journal that cannot be read: going on would lose the way back.
        """
        path = self._state.root / self._lab / FILE
        try:
            content = json.loads(path.read_bytes())
            found = content["entries"] if content["format"] == FORMAT else None
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _broken(str(path)) from error
        if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
            raise _broken(str(path))
        return found

    def record(self, address: str, entry: Mapping[str, Any]) -> None:
        """Write an entry, in the place of an older one; what it says of `before` stays what it was at first."""
        with self._lock:
            entries = self.entries()
            old = entries.get(address, {})
            entries[address] = {**entry, **({"before": old["before"]} if "before" in old else {})}
            self._write(entries)

    def forget(self, address: str) -> None:
        """Remove an entry, once the thing is as it was before."""
        with self._lock:
            entries = self.entries()
            if entries.pop(address, None) is not None:
                self._write(entries)

    def _write(self, entries: Mapping[str, Any]) -> None:
        if not entries:
            (self._state.root / self._lab / FILE).unlink(missing_ok=True)
            return
        content = {"format": FORMAT, "entries": entries}
        self._state.write(self._lab, FILE, json.dumps(content, sort_keys=True, indent=1).encode())


def _broken(path: str) -> LabError:
    return LabError(
        f"labspec's journal {path} cannot be read",
        hint="it holds what files and settings were before: restore it from a backup, or move it away to give that up",
    )
