"""What a spec may say of checks: a list, each entry with one key that is a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from labspec.checks.keys import (
    API_PATH,
    ARGV,
    FLAG,
    HEADERS,
    LINE,
    MATCH,
    MATCHES,
    NAMESPACES,
    PATH,
    PLACE,
    PORT,
    QUERY,
    SIZES,
    URL,
)
from labspec.checks.kinds import REGISTRY, kind
from labspec.checks.matchers import OPERATORS, pattern_mistake
from labspec.checks.meaning import Meaning
from labspec.checks.query import query_mistake
from labspec.core.resource import Resource
from labspec.kinds.compose.values import nanoseconds
from labspec.kinds.provider import Scope
from labspec.kinds.section import Line, Name, Text, Translated, check_model, model_schema

_CONFIG = ConfigDict(extra="forbid")
_MOST_CHECKS = 1000
OPEN = "${{"
"""A lookup that is still there has been reported: what it would stand for is not known."""
_PATH_PATTERN = r"^/[^\x00-\x1f\x7f]*$"
_DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"


def _duration(value: str) -> str:
    nanoseconds(value)
    return value


def _pattern(value: str) -> str:
    mistake = pattern_mistake(value)
    if mistake is not None:
        raise ValueError(f"'{value}' is no regular expression: {mistake}")
    return value


def _query(value: str) -> str:
    mistake = query_mistake(value)
    if mistake is not None:
        raise ValueError(f"'{value}' is no JMESPath expression: {mistake}")
    return value


def _url(value: str) -> str:
    try:
        good = OPEN in value or urlsplit(value).port != 0
    except ValueError as error:
        raise ValueError(f"'{value}' is no URL: {str(error)[:1].lower()}{str(error)[1:]}") from error
    if not good:
        raise ValueError(f"'{value}' is no URL: nobody listens on port 0")
    return value


def _path_of_api(value: str) -> str:
    if value.startswith("/v1."):
        raise ValueError(f"'{value}' names a version of the API: leave it out, labspec agrees on one with the engine")
    return value


Duration = Annotated[str, AfterValidator(_duration), WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN})]
Pattern = Annotated[Line, AfterValidator(_pattern)]
Scalar = Text | bool | int | float


class Match(BaseModel):
    """A matcher: every key in it must hold. A plain value, or a list, stands for `equals`."""

    model_config = _CONFIG

    equals: Any = Field(None, description=OPERATORS["equals"].about)
    contains: Scalar | list[Scalar] | None = Field(None, description=OPERATORS["contains"].about)
    matches: Pattern | None = Field(None, description=OPERATORS["matches"].about)
    one_of: list[Scalar] | None = Field(None, description=OPERATORS["one_of"].about)
    less: int | float | Line | None = Field(None, description=OPERATORS["less"].about)
    greater: int | float | Line | None = Field(None, description=OPERATORS["greater"].about)
    not_: Matcher | None = Field(None, alias="not", description=OPERATORS["not"].about)
    all: list[Matcher] | None = Field(None, description=OPERATORS["all"].about)
    any: list[Matcher] | None = Field(None, description=OPERATORS["any"].about)


Matcher = Match | Scalar | list[Any]
Match.model_rebuild()

_TYPES: Mapping[str, Any] = {
    LINE: Line,
    URL: Annotated[Line, Field(pattern=r"^https?://[^/\s]+"), AfterValidator(_url)],
    PATH: Annotated[Line, Field(pattern=_PATH_PATTERN)],
    API_PATH: Annotated[Line, Field(pattern=r"^/[^\s#]*$"), AfterValidator(_path_of_api)],
    ARGV: Annotated[list[Text], Field(min_length=1)],
    FLAG: bool,
    PORT: Annotated[int, Field(ge=1, le=65535)],
    HEADERS: dict[Annotated[Line, Field(pattern=r"^[A-Za-z0-9-]+$")], Line],
    PLACE: Line,
    NAMESPACES: list[Literal["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"]],
    MATCH: Matcher,
    SIZES: Matcher,
    MATCHES: dict[Line, Matcher],
    QUERY: Annotated[Line, AfterValidator(_query)],
}


class Retry(BaseModel):
    """How long a check may take to become true."""

    model_config = _CONFIG

    wait: Duration = Field(alias="for")
    """It is looked at again for so long."""
    every: Duration | None = None
    """The time between two looks; 500ms where it is not given."""


class Common(BaseModel):
    """Something that must be true of the applied lab; one more key says what, by its kind."""

    model_config = _CONFIG

    id: Name
    """Its name, which no other check has."""
    title: Translated | None = None
    """What it is about, for people."""
    hint: Translated | None = None
    """What to try where it fails."""
    points: Annotated[int, Field(ge=0, le=1000)] | Annotated[float, Field(ge=0, le=1000)] | None = None
    """What it counts in the score; `1` where it is not given."""
    audience: Literal["student", "teacher"] | None = None
    """Who sees it; both where it is not given."""
    reveal: bool | None = None
    """Whether students are told what was expected and what was seen; `true` where it is not given."""
    about: list[Line] | None = None
    """Addresses of the lab that it depends on, beside those that it names: a proof breaks these too."""
    needs: list[Name] | None = None
    """Checks that must pass first; without them it is skipped."""
    retry: Retry | None = None
    """Look again until it is true, or the time is over."""
    timeout: Duration | None = None
    """The time that one look may take; 5s where it is not given."""


def _model_of(name: str) -> type[BaseModel]:
    one = kind(name)
    fields: dict[str, Any] = {
        key.name: (_TYPES[key.type], Field(description=key.about))
        if key.required
        else (_TYPES[key.type] | None, Field(None, description=key.about))
        for key in one.keys
    }
    made: type[BaseModel] = create_model(name.capitalize(), __config__=_CONFIG, __doc__=one.about, **fields)
    return made


_KINDS: dict[str, Any] = {
    name: (_model_of(name) | None, Field(None, description=kind(name).about)) for name in REGISTRY
}
Check: type[BaseModel] = create_model("Check", __base__=Common, __doc__=Common.__doc__, **_KINDS)


class ChecksPart:
    """The part `checks`."""

    name = "checks"

    def read(
        self,
        value: Any,
        scope: Scope,
        resources: Sequence[Resource],
        parts: Mapping[str, Any],  # noqa: ARG002  the contract's argument
    ) -> list[dict[str, Any]] | None:
        """Return every check in canonical form; None where there is a mistake in one."""
        if not isinstance(value, list):
            scope.error(("checks",), "'checks' is a list", "begin each check with '- id: NAME'")
            return None
        if len(value) > _MOST_CHECKS:
            scope.error(("checks",), f"there are {len(value)} checks, of at most {_MOST_CHECKS}")
            return None
        good = [
            (index, entry)
            for index, entry in enumerate(value)
            if check_model(Check, entry, ("checks", index), _called(index, entry), scope)
        ]
        read = Meaning(scope, resources).checks(good)
        return read if len(good) == len(value) else None

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the list."""
        entry = model_schema(Check)
        definitions = entry.pop("$defs")
        return {
            "description": "What must be true once the lab is applied: `labspec check` looks.",
            "type": "array",
            "items": {"$ref": "#/$defs/Check"},
            "$defs": {"Check": entry, **definitions},
        }


def _called(index: int, entry: Any) -> str:
    named = entry.get("id") if isinstance(entry, Mapping) else None
    return f"check '{named}'" if isinstance(named, str) else f"check {index + 1}"


PART = ChecksPart()
