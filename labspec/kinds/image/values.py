"""The values that a Dockerfile's instructions take, each in a form that says one thing only."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from labspec.kinds.section import Line, Text

_LONGEST = 65_000
"""Of characters in a value: BuildKit refuses a line of 64 KiB."""
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
_WORD = r"^[^\s'\"\\,<>`-][^\s'\"\\,<>`]*$"
_DURATION = r"^(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)$"
_FLAG = r"^[^\s'\"\\<>`-][^\s'\"\\<>`]*$"
_VARYING = r"\$[A-Za-z_][A-Za-z0-9_]*+|\$\{([^\s{}]|\{[^\s{}]*\})+\}"
"""`$X`, `${X}`, `${X:-word}` or `${X:-${Y}}`."""
_PLATFORM_PART = rf"([a-z0-9_.]|{_VARYING})+"
_PART = r"([0-9]{1,5}|\$[A-Za-z_][A-Za-z0-9_]*|\$\{[^\s{}]+\})"
_PORT = rf"^{_PART}(-{_PART})?(/(?i:tcp|udp|sctp|\$[A-Z_][A-Z0-9_]*|\$\{{[^\s{{}}]+\}}))?$"


def _one_line(value: str) -> str:
    if "\n" in value:
        raise ValueError("this is one line: join its lines")
    return value


def whole(value: str) -> str:
    """Return a text that is one. Raises ValueError where it is empty, or too long."""
    if not value.strip():
        raise ValueError("there is no text")
    if len(value) > _LONGEST:
        raise ValueError(f"the text is too long: {len(value)} characters, of at most {_LONGEST}")
    return value


def _instruction(value: str) -> str:
    if value.lstrip().startswith("--"):
        raise ValueError("text that begins with '--' would be read as an option of the instruction")
    if "\n" not in value.strip("\n") and value.rstrip().endswith("\\"):
        raise ValueError("a backslash at the end would swallow the next instruction: remove it")
    return value


def _matching(pattern: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} is not {what}")
        return value

    return AfterValidator(check)


def label_name(name: str) -> str:
    """Return the name of a label that a lab may set. Raises ValueError for another."""
    if not re.fullmatch(r"[^\s\"'\\$=,]+", name) or not name.isprintable():
        raise ValueError(f"{name!r} is not the name of a label: use letters, digits, '.', '_', '/' and '-'")
    if name.startswith(("io.labspec.", "com.docker.compose.")):
        raise ValueError(f"the label {name} is for labspec and compose to set: choose another name")
    return name


Inline = Annotated[Text, AfterValidator(_one_line)]
"""One line of text, which may have tabs in it."""
Value = Annotated[Inline, AfterValidator(lambda value: whole(value) if value else value)]
"""A value of one line, which may be empty."""
Shell = Annotated[Inline, AfterValidator(whole), AfterValidator(_instruction)]
"""The rest of an instruction's line."""
Script = Annotated[Text, AfterValidator(whole), AfterValidator(_instruction)]
"""A command for the shell, of one line or several: a script, or lines as a Dockerfile has them behind RUN."""
Argument = Annotated[Text, Field(max_length=_LONGEST)]
Command = Shell | list[Argument]
"""Text for the shell, or a program and its arguments."""
Path = Annotated[Line, AfterValidator(whole)]
Variable = Annotated[str, _matching(_VARIABLE, "the name of a variable"), WithJsonSchema({"type": "string"})]
EnvName = Annotated[
    str, _matching(rf"^-?{_VARIABLE[1:]}", "the name of a variable"), WithJsonSchema({"type": "string"})
]
"""A variable that ENV sets; Docker also takes what a forgotten quote makes a name of, such as `-march`."""
Label = Annotated[str, AfterValidator(label_name), WithJsonSchema({"type": "string"})]
Word = Annotated[Line, _matching(_WORD, "one plain word"), WithJsonSchema({"type": "string", "pattern": _WORD})]
"""One word without quotes, blanks or commas; it can be neither an option nor a list."""
Flag = Annotated[Line, _matching(_FLAG, "one plain word"), WithJsonSchema({"type": "string", "pattern": _FLAG})]
"""One word that may be a list."""
Reference = Annotated[
    str,
    _matching(rf"^(?=[a-zA-Z0-9$])([a-zA-Z0-9_./:@+-]|{_VARYING})+$", "the name of an image"),
    WithJsonSchema({"type": "string"}),
]
"""The name of an image or of a stage; `$X` and `${X}` are build arguments."""
FileName = Annotated[str, _matching(r"^[A-Za-z0-9_.-]+$", "the name of a file"), WithJsonSchema({"type": "string"})]
StageName = Annotated[
    str, _matching(r"^[a-z][a-z0-9_.-]*$", "the name of a stage: use small letters"), WithJsonSchema({"type": "string"})
]
Platform = Annotated[
    str,
    _matching(rf"^{_PLATFORM_PART}(/{_PLATFORM_PART}){{0,2}}$", "a platform such as linux/arm64"),
    WithJsonSchema({"type": "string"}),
]
Duration = Annotated[
    str,
    _matching(_DURATION, "a duration such as 30s or 1m30s"),
    WithJsonSchema({"type": "string", "pattern": _DURATION}),
]
Port = (
    Annotated[int, Field(ge=1, le=65535)]
    | Annotated[str, _matching(_PORT, "a port such as 80, 53/udp or $PORT"), WithJsonSchema({"type": "string"})]
)
Varying = Annotated[str, _matching(r"^\$.+$", "a variable"), WithJsonSchema({"type": "string", "pattern": r"^\$.+$"})]
"""A build argument in the place of a word."""
Nothing = Annotated[str, _matching("none", "the word none"), WithJsonSchema({"const": "none"})]
Scalar = Value | int | float | bool
Arguments = Variable | list[Variable | dict[Variable, Scalar | None]] | dict[Variable, Scalar | None]
"""Names, or names with their defaults; a list where a name comes again."""
