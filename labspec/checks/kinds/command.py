"""command: what a program says, on the host or in something of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labspec.checks.keys import ARGV, HOST, LINE, MATCH, PLACE, Key
from labspec.checks.kind import Finding, Kind, What, judged

if TYPE_CHECKING:
    from labspec.checks.view import View

KEYS = (
    Key("run", ARGV, "The program and its arguments, as a list; no shell reads them.", required=True, secret=False),
    Key("in", PLACE, "Where it runs; host where it is not given, which needs --allow host-commands.", secret=False),
    Key("user", LINE, "The user that it runs as; that of the container, or of labspec, where not given.", secret=False),
    Key("exit_code", MATCH, "Its exit code; 0 where it is not given."),
    Key("stdout", MATCH, "What it prints."),
    Key("stderr", MATCH, "What it prints as errors."),
)


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield what of its end and its words is not as it should be."""
    done = view.run(what["in"], what["run"], what.get("user"))
    out, err = done.stdout.rstrip("\n"), done.stderr.rstrip("\n")
    last = (err or out).splitlines()[-1:]
    said = f"{done.returncode}, and it said: {last[0]}" if last and done.returncode else str(done.returncode)
    yield from judged("exit code", what.get("exit_code", {"equals": 0}), done.returncode, said)
    yield from judged("stdout", what.get("stdout"), out)
    yield from judged("stderr", what.get("stderr"), err)


def danger(what: What) -> str | None:
    """Return that it runs a program of the lab's on this host."""
    return f"runs {' '.join(what['run'])}" if what["in"] == HOST else None


KIND = Kind("command", "What a program says.", KEYS, look, spoils=("user", "command", "environment"), danger=danger)
