"""What a spec may say of a file of the host: its content, or a file of the lab, with permissions and owner."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

from labspec.core.resource import Resource
from labspec.kinds.file.content import content_text, is_text
from labspec.kinds.group.model import Account
from labspec.kinds.provider import Naming, Scope
from labspec.kinds.section import Line, ModelSection, Text

PATH_PATTERN = r"^(/(?!\.{1,2}(/|$))[^/\x00-\x1f\x7f-\x9f]+)+$"
MODE_PATTERN = "^0?[0-7]{3,4}$"
_LONGEST_PATH = 1024
_LARGEST = 4 * 1024 * 1024
_NOT_FILES = ("/proc", "/sys", "/dev", "/run/labspec", "/var/lib/labspec", "/var/lib/docker")
"""Trees that are no files, or somebody's own."""


def _mode(value: str) -> str:
    if not re.fullmatch(MODE_PATTERN[1:-1], value):
        raise ValueError(f'{value!r} is no mode: write it in octal, such as "0644"')
    return value


Mode = Annotated[str, AfterValidator(_mode), WithJsonSchema({"type": "string", "pattern": MODE_PATTERN})]


class File(BaseModel):
    """A file of the host. What was there before is put back when it leaves the spec."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"content": "Welcome to the lab.\n", "mode": "0644"}]},
    )

    content: Text | None = None
    """What the file holds, to the letter."""
    src: Line | None = None
    """The file of the lab whose content it gets, for one that is long or not text."""
    mode: Mode | None = None
    """The permissions, in octal: "0644", which a new file has where nothing is said."""
    owner: Account | None = None
    """The user that owns it: a name or number. A new file is root's where nothing is said."""
    group: Account | None = None
    """The group that owns it: a name or number."""


class FileSection(ModelSection):
    """The section `host.files`."""

    name = "host.files"
    kind = "file"
    model = File
    naming = Naming(PATH_PATTERN, "write the absolute path of a file, without '.', '..' or '//' in it")

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the file, with the content that it should have."""
        path = (self.name, name)
        if len(name) > _LONGEST_PATH or any(name == tree or name.startswith(f"{tree}/") for tree in _NOT_FILES):
            scope.error(path, f"{name} is no place for a lab's files", key=True)
            return
        if (entry.get("content") is None) == (entry.get("src") is None):
            said = "both 'content' and 'src'" if entry.get("src") is not None else "neither 'content' nor 'src'"
            scope.error(path, f"file '{name}' has {said}", "write one of the two", key=True)
            return
        content = self._content(name, entry, scope)
        if content is None:
            return
        if len(content) > _LARGEST:
            scope.error(path, f"file '{name}' is larger than {_LARGEST} bytes", "put it into an image", key=True)
            return
        desired: dict[str, Any] = {"content": content_text(content)}
        if entry.get("mode") is not None:
            desired["mode"] = f"{int(entry['mode'], 8):04o}"
        needs = []
        for key, section, kind in (("owner", "host.users", "user"), ("group", "host.groups", "group")):
            if entry.get(key) is not None:
                desired[key] = entry[key]
                needs += [f"{kind}.{entry[key]}"] if entry[key] in scope.names(section) else []
        options = {} if is_text(content) else {"base64": base64.b64encode(content).decode()}
        yield Resource(f"file.{name}", self.kind, name, desired, options, tuple(needs))

    def _content(self, name: str, entry: Any, scope: Scope) -> bytes | None:
        if entry.get("src") is None:
            return str(entry["content"]).encode()
        found = scope.file((self.name, name, "src"), entry["src"])
        return scope.read(found) if found else None


SECTION = FileSection()
