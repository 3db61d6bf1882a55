"""process: the processes of something of the lab, or of the host: how many, whose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labspec.checks.files import account
from labspec.checks.keys import HOST, MATCH, PLACE, Key
from labspec.checks.kind import Finding, Kind, What, judged, short
from labspec.checks.matchers import holds, words

if TYPE_CHECKING:
    from labspec.checks.view import View

KEYS = (
    Key("in", PLACE, "Whose processes; host where it is not given: all of them.", secret=False),
    Key("command", MATCH, "Only processes with such a command line, its arguments joined by spaces.", secret=False),
    Key("count", MATCH, "How many there are; at least one where it is not given."),
    Key("user", MATCH, "Who runs each of them, as it is seen there: a name, or a number where it has none."),
    Key("host_user", MATCH, "Who runs each of them, as this host sees it: with user namespaces somebody else."),
)
SOME = {"greater": 0}


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield what of the processes is not as it should be."""
    place, command = what["in"], what.get("command")
    found = [one for one in view.processes(place) if command is None or holds(command, one.command)]
    named = f"processes where the command {words(command)}" if command else "processes"
    there = ", ".join(sorted({one.command for one in view.processes(place)})) if place != HOST else ""
    seen = f"{len(found)}; there are: {there}" if there and not found else str(len(found))
    yield from judged(named, what.get("count", SOME), len(found), short(seen))
    # Whose users they are is told by the first process: any other may be gone by now.
    pid = None if place == HOST else view.pid(place)
    for process in found:
        if "user" in what:
            yield from judged(f"user of {process.command}", what["user"], account(process.uid, "passwd", pid))
        if "host_user" in what:
            yield from judged(
                f"user on the host of {process.command}", what["host_user"], account(process.uid, "passwd", None)
            )


KIND = Kind("process", "Processes: how many, and whose.", KEYS, look, spoils=("user", "command", "entrypoint"))
