"""What is imported before a command has anything to do: told by sys.modules, not by a clock."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("pydantic", "rich", "docker", "python_on_whales", "jinja2", "ruamel", "yaml", "jsonschema_rs", "http.client")


def imported(*arguments: str, folder: str | None = None) -> tuple[str, set[str]]:
    """Return what a command prints, and the names of all modules that it imported."""
    program = (
        "import sys, json\n"
        f"sys.argv = ['labspec', *{list(arguments)!r}]\n"
        "from labspec.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder, timeout=60
    )
    *printed, modules = done.stdout.splitlines()
    return "\n".join(printed), set(json.loads(modules))


def test_version_imports_nothing() -> None:
    from labspec import __version__

    printed, modules = imported("--version")
    assert printed == f"labspec {__version__}"
    assert not {"click", "argparse", *HEAVY} & modules
    assert {name for name in modules if name.startswith("labspec")} == {"labspec", "labspec.__main__"}


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--no-color", "--version"]])
def test_help_of_the_group_imports_no_command(arguments: list[str]) -> None:
    _, modules = imported(*arguments)
    assert not set(HEAVY) & modules
    commands = {name for name in modules if name.startswith("labspec.cli.")}
    assert commands <= {f"labspec.cli.{name}" for name in ("main", "commands", "unchanged", "helpends")}


@pytest.mark.parametrize("command", ["plan", "apply", "destroy", "status", "init", "doctor", "render", "schema"])
def test_help_of_a_command_imports_nothing_heavy(command: str) -> None:
    printed, modules = imported(command, "--help")
    assert f"Usage: labspec {command}" in printed
    assert not set(HEAVY) & modules
