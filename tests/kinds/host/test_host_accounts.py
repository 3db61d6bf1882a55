"""What users and groups need, decided from what is wanted and what is there: each decision as readable text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from groundwork import lab_of, told

from labspec.core.change import Preview
from labspec.core.diff import digests
from labspec.core.resource import Observed, Resource
from labspec.kinds.group.live import LIVE as GROUPS
from labspec.kinds.journalled import as_found
from labspec.kinds.user.live import LIVE as USERS
from labspec.kinds.user.steps import AddUser, RemoveUser, added_to_home, remove_home

RECORD = "- remember what group.docker was, to put it back later"
VAGRANT = {"uid": 1000, "group": "vagrant", "groups": [], "home": "/home/vagrant", "shell": "/bin/sh", "comment": ""}


def group(**desired: Any) -> Resource:
    return Resource("group.docker", "group", "docker", desired, {"system": False})


def there(members: list[str], gid: int = 999, **more: Any) -> Observed:
    """Return the group as found; `added` and `before` are what the journal says, `applied` what it asked for last."""
    facts = {"added": more.pop("added", []), "first_of": [], "leaving": {}, "before": {}, **more}
    applied = digests(facts.pop("applied", {}))
    owned = facts.pop("owned", bool(facts["added"]))
    state = {"gid": gid, "members": members}
    return Observed("group.docker", "group", "", "docker", state, applied, owned=owned, facts=facts)


@pytest.mark.parametrize(
    ("desired", "found", "expected"),
    [
        (group(), None, ["+ not on this host", RECORD, "- groupadd -- docker"]),
        (
            group(members=["bob", "eve"], gid=70),
            None,
            [
                "+ not on this host",
                RECORD,
                "- groupadd --gid 70 -- docker",
                "- usermod --append --groups docker bob",
                "- usermod --append --groups docker eve",
            ],
        ),
        (group(members=["bob"]), there(["amy", "bob"]), ["nothing"]),
        (
            group(members=["bob"]),
            there(["amy"]),
            [
                "~ differs from the spec",
                "members: ['amy'] -> ['amy', 'bob'] (spec changed)",
                RECORD,
                "- usermod --append --groups docker bob",
            ],
        ),
        (
            group(members=["bob"]),
            there(["amy"], added=["bob"], applied={"members": ["bob"]}, before={"gid": 999}),
            [
                "~ members changed on the host",
                "members: ['amy'] -> ['amy', 'bob'] (changed on the host)",
                RECORD,
                "- usermod --append --groups docker bob",
            ],
        ),
        (
            group(members=["eve"]),
            there(["amy", "bob"], added=["bob"], applied={"members": ["bob"]}, before={"gid": 999}),
            [
                "~ members changed in the spec",
                "members: ['amy', 'bob'] -> ['amy', 'eve'] (spec changed)",
                RECORD,
                "- usermod --append --groups docker eve",
                "- gpasswd --delete bob docker",
                RECORD,
            ],
        ),
        (
            group(),
            there(["amy", "bob"], added=["bob"], applied={"members": ["bob"]}, before={"gid": 999}),
            [
                "~ members left the spec",
                "members: ['amy', 'bob'] -> ['amy'] (no longer in the spec)",
                RECORD,
                "- gpasswd --delete bob docker",
                RECORD,
            ],
        ),
        (
            group(gid=70),
            there([]),
            [
                "~ differs from the spec",
                "gid: 999 -> 70 (spec changed)",
                RECORD,
                "- groupmod --gid 70 docker",
                "! files that belong to group number 999 keep that number",
            ],
        ),
        (None, there(["amy"], owned=False), ["nothing"]),
        (
            None,
            there(["amy", "bob"], added=["bob"], before={"gid": 70}),
            [
                "- no longer in the spec",
                "- gpasswd --delete bob docker",
                "- groupmod --gid 70 docker",
                "- forget group.docker: it is as it was before",
            ],
        ),
        (
            None,
            there(["bob"], added=["bob"], owned=True),
            [
                "- no longer in the spec",
                "- gpasswd --delete bob docker",
                "- groupdel docker",
                "- forget group.docker: it is as it was before",
            ],
        ),
        (
            None,
            there(["amy"], owned=True, first_of=["eve"]),
            [
                "- no longer in the spec",
                "- forget group.docker: it is as it was before",
                "! group docker stays, since others are in it: amy, eve",
            ],
        ),
        (
            None,
            there([], owned=True, first_of=["eve"], leaving={"eve": {"home": None}}),
            [
                "- no longer in the spec",
                "- userdel eve",
                "- groupdel docker",
                "- forget group.docker: it is as it was before",
            ],
        ),
    ],
)
def test_groups(desired: Resource | None, found: Observed | None, expected: list[str]) -> None:
    lab = lab_of(*([desired] if desired else []))
    assert told(GROUPS.change(desired, found, Preview(), lab)) == expected


def test_the_journal_says_who_was_added() -> None:
    desired = group(members=["amy", "bob", "eve"])
    found = there(["amy", "eve"], added=["eve"], applied={"members": ["eve"]}, before={"gid": 999})
    change = GROUPS.change(desired, found, Preview(), lab_of(desired))
    assert change is not None
    entry = json.loads(vars(change.steps[0])["entry"])
    assert (entry["added"], entry["before"], entry["kind"]) == (["bob", "eve"], {"gid": 999}, "group")


def user(options: dict[str, Any] | None = None, **desired: Any) -> Resource:
    return Resource("user.vagrant", "user", "vagrant", fields(desired), {"system": False, **(options or {})})


def fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return fields by name; `login` is the shell, which ruff takes for something else."""
    return {"shell" if name == "login" else name: value for name, value in given.items()}


def person(owned: bool = True, applied: dict[str, Any] | None = None, **more: Any) -> Observed:
    """Return the user as found; `entry` is the journal's."""
    entry = more.pop("entry", {})
    before = entry.get("before", {})
    facts = {"entry": entry, "added_to_home": more.pop("added_to_home", None), "before": before}
    defaults = {field: value for field, value in before.items() if field in (applied or {})}
    state = {**VAGRANT, **fields(more)}
    return Observed(
        "user.vagrant", "user", "", "vagrant", state, digests(applied or {}), defaults, owned=owned, facts=facts
    )


REMEMBER = "- remember what user.vagrant was, to put it back later"
FORGET = "- forget user.vagrant: it is as it was before"


@pytest.mark.parametrize(
    ("desired", "found", "expected"),
    [
        (user(), None, ["+ not on this host", "- useradd --create-home --user-group -- vagrant"]),
        (
            user({"system": True}, uid=70, group="web", home="/srv", login="/bin/sh", comment="W", groups=["adm"]),
            None,
            [
                "+ not on this host",
                "- useradd --system --no-create-home --uid 70 --gid web --home-dir /srv --shell /bin/sh --comment W "
                "-- vagrant",
                "- usermod --append --groups adm vagrant",
            ],
        ),
        (user(), person(owned=False), ["nothing"]),
        (user(login="/bin/sh", uid=1000), person(owned=False), ["nothing"]),
        (
            user(login="/bin/bash", groups=["adm"]),
            person(owned=False, groups=["games"]),
            [
                "~ differs from the spec",
                "groups: ['games'] -> ['adm', 'games'] (spec changed)",
                "shell: '/bin/sh' -> '/bin/bash' (spec changed)",
                REMEMBER,
                "- usermod --shell /bin/bash -- vagrant",
                "- usermod --append --groups adm vagrant",
            ],
        ),
        (
            user(),
            person(applied={"shell": "/bin/bash"}, login="/bin/bash", entry={"before": VAGRANT}),
            [
                "~ shell left the spec",
                "shell: '/bin/bash' -> '/bin/sh' (no longer in the spec)",
                REMEMBER,
                "- usermod --shell /bin/sh -- vagrant",
            ],
        ),
        (None, person(owned=False), ["nothing"]),
        (
            None,
            person(applied={"shell": "/b"}, login="/b", groups=["adm"], entry={"before": VAGRANT, "added": ["adm"]}),
            [
                "- no longer in the spec",
                "- usermod --shell /bin/sh -- vagrant",
                "- gpasswd --delete vagrant adm",
                FORGET,
            ],
        ),
        (
            None,
            person(entry={"home": "/home/vagrant"}),
            ["- no longer in the spec", "- userdel vagrant, and /home/vagrant if nothing was added to it", FORGET],
        ),
        (
            None,
            person(entry={"home": "/home/vagrant"}, added_to_home="/home/vagrant/x"),
            [
                "- no longer in the spec",
                "- userdel vagrant, and /home/vagrant if nothing was added to it",
                FORGET,
                "! /home/vagrant stays: /home/vagrant/x was added to it",
            ],
        ),
    ],
)
def test_users(desired: Resource | None, found: Observed | None, expected: list[str]) -> None:
    lab = lab_of(*([desired] if desired else []))
    assert told(USERS.change(desired, found, Preview(), lab)) == expected


def test_a_user_waits_for_its_first_group_by_the_same_steps() -> None:
    first = group()
    made = GROUPS.change(first, None, Preview(), lab_of(first))
    assert made is not None
    change = USERS.change(user(group="docker"), None, Preview({"group.docker": made}), lab_of())
    assert change is not None
    assert change.steps[:2] == made.steps
    assert isinstance(change.steps[2], AddUser)


def test_the_step_that_removes_a_user_is_the_same_for_its_group() -> None:
    entry = {"home": "/home/eve", "keeps_group": True}
    assert RemoveUser.of("eve", entry) == RemoveUser("eve", "/home/eve", keeps_group=True)


def test_a_home_goes_only_as_it_was_made(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    skeleton, home = tmp_path / "skel", tmp_path / "home"
    monkeypatch.setattr("labspec.kinds.user.steps.SKELETON", str(skeleton))
    for folder in (skeleton, home):
        (folder / "inner").mkdir(parents=True)
        (folder / ".profile").write_text("as new")
    assert added_to_home(str(home)) is None
    (home / "inner" / "mine").write_text("")
    assert added_to_home(str(home)) == f"{home}/inner/mine"
    (home / "inner" / "mine").unlink()
    (home / ".profile").write_text("changed")
    assert added_to_home(str(home)) == f"{home}/.profile"
    (home / ".profile").write_text("as new")
    remove_home(str(home))
    assert not home.exists()
    assert added_to_home(str(home)) is None
    home.symlink_to("/etc")
    assert added_to_home(str(home)) == str(home)


@pytest.mark.parametrize(
    ("live", "resource", "names"),
    [
        (GROUPS, group(members=["bob"]), ["docker-group"]),
        (GROUPS, group(), []),
        (GROUPS, Resource("group.sudo", "group", "sudo", {"members": ["bob"]}), ["root-group"]),
        (GROUPS, Resource("group.web", "group", "web", {"members": ["bob"]}), []),
        (USERS, user(groups=["docker", "adm"]), ["docker-group", "root-group"]),
        (USERS, user(group="docker"), ["docker-group"]),
        (USERS, user(uid=0), ["root-group"]),
        (USERS, user(uid=1000), []),
    ],
)
def test_dangers(live: Any, resource: Resource, names: list[str]) -> None:
    assert [danger.name for danger in live.dangers(resource)] == names


def test_a_group_is_put_back_with_the_members_that_the_lab_has_in_it() -> None:
    before = {"gid": 999, "members": ["amy", "bob", "eve"]}
    wanted = group(members=["bob", "dan"])
    assert as_found(wanted, before, {}).desired == {"members": ["bob"]}
    assert as_found(wanted, before, {"added": ["bob", "eve"]}).desired == {"members": ["bob", "eve"]}
