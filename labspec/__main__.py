"""The entry of the command `labspec` and of `python -m labspec`."""

from __future__ import annotations

import gc
import sys

from labspec import __version__


def main() -> None:
    """Run the command line and exit with its code; `labspec --version` answers before anything is imported."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(f"labspec {__version__}")
        return

    # A command makes many values and keeps them to its end: looking for garbage among them finds none. Only the steps
    # of an apply may take long (engine/workflow.py).
    gc.disable()
    try:
        from labspec.cli.unchanged import plan_of, says_so

        early = plan_of(arguments)
        if says_so(early):
            return
        from labspec.cli.main import run

        code = run(arguments, early)
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
