"""What a spec may say of a group of the host: who is in it, and its number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from labspec.core.resource import Resource
from labspec.kinds.provider import Naming, Scope
from labspec.kinds.section import ModelSection

ACCOUNT_PATTERN = r"^[a-zA-Z0-9_][a-zA-Z0-9_.-]*\$?$"
ACCOUNT_HINT = "use letters, digits, '_', '.' and '-', at most 32, and begin with a letter or '_'"
NEW_ACCOUNT_PATTERN = r"^[a-zA-Z_][a-zA-Z0-9_.-]{0,31}$"
HIGHEST_ID = 2**32 - 2

_LONGEST_NAME = 64


def _account(value: str) -> str:
    if not re.fullmatch(ACCOUNT_PATTERN[1:-1], value) or len(value) > _LONGEST_NAME:
        raise ValueError(f"{value!r} is no name of a user or group")
    return value


Account = Annotated[str, AfterValidator(_account), WithJsonSchema({"type": "string", "pattern": ACCOUNT_PATTERN})]
AccountId = Annotated[int, Field(ge=0, le=HIGHEST_ID)]


class Group(BaseModel):
    """A group of the host, made where it is missing. Who is in it besides the members named here stays in it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"members": ["vagrant"]}]},
    )

    members: list[Account] | None = None
    """The users that are added to the group."""
    gid: AccountId | None = None
    """The number of the group."""
    system: bool | None = None
    """A new group gets a number from those for system groups."""


class GroupSection(ModelSection):
    """The section `host.groups`."""

    name = "host.groups"
    kind = "group"
    model = Group
    naming = Naming(NEW_ACCOUNT_PATTERN, ACCOUNT_HINT)

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the group, with the users that `host.users` puts in it among its members."""
        named = {str(member) for member in entry.get("members") or ()}
        by_users, first = _users(scope)
        members = sorted((named | by_users[name]) - first[name])
        desired: dict[str, Any] = {}
        if members:
            desired["members"] = members
        if entry.get("gid") is not None:
            desired["gid"] = entry["gid"]
        needs = tuple(f"user.{member}" for member in members if member in scope.names("host.users"))
        yield Resource(f"group.{name}", self.kind, name, desired, {"system": bool(entry.get("system"))}, needs)


@lru_cache(maxsize=1)
def _users(scope: Scope) -> tuple[defaultdict[str, set[str]], defaultdict[str, set[str]]]:
    """Return group -> those of `host.users` that are in it besides their own group, and those whose own it is."""
    others, own = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for user in scope.names("host.users"):
        entry = scope.entry("host.users", user) or {}
        for group in _texts(entry.get("groups")):
            others[group].add(user)
        for group in _texts([entry.get("group")]):
            own[group].add(user)
    return others, own


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


SECTION = GroupSection()
