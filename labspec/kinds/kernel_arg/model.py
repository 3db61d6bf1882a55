"""What a spec may say of an argument of the kernel's command line: that it is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.mistake import shown
from labspec.kinds.provider import Naming, Scope


class KernelArgSection:
    """The section `host.kernel_args`: a list of arguments, each KEY or KEY=VALUE.

    The boot loader's files are shell scripts, so that an argument has no character that a shell knows.
    """

    name = "host.kernel_args"
    kind = "kernel_arg"
    naming = Naming(
        r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*(=[a-zA-Z0-9_.,:/@+%=-]*)?$",
        "write KEY or KEY=VALUE, of letters, digits and . _ - , : / @ + %",
    )

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report an entry with something in it: there is nothing to say of an argument."""
        if entry not in ({}, None):
            message = f"an argument has nothing in it, found {shown(entry)}"
            scope.error((self.name, name), message, f"write kernel_args: [{name}]")
            return False
        return True

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:  # noqa: ARG002
        """Return the argument; its address is its key, which is there once."""
        yield Resource(f"kernel_arg.{name.partition('=')[0]}", self.kind, name, {"argument": name})

    def schema(self) -> dict[str, Any]:
        """Return the schema of what is in an argument: nothing."""
        return {
            "type": "object",
            "maxProperties": 0,
            "description": "An argument of the kernel's command line, KEY or KEY=VALUE. It takes effect at next boot.",
            "examples": [{}],
        }


SECTION = KernelArgSection()
