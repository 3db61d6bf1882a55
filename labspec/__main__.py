"""The entry of the command `labspec` and of `python -m labspec`."""

from __future__ import annotations

import gc
import os
import sys

from labspec import __version__


def main() -> None:
    """Run the command line and exit with its code; return where that is 0 and all has been said without click.

    `labspec --version` answers before anything is imported.
    """
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        try:
            print(f"labspec {__version__}", flush=True)
        except OSError as error:
            sys.exit(f"error: {error.strerror}")
        return

    # A command makes many values and keeps them to its end: looking for garbage among them finds none. Only the steps
    # of an apply may take long (engine/workflow.py).
    gc.disable()
    try:
        if _changes_at_once(arguments) and len(os.sched_getaffinity(0)) > 1:
            from labspec.host import calls

            # Long before it is known whether there is something to call: another processor has nothing to do meanwhile.
            calls.get_ready()
        from labspec.cli.unchanged import plan_of, says_so

        early = plan_of(arguments)
        if says_so(early):
            return
        from labspec.cli.main import run

        code = run(arguments, early)
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _changes_at_once(arguments: list[str]) -> bool:
    """Return whether they are of an apply that asks no question."""
    return arguments[:1] == ["apply"] and not {"-y", "--auto-approve"}.isdisjoint(arguments)


def start() -> None:
    """Run the command line of this process, and end it."""
    code = 0
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        code = end.code
    # All has been written: taking every value apart, one by one, would take as long as reading a small lab.
    os._exit(code)


if __name__ == "__main__":
    start()
