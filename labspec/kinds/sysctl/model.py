"""What a spec may say of a kernel parameter: its value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.mistake import shown
from labspec.kinds.provider import Naming, Scope

VALUE_PATTERN = r"^[!-~]+( +[!-~]+)*$"
_LONGEST = 200


class SysctlSection:
    """The section `host.sysctls`, whose entries are values."""

    name = "host.sysctls"
    kind = "sysctl"
    naming = Naming(
        r"^[a-z][a-z0-9_]*(\.[a-zA-Z0-9_][a-zA-Z0-9_/@:-]*)+$", "write a parameter with dots: net.ipv4.ip_forward"
    )

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report a value that is neither text nor a whole number, and return whether it is one."""
        path = (self.name, name)
        if isinstance(entry, bool) or not isinstance(entry, str | int):
            scope.error(path, f"expected text or a whole number, found {shown(entry or None)}", f'write {name}: "1"')
            return False
        text = str(entry)
        if not text.strip() or len(text) > _LONGEST or any(not " " <= char <= "~" for char in text):
            scope.error(path, f"{shown(entry)} is no value of a kernel parameter", "write one line of printable ASCII")
            return False
        return True

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:  # noqa: ARG002
        """Return the parameter, to have its value now and after the next boot."""
        value = " ".join(str(entry).split())
        yield Resource(f"sysctl.{name}", self.kind, name, {"value": value, "at_boot": value})

    def schema(self) -> dict[str, Any]:
        """Return the schema of a value."""
        return {
            "anyOf": [{"type": "string", "pattern": VALUE_PATTERN}, {"type": "integer"}],
            "description": "A kernel parameter by its name with dots, and its value: set now and at every boot.",
            "examples": ["1"],
        }


SECTION = SysctlSection()
