"""Users on the host: of one that was there before only what the spec names is compared, and put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.host.accounts import groups, users
from labspec.kinds.group.dangers import powers
from labspec.kinds.group.steps import AddMember, RemoveMember
from labspec.kinds.journalled import Record, installs, known, needs_root, observed, restoration, update
from labspec.kinds.objects import creation
from labspec.kinds.provider import Reading
from labspec.kinds.user.steps import OPTIONS, AddUser, ChangeUser, RemoveUser, added_to_home

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("uid", Settle.UPDATE),
    Field("group", Settle.UPDATE),
    Field("groups", Settle.UPDATE),
    Field("home", Settle.UPDATE),
    Field("shell", Settle.UPDATE),
    Field("comment", Settle.UPDATE),
)


class UserLive:
    """The live side of users."""

    kind = "user"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the users that are there, and those that labspec has changed even where they are gone."""
        things = known(reading, self.kind)
        if not things:
            return
        people, found = users(), groups()
        for thing in things:
            user = people.get(thing.name)
            entry = dict(thing.entry or {})
            if user is None:
                if thing.owned:
                    yield observed(thing, self.kind, {}, entry=entry, added_to_home=None)
                continue
            wanted = (thing.desired.desired if thing.desired else {}).get("group")
            numbers = {group.gid: group.name for group in found.values()}
            state = {
                "uid": user.uid,
                "group": wanted if wanted == str(user.gid) else numbers.get(user.gid, str(user.gid)),
                "groups": sorted(group.name for group in found.values() if thing.name in group.members),
                "home": user.home,
                "shell": user.shell,
                "comment": user.comment,
            }
            home = added_to_home(entry["home"]) if entry.get("home") else None
            yield observed(thing, self.kind, state, entry=entry, added_to_home=home)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes a user, changes what the spec names of it, or takes that back."""
        if desired is None:
            return _restored(observed, lab) if observed and observed.owned else None
        wanted = list(desired.desired.get("groups", ()))
        group = preview.changes.get(f"group.{desired.desired.get('group')}")
        # A user cannot be made before its first group; the steps are the same as in the group's own change.
        first = group.steps[:2] if group and group.action is Action.CREATE else ()
        if observed is None or not observed.state:
            return creation(
                desired, (*first, AddUser.of(lab.name, desired), *(AddMember(desired.name, name) for name in wanted))
            )
        entry = observed.facts["entry"]
        present = observed.state["groups"]
        added = list(entry.get("added") or ())
        leaving = [name for name in added if name not in wanted and name in present]
        whole = sorted({*wanted, *(name for name in present if name not in leaving)})
        diffs = compare(FIELDS, desired.desired, observed, {"groups": whole})
        new = [name for name in wanted if name not in present]
        more = {
            "added": sorted({*new, *(name for name in added if name in wanted)}),
            **{key: entry[key] for key in ("home", "keeps_group") if key in entry},
        }
        before = observed.facts["before"] if observed.owned else observed.state
        options = tuple(
            (diff.path, str(diff.after)) for diff in diffs if diff.path in OPTIONS and isinstance(diff.after, str | int)
        )
        steps: list[Step] = [*first, Record.of(lab.name, desired, before, **more)]
        steps += [ChangeUser(desired.name, options)] if options else []
        steps += [AddMember(desired.name, name) for name in new]
        steps += [RemoveMember(desired.name, name) for name in leaving]
        change = update(desired, observed, diffs, preview, tuple(steps))
        if change and any(diff.path == "uid" for diff in diffs):
            return change.warned(f"files outside the home that belong to user number {observed.state['uid']} keep it")
        return change

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:  # noqa: ARG002
        """Return a problem for each group that is missing, and each number that another user has."""
        yield from needs_root(changes, lab, "users")
        resources = lab.by_address
        by_number, found = {user.uid: user.name for user in users().values()}, groups()
        numbers = {str(group.gid) for group in found.values()}
        for change in changes:
            resource = resources.get(change.address)
            if resource is None or change.action is Action.DELETE:
                continue
            first = resource.desired.get("group")
            named = [first] if first is not None and f"group.{first}" not in resource.needs else []
            for name in (*named, *resource.desired.get("groups", ())):
                if name not in found and name not in numbers and not installs(lab):
                    message = f"{resource.address}: this host has no group {name}"
                    yield Diagnostic(message, resource.at, f"add it to host.groups: groups: {{{name}: {{}}}}")
            other = by_number.get(resource.desired.get("uid", -1), resource.name)
            if other != resource.name:
                message = f"{resource.address}: the number {resource.desired['uid']} is that of user {other}"
                yield Diagnostic(message, resource.at, "choose another uid, or none")

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: a user is there once it is made."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return a danger for a user that is root, or as good as root by its groups."""
        desired = resource.desired
        if desired.get("uid") == 0:
            yield Danger("root-group", resource.address, f"makes {resource.name} root: it has the number 0")
        for group in dict.fromkeys((desired.get("group", ""), *desired.get("groups", ()))):
            yield from powers(resource.address, group, [resource.name])


def _restored(observed: Observed, lab: Lab) -> Change:
    entry, before = observed.facts["entry"], observed.facts["before"]
    if not before:
        change = restoration(observed, lab, (RemoveUser.of(observed.name, entry),), {})
        extra = observed.facts["added_to_home"]
        return change.warned(f"{entry['home']} stays: {extra} was added to it") if extra else change
    options = tuple(
        (field, str(before[field]))
        for field in OPTIONS
        if field in observed.applied and observed.state and observed.state[field] != before[field]
    )
    added = [name for name in entry.get("added") or () if name in observed.state.get("groups", ())]
    steps: list[Step] = [ChangeUser(observed.name, options)] if options else []
    steps += [RemoveMember(observed.name, name) for name in added]
    return restoration(observed, lab, tuple(steps), _fields(before))


def _fields(before: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: before[field.name] for field in FIELDS if field.name in before}


LIVE = UserLive()
