"""file: a file of the host, or of something of the lab, read from outside."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from labspec.checks.files import Found, found_at
from labspec.checks.keys import FLAG, HOST, MATCH, PATH, PLACE, SIZES, Key
from labspec.checks.kind import Finding, Kind, What, judged

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.core.resource import Resource

KEYS = (
    Key("path", PATH, "The file, as it is called there.", required=True, secret=False),
    Key("in", PLACE, "Whose file it is; host where it is not given.", secret=False),
    Key("exists", FLAG, "Whether it is there at all; true where it is not given."),
    Key("type", MATCH, "file, directory, symlink, socket, pipe or device."),
    Key("target", MATCH, "Where the symlink leads; the link is then looked at itself."),
    Key("content", MATCH, "The text in it."),
    Key("mode", MATCH, 'Its permissions, as four octal digits: "0644".'),
    Key("owner", MATCH, "The user that owns it, by name, or number where it has none; as it is seen there."),
    Key("group", MATCH, "The group that owns it, likewise."),
    Key("size", SIZES, "Its size in bytes."),
)
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield what of the file is not as it should be."""
    wanted = what.get("exists", True)
    on_link = "target" in what or what.get("type") == {"equals": "symlink"}
    try:
        found = found_at(what["path"], what["in"], view, follow=not on_link, with_content="content" in what)
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
        if wanted:
            yield Finding(what["path"], "a file", "nothing")
        return
    if not wanted:
        yield Finding(what["path"], "nothing", f"a {found.type}")
        return
    yield from _judged(what, found)


def _judged(what: What, found: Found) -> Iterator[Finding]:
    yield from judged("type", what.get("type"), found.type)
    yield from judged("target", what.get("target"), found.target)
    yield from judged("content", what.get("content"), found.content)
    yield from judged("mode", what.get("mode"), f"{stat.S_IMODE(found.mode):04o}")
    yield from judged("owner", what.get("owner"), found.owner)
    yield from judged("group", what.get("group"), found.group)
    yield from judged("size", what.get("size"), found.size)


def related(what: What, resources: Iterable[Resource]) -> Iterable[str]:
    """Return the lab's own file at that path of the host."""
    if what["in"] != HOST:
        return ()
    return [resource.address for resource in resources if resource.kind == "file" and resource.name == what["path"]]


KIND = Kind("file", "A file.", KEYS, look, related, ("volumes", "tmpfs", "configs", "secrets"))
