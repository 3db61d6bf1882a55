"""What a spec may say of a user of the host. A password is never part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from labspec.core.resource import Resource
from labspec.kinds.group.model import ACCOUNT_HINT, NEW_ACCOUNT_PATTERN, Account, AccountId
from labspec.kinds.provider import Naming, Scope
from labspec.kinds.section import Line, ModelSection

PATH_PATTERN = r"^(/(?!\.{1,2}(/|$))[^/:\x00-\x1f\x7f-\x9f]+)+$"
_LONGEST_PATH = 255


def _path(value: str) -> str:
    if not re.fullmatch(PATH_PATTERN[1:-1], value) or len(value) > _LONGEST_PATH:
        raise ValueError(f"{value!r} is no absolute path without '.', '..', '//' and ':' in it")
    return value


AbsolutePath = Annotated[str, AfterValidator(_path), WithJsonSchema({"type": "string", "pattern": PATH_PATTERN})]


class User(BaseModel):
    """A user of the host, made where it is missing, without a password; of one that is there only what is named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"groups": ["docker"], "shell": "/bin/bash"}]},
    )

    uid: AccountId | None = None
    """The number of the user."""
    group: Account | None = None
    """The user's first group; a group of the user's name where it is not given."""
    groups: list[Account] | None = None
    """Further groups that the user is added to."""
    home: AbsolutePath | None = None
    """The home folder, absolute. A new user's is made; another user's is not moved."""
    shell: AbsolutePath | None = None
    """The program that the user gets at log-in, absolute."""
    system: bool | None = None
    """A new user gets a number from those for system users, and no home folder."""
    comment: Annotated[Line, Field(pattern=r"^[^:]*$", max_length=200)] | None = None
    """What the user is called, for people."""


class UserSection(ModelSection):
    """The section `host.users`."""

    name = "host.users"
    kind = "user"
    model = User
    naming = Naming(NEW_ACCOUNT_PATTERN, ACCOUNT_HINT)

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the user; the groups of `host.groups` that it is in count it among their members."""
        own_groups = scope.names("host.groups")
        desired = {
            key: entry[key] for key in ("uid", "group", "home", "shell", "comment") if entry.get(key) is not None
        }
        others = sorted({group for group in entry.get("groups") or () if group not in own_groups})
        if others:
            desired["groups"] = others
        needs = (f"group.{entry['group']}",) if entry.get("group") in own_groups else ()
        yield Resource(f"user.{name}", self.kind, name, desired, {"system": bool(entry.get("system"))}, needs)


SECTION = UserSection()
