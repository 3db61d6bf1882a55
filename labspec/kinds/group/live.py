"""Groups on the host: members are added, and only those that labspec added are ever taken out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.host.accounts import groups, users
from labspec.kinds.group.dangers import powers
from labspec.kinds.group.steps import AddGroup, AddMember, RemoveGroup, RemoveMember, SetGroupId
from labspec.kinds.journalled import Known, Record, installs, known, needs_root, observed, restoration, update
from labspec.kinds.objects import creation
from labspec.kinds.provider import Reading
from labspec.kinds.user.steps import RemoveUser

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (Field("gid", Settle.UPDATE), Field("members", Settle.UPDATE))


class GroupLive:
    """The live side of groups."""

    kind = "group"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the groups that are there, and those that labspec has changed even where they are gone."""
        things = known(reading, self.kind)
        if not things:
            return
        found, people = groups(), users()
        for thing in things:
            group = found.get(thing.name)
            added = tuple((thing.entry or {}).get("added") or ())
            leaving = _leaving(thing, reading)
            if group is not None:
                first = sorted(user.name for user in people.values() if user.gid == group.gid)
                state = {"gid": group.gid, "members": sorted(group.members)}
                yield observed(thing, self.kind, state, added=added, first_of=first, leaving=leaving)
            elif thing.owned:
                yield observed(thing, self.kind, {}, added=added, first_of=[], leaving={})

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes a group, adds its members, or takes that back."""
        if desired is None:
            return _restored(observed, lab) if observed and observed.owned else None
        wanted = list(desired.desired.get("members", ()))
        if observed is None or not observed.state:
            make = AddGroup(desired.name, desired.desired.get("gid"), bool(desired.options["system"]))
            record = Record.of(lab.name, desired, {}, added=wanted)
            return creation(desired, (record, make, *(AddMember(user, desired.name) for user in wanted)))
        present = observed.state["members"]
        added = list(observed.facts["added"])
        leaving = [user for user in added if user not in wanted and user in present]
        whole = sorted({*wanted, *(user for user in present if user not in leaving)})
        diffs = compare(FIELDS, desired.desired, observed, {"members": whole})
        new = [user for user in wanted if user not in present]
        added = sorted({*new, *(user for user in added if user in wanted)})
        owned = observed.owned
        before = observed.facts["before"] if owned else {"gid": observed.state["gid"]}
        # Until they are out, the journal goes on saying who is in it because of labspec.
        steps: list[Step] = [Record.of(lab.name, desired, before, added=sorted({*added, *leaving}))]
        steps += [
            SetGroupId(desired.name, diff.after) for diff in diffs if diff.path == "gid" and diff.after is not None
        ]
        steps += [AddMember(user, desired.name) for user in new]
        steps += [RemoveMember(user, desired.name) for user in leaving]
        steps += [Record.of(lab.name, desired, before, added=added)] if leaving else []
        change = update(desired, observed, diffs, preview, tuple(steps))
        if change and any(diff.path == "gid" for diff in diffs):
            return change.warned(f"files that belong to group number {observed.state['gid']} keep that number")
        return change

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:  # noqa: ARG002
        """Return a problem for each member that is no user, and each number that another group has."""
        yield from needs_root(changes, lab, "groups")
        resources = lab.by_address
        people, by_number = users(), {group.gid: group.name for group in groups().values()}
        for change in changes:
            resource = resources.get(change.address)
            if resource is None or change.action is Action.DELETE:
                continue
            for user in resource.desired.get("members", ()):
                if user not in people and f"user.{user}" not in resource.needs and not installs(lab):
                    message = f"{resource.address}: this host has no user {user}"
                    yield Diagnostic(message, resource.at, f"add it to host.users: users: {{{user}: {{}}}}")
            other = by_number.get(resource.desired.get("gid", -1), resource.name)
            if other != resource.name:
                message = f"{resource.address}: the number {resource.desired['gid']} is that of group {other}"
                yield Diagnostic(message, resource.at, "choose another gid, or none")

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: a group is there once it is made."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return a danger for a group whose members are as good as root."""
        members = resource.desired.get("members", ())
        return powers(resource.address, resource.name, members) if members else ()


def _restored(observed: Observed, lab: Lab) -> Change:
    added = [user for user in observed.facts["added"] if user in observed.state.get("members", ())]
    before: dict[str, Any] = observed.facts["before"]
    back: list[Step] = [RemoveMember(user, observed.name) for user in added]
    if before:
        if observed.state and observed.state["gid"] != before["gid"]:
            back.append(SetGroupId(observed.name, before["gid"]))
        rest = [user for user in observed.state.get("members", ()) if user not in added]
        return restoration(observed, lab, tuple(back), {**before, "members": rest})
    others = sorted(
        {*observed.state.get("members", ()), *observed.facts["first_of"]} - {*added, *observed.facts["leaving"]}
    )
    if others:
        change = restoration(observed, lab, tuple(back), {"members": others})
        return change.warned(f"group {observed.name} stays, since others are in it: {', '.join(others)}")
    # A group cannot go before those whose first group it is; the steps are the same as in the users' own removals.
    people = [
        RemoveUser.of(user, entry)
        for user, entry in sorted(observed.facts["leaving"].items())
        if user in observed.facts["first_of"]
    ]
    return restoration(observed, lab, (*back, *people, RemoveGroup(observed.name)), {})


def _leaving(thing: Known, reading: Reading) -> dict[str, Any]:
    """Return the journal's entries, by name, of the users that labspec made and that go when the group goes."""
    wanted = reading.lab.by_address
    return {
        str(entry["name"]): entry
        for address, entry in reading.journal.items()
        if entry.get("kind") == "user" and not entry.get("before") and (thing.desired or address not in wanted)
    }


LIVE = GroupLive()
