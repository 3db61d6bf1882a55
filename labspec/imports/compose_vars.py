"""The variables of compose files: their values here, and the spec's `vars` that stand for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from labspec.imports.compose_read import Node, walk
from labspec.kinds.compose.interpolate import InterpolationError, substitute

Lookup = Callable[[str], str | None]

OPEN = "${{"
_START = re.compile(r"\$(?:\$|([_a-zA-Z][_a-zA-Z0-9]*)|\{)")
_STAND_IN = "1"
"""Stands for a value that is not known, where values are read."""


class Variables:
    """Gives each value that is interpolated a variable of the spec."""

    def __init__(self, *, project: str, blank: bool = False) -> None:
        self.blank = blank
        """No value comes from this host."""
        self._project = project
        self._names: dict[tuple[str, str | None], str] = {}
        self.values: dict[str, str | None] = {}
        """Variable -> value; None for one that has none."""
        self.unset: dict[str, Node] = {}
        """Names that are empty texts because nothing gives them a value -> where they stand."""

    def interpolate(self, root: Node, lookup: Lookup) -> None:
        """Replace the variables in all texts below a node. Raises LabError where compose does."""
        for path, node in walk(root):
            if isinstance(node.value, str) and "$" in node.value:
                self._text(node, path, lookup)

    def _text(self, node: Node, path: tuple[str | int, ...], lookup: Lookup) -> None:
        written: str = node.value
        values: list[str] = []
        templates: list[str] = []
        index, found, clear = 0, False, True
        while (start := written.find("$", index)) >= 0:
            plain = written[index:start]
            match = _START.match(written, start)
            if match is None or match[0] == "$$":
                values += (plain, "$")
                templates += (plain, "$")
                index = match.end() if match else start + 1
                continue
            clear = clear and (bool(plain) or templates[-1:] != ["$"])
            end = match.end() if match[1] else _closing(node, written, match.end())
            value, template = self._value(node, written[start:end], lookup)
            values += (plain, value)
            templates += (plain, template)
            index, found = end, True
        values.append(written[index:])
        templates.append(written[index:])
        node.value = "".join(values)
        # A $ just before a lookup would make a plain text of it, and one before {{ a lookup.
        clear = clear and OPEN not in node.value
        node.template = "".join(templates) if found and clear and path != ("name",) else None

    def _value(self, node: Node, written: str, lookup: Lookup) -> tuple[str, str]:
        name = re.sub(r"^\$\{?", "", written)
        name = re.match(r"[_a-zA-Z][_a-zA-Z0-9]*", name)[0] if re.match(r"[_a-zA-Z]", name) else ""  # type: ignore[index]
        if not name:
            raise node.wrong(f"'{written[:20]}' is no variable", "write $$ for a plain $")
        if name == "COMPOSE_PROJECT_NAME" and lookup(name) is None:
            return self._project, "${{ lab.name }}"
        missing: list[str] = []

        def noted(wanted: str) -> str | None:
            value = lookup(wanted)
            if value is None:
                missing.append(wanted)
            return value

        try:
            value = substitute(written, noted, strict=False)
        except InterpolationError as error:
            if not self.blank:
                hint = "set it in the environment, in .env, or in a file that --env-file names" if error.name else None
                raise node.wrong(str(error), hint) from None
            return _STAND_IN, self.stand_for(name, None)
        plain = re.fullmatch(r"\$\{?" + name + r"\}?", written) is not None
        if plain and missing:
            if self.blank:
                return _STAND_IN, self.stand_for(name, None)
            self.unset.setdefault(name, node)
        return value, self.stand_for(name, value)

    def stand_for(self, name: str, value: str | None) -> str:
        """Return the lookup of the spec's variable that stands for a value of a compose file's variable."""
        key = (name, value)
        if key not in self._names:
            first = name.lower()
            candidates = (first if number == 1 else f"{first}_{number}" for number in range(1, 10_000))
            self._names[key] = next(candidate for candidate in candidates if candidate not in self.values)
            self.values[self._names[key]] = value
        return f"{OPEN} vars.{self._names[key]} }}}}"


def lookup_of(*environments: Mapping[str, str | None]) -> Lookup:
    """Return what finds a variable in the first of several environments that has it."""

    def lookup(name: str) -> str | None:
        return next((found[name] for found in environments if found.get(name) is not None), None)

    return lookup


def _closing(node: Node, written: str, start: int) -> int:
    depth, index = 1, start
    while index < len(written):
        if written.startswith("${", index):
            depth, index = depth + 1, index + 2
            continue
        if written[index] == "}":
            depth -= 1
            if depth == 0:
                return index + 1
        index += 1
    raise node.wrong("a ${ is not closed", "write $$ for a plain $")
