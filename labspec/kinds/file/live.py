"""Files on the host: only those that the spec names or labspec has changed are looked at."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic, LabError
from labspec.core.diff import Field, Settle, compare, digest
from labspec.core.resource import Lab, Observed, Resource
from labspec.host.accounts import groups, users
from labspec.host.paths import MissingFolderError, anchored
from labspec.host.system import FileState
from labspec.kinds.file.content import content_text, hidden_text
from labspec.kinds.file.dangers import dangers
from labspec.kinds.file.steps import KeepCopy, RestoreFile, WriteFile, group_number, user_number
from labspec.kinds.journalled import (
    Known,
    Record,
    as_found,
    installs,
    known,
    needs_root,
    observed,
    restoration,
    update,
)
from labspec.kinds.objects import creation
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("content", Settle.UPDATE),
    Field("mode", Settle.UPDATE),
    Field("owner", Settle.UPDATE),
    Field("group", Settle.UPDATE),
)
FRESH = {"mode": "0644", "owner": "root", "group": "root"}
"""What a new file is where the spec says nothing."""


class FileLive:
    """The live side of files."""

    kind = "file"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the files that are there, and those that labspec has changed even where they are gone."""
        for thing in known(reading, self.kind):
            now = _read(thing, reading.host)
            if now is not None:
                was = _saved(now)
                back = was["base64"] == thing.before.get("base64")
                foreign = not back and digest(content_text(now.content)) != thing.applied.get("content")
                yield observed(thing, self.kind, _state(now, thing), FRESH, was=was, foreign=foreign)
            elif thing.owned:
                yield observed(thing, self.kind, {}, foreign=False)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what writes a file, or puts it back as it was."""
        if desired is None:
            return _restored(observed, lab) if observed and observed.owned else None
        if observed is None or not observed.state:
            return creation(desired, (Record.of(lab.name, desired, {}), _write(desired, {})))
        diffs = compare(FIELDS, desired.desired, observed)
        before = observed.facts["before"] or observed.facts["was"]
        steps = (Record.of(lab.name, desired, before), _write(desired, observed.defaults))
        return update(desired, observed, diffs, preview, steps)

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:  # noqa: ARG002
        """Return a problem for each file whose folder is missing or leads elsewhere, and whose owner is missing."""
        yield from needs_root(changes, lab, "files of the host")
        resources = lab.by_address
        for change in changes:
            resource = resources.get(change.address)
            if resource is not None and change.action is not Action.DELETE:
                yield from _in_the_way(resource, lab)

    def as_found(self, resource: Resource, before: Mapping[str, Any], host: Host) -> Resource | None:
        """Return a file of the lab as it is on the host, byte for byte; None where it is gone."""
        with anchored(resource.name) as path:
            now = host.system.read(path)
        if now is None:
            return None
        found = as_found(resource, {**before, "content": content_text(now.content)}, {})
        return found._replace(options={**resource.options, "base64": base64.b64encode(now.content).decode()})

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: a file is there once it is written."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return a danger for a file that decides who is root, or what runs as root."""
        return dangers(resource)


def _read(thing: Known, host: Host) -> FileState | None:
    """Return a file, or None where there is none.

    Raises LabError for what could not be put back; in the place of a file of its own labspec takes anything.
    """
    try:
        with anchored(thing.name) as path:
            return host.system.read(path)
    except MissingFolderError:
        return None
    except LabError:
        if thing.owned:
            return None
        raise


def _state(now: FileState, thing: Known) -> dict[str, Any]:
    text = content_text(now.content)
    wanted = thing.desired.desired if thing.desired else {}
    if not int(now.mode, 8) & 0o004 and text != wanted.get("content"):
        text = hidden_text(now.content)
    owner, group = wanted.get("owner"), wanted.get("group")
    return {
        "content": text,
        "mode": now.mode,
        "owner": owner if owner is not None and _is_user(owner, now.uid) else _user(now.uid),
        "group": group if group is not None and _is_group(group, now.gid) else _group(now.gid),
    }


def _saved(now: FileState) -> dict[str, Any]:
    """Return a file as the journal keeps it; `owner` and `group` are what they are called, for the eye."""
    return {
        "base64": base64.b64encode(now.content).decode(),
        "mode": now.mode,
        "uid": now.uid,
        "gid": now.gid,
        "owner": _user(now.uid),
        "group": _group(now.gid),
    }


def _is_user(name: str, uid: int) -> bool:
    with suppress(LabError):
        return user_number(name) == uid
    return False


def _is_group(name: str, gid: int) -> bool:
    with suppress(LabError):
        return group_number(name) == gid
    return False


def _user(uid: int) -> str:
    return next((user.name for user in users().values() if user.uid == uid), str(uid))


def _group(gid: int) -> str:
    return next((group.name for group in groups().values() if group.gid == gid), str(gid))


def _write(desired: Resource, defaults: Any) -> WriteFile:
    """Return the step that writes a file; `defaults` is what a field was that the spec no longer has."""
    fields = {**{key: defaults[key] for key in ("mode", "owner", "group") if key in defaults}, **desired.desired}
    encoded = desired.options.get("base64")
    content = base64.b64decode(encoded) if encoded else str(fields["content"]).encode()
    return WriteFile(desired.name, content, fields.get("mode"), fields.get("owner"), fields.get("group"))


def _restored(observed: Observed, lab: Lab) -> Change:
    before = observed.facts["before"]
    step = RestoreFile(observed.name)
    if before:
        step = RestoreFile(observed.name, before["base64"], before["mode"], before["uid"], before["gid"])
    after = {key: before[key] for key in ("mode", "owner", "group") if key in before}
    if not observed.facts["foreign"]:
        return restoration(observed, lab, (step,), after)
    change = restoration(observed, lab, (KeepCopy(lab.name, observed.name), step), after)
    return change.warned(f"somebody has changed {observed.name} since; a copy is kept in labspec's state folder")


def _in_the_way(resource: Resource, lab: Lab) -> Iterable[Diagnostic]:
    try:
        with anchored(resource.name):
            pass
    except MissingFolderError:
        pass  # it is made
    except LabError as error:
        yield Diagnostic(f"{resource.address}: {error.diagnostics[0].message}", resource.at, error.diagnostics[0].hint)
    for key, number in (("owner", user_number), ("group", group_number)):
        name = resource.desired.get(key)
        if (
            name is not None
            and f"{'user' if key == 'owner' else key}.{name}" not in resource.needs
            and not installs(lab)
        ):
            try:
                number(name)
            except LabError as error:
                found = error.diagnostics[0]
                yield Diagnostic(f"{resource.address}: {found.message}", resource.at, found.hint)


LIVE = FileLive()
