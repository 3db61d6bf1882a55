"""A spec as people write one: sections in their order, block style, text of several lines as blocks, comments kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedBase, CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import (
    DoubleQuotedScalarString,
    LiteralScalarString,
    ScalarString,
    SingleQuotedScalarString,
)

from labspec.core.diagnostic import LabError
from labspec.imports.report import Imported
from labspec.spec.report import Report
from labspec.spec.scalars import resolve
from labspec.spec.top import EXTENSION, OWN_KEYS, VERSION
from labspec.spec.yamlfile import parse

MODELINE = "# yaml-language-server: $schema=./labspec.schema.json"
WIDTH = 120
_LONGEST_LIST = 76
"""A list of scalars that is longer stands in lines of its own."""
_OTHERS = re.compile(r"(?i:y|n|yes|no|on|off)|[-+]?[0-9][^ ]*:[^ ]*|[-+]?[0-9][0-9_]*_[0-9_]*|=|<<")
"""Text that readers of YAML 1.1 take for something else."""
_PADDED = re.compile(r"[ \t]+$", re.MULTILINE)


def spec_text(imported: Imported, name: str | None = None) -> str:
    """Return the text of a spec. `name` is the lab's, where the user gives one.

    Raises LabError where the text would not say the same as `imported`, which a value that YAML cannot write may cause.
    """
    lab = {"name": name or imported.lab, **imported.head}
    ordered = {key: imported.sections[key] for key in _keys() if imported.sections.get(key)}
    ordered |= {key: value for key, value in imported.sections.items() if key.startswith(EXTENSION)}
    left = [key for key in imported.sections if key not in ordered and imported.sections[key]]
    if left:
        raise AssertionError(f"a spec has no section {', '.join(left)}")
    head = [MODELINE, *(f"# {line}".rstrip() for line in imported.comment.splitlines())]
    parts = ["\n".join([*head, f"labspec: {VERSION}", _dumped({"lab": lab}).rstrip()]) + "\n"]
    parts += [_dumped({key: value}) for key, value in ordered.items()]
    text = "\n".join(_closed(part) for part in parts)
    _check(text, {"labspec": VERSION, "lab": lab, **ordered})
    return text


def _keys() -> list[str]:
    """Return the top keys of a spec in the order of the reference."""
    from labspec.kinds import REGISTRY as KINDS
    from labspec.spec.parts import REGISTRY as PARTS

    return list(dict.fromkeys((*OWN_KEYS, *(kind.section.partition(".")[0] for kind in KINDS), *PARTS)))


def _closed(part: str) -> str:
    """Return a section without the blank lines at its end."""
    return part.rstrip("\n") + "\n"


def _dumped(section: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.width = 4096  # lines are broken where the writer breaks them, and nowhere else
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.allow_unicode = True
    out = StringIO()
    yaml.dump(readable(section), out)
    return out.getvalue()


def readable(value: Any) -> Any:
    """Return a value in the style of a spec; the comments of a round-trip value stay with it."""
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence):
        return _list(value)
    return value


def _mapping(value: Mapping[str, Any]) -> CommentedMap:
    made = CommentedMap()
    for key, item in value.items():
        made[_text(str(key))] = readable(item)
    _keep_comments(value, made)
    if not made:
        made.fa.set_flow_style()
    return made


def _list(value: Sequence[Any]) -> CommentedSeq:
    plain = all(not isinstance(item, Mapping | list | tuple) for item in value)
    commented = isinstance(value, CommentedBase) and (value.ca.comment or value.ca.items)
    fits = plain and sum(len(str(item)) + 2 for item in value) <= _LONGEST_LIST
    flow = bool(fits and not commented and not any("\n" in str(item) for item in value))
    made = CommentedSeq(
        [_text(item, flow=True) if flow and isinstance(item, str) else readable(item) for item in value]
    )
    _keep_comments(value, made)
    if flow:
        made.fa.set_flow_style()
    return made


def _keep_comments(source: Any, made: CommentedMap | CommentedSeq) -> None:
    if isinstance(source, CommentedBase):
        source.copy_attributes(made, "_yaml_comment")


def _text(value: str, *, flow: bool = False) -> Any:
    if isinstance(value, ScalarString) and not isinstance(value, LiteralScalarString):
        value = str(value)
    if "\n" in value and _is_block(value):
        return LiteralScalarString(value)
    if _needs_quotes(value) or _wants_quotes(value, flow=flow):
        bare = '"' in value and "'" not in value and value.isprintable()
        return SingleQuotedScalarString(value) if bare else DoubleQuotedScalarString(value)
    return value


def _is_block(value: str) -> bool:
    """Return whether a text of several lines can stand as a block and be read back the same."""
    lines = value.split("\n")
    good = all(line.replace("\t", "").isprintable() for line in lines)
    return good and not _PADDED.search(value) and bool(lines[0]) and not lines[0][:1].isspace()


def _wants_quotes(value: str, *, flow: bool) -> bool:
    """Return whether a text needs quotes for its characters, and double ones are the easier to read."""
    special = value[:1] in "!&*?|>@`%'#-[]{}," or re.search(r": |:$| #|^ | $", value)
    inside = flow and re.search(r"[,\[\]{}]|^:", value)
    return bool(special or inside) and not re.search(r"""["\\]""", value) and not _is_plain_dash(value, flow=flow)


def _is_plain_dash(value: str, *, flow: bool) -> bool:
    """Return whether a text that begins with '-' may stand as it is, as options do."""
    return re.match(r"-{1,2}[A-Za-z0-9]", value) is not None and not re.search(r": |:$| #| $", value) and not flow


def _needs_quotes(value: str) -> bool:
    if _OTHERS.fullmatch(value) or not value:
        return True
    try:
        return resolve(value) != value
    except ValueError:
        return True


def _check(text: str, meant: Mapping[str, Any]) -> None:
    report = Report()
    document = parse(text.encode(), "lab.yaml", report)
    report.check()
    if document is None or document.value != meant:
        raise LabError("the spec cannot be written so that it reads back the same", hint="please report it")
