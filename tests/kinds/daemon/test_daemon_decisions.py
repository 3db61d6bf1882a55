"""Decisions on the daemon, as text: what is planned, in which steps, with which warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from labspec.core.change import Change, Preview
from labspec.core.diff import digests
from labspec.core.resource import Lab, Observed, Resource
from labspec.engine.planner import plan
from labspec.host.system import FileState
from labspec.kinds.daemon.accounts import missing_range
from labspec.kinds.daemon.carry import bases
from labspec.kinds.daemon.live import LIVE
from labspec.kinds.daemon.record import edited, kept, mark, original, remembered, settled
from labspec.kinds.daemon.service import service_change
from labspec.kinds.daemon.settings import settings_change
from labspec.kinds.daemon.trial import uncopied

if TYPE_CHECKING:
    from labspec.host.host import Host

PATH = "/etc/docker/daemon.json"


def resource(files: dict[str, str] | None = None, **settings: Any) -> Resource:
    desired = {"settings": {key.replace("_", "-"): value for key, value in settings.items()}}
    return Resource("daemon.settings", "daemon", "daemon.json", {**desired, **({"files": files} if files else {})})


def found(
    state: dict[str, Any], applied: Resource | None = None, previous: dict[str, Any] | None = None, **facts: Any
) -> Observed:
    usual = {"unit": True, "live_restore": False, "mortal": [], "lasting": [], "pending": ""}
    usual |= {"kept": [], "carried": [], "made": ""}
    keys = sorted(applied.desired["settings"]) if applied else []
    return Observed(
        "daemon.settings",
        "daemon",
        PATH,
        PATH,
        {"files": {}, **state},
        digests(applied.desired) if applied else {},
        owned=applied is not None,
        facts={**usual, "keys": keys, "previous": previous or {}, **facts},
    )


def decided(desired: Resource | None, observed: Observed) -> Change | None:
    return settings_change(desired, observed, Preview(), Lab("tp", "/lab", "/lab/lab.yaml"))


def text(change: Change | None) -> list[str]:
    if change is None:
        return []
    diffs = [f"{diff.path}: {diff.before!r} -> {diff.after!r}" for diff in change.diffs]
    return [f"{change.action.value} {change.reason}", *diffs, *map(str, change.steps), *change.warnings]


def test_a_key_that_reloads() -> None:
    assert text(decided(resource(debug=True), found({"settings": {"debug": False}}))) == [
        "~ settings.debug changed in the spec; Docker reloads its settings, containers go on",
        "settings.debug: False -> True",
        f"try the new {PATH} with a second Docker daemon, apart from the running one",
        f"arm a timer of systemd that puts {PATH} back if labspec is cut off",
        f"write {PATH}: set debug",
        "have Docker reload its settings (SIGHUP); containers go on",
    ]


def test_a_key_that_needs_a_restart_and_what_that_does() -> None:
    observed = found({"settings": {}}, mortal=["web"], lasting=["db"])
    assert text(decided(resource(debug=True, mtu=1400), observed)) == [
        "~ settings.debug, settings.mtu changed in the spec; Docker is restarted for mtu",
        "settings.debug: (unset) -> True",
        "settings.mtu: (unset) -> 1400",
        f"try the new {PATH} with a second Docker daemon, apart from the running one",
        f"arm a timer of systemd that puts {PATH} back if labspec is cut off",
        f"write {PATH}: set debug, mtu",
        "restart Docker (mtu needs it), run a container to see that it works, and start web again",
        "the restart stops these containers, and labspec starts them again: web",
        "the restart interrupts these containers: db",
    ]


def test_with_live_restore_containers_go_on() -> None:
    change = decided(resource(mtu=1400), found({"settings": {}}, mortal=["web"], live_restore=True))
    assert change is not None
    assert change.warnings == ()
    assert str(change.steps[-1]).endswith("run a container to see that it works")


def test_containers_of_a_data_root_that_is_left_stop() -> None:
    change = decided(resource(data_root="/srv/docker"), found({"settings": {}}, mortal=["web"], lasting=["db"]))
    assert change is not None
    assert change.empties
    assert change.warnings[0] == "these containers stop: db, web"
    assert "again" not in str(change.steps[-1])


def test_what_is_as_asked_is_left_alone() -> None:
    asked = resource(debug=True)
    assert decided(asked, found({"settings": {"debug": True}}, asked)) is None
    assert decided(asked, found({"settings": {"debug": True}})) is None


def test_an_edit_by_hand_is_drift() -> None:
    asked = resource(debug=True)
    change = decided(asked, found({"settings": {"debug": False}}, asked))
    assert text(change)[0].startswith("~ settings.debug changed on the host")


def test_a_dropped_key_goes_back_to_what_it_was() -> None:
    before = resource(debug=True, mtu=1400)
    observed = found({"settings": {"debug": True, "mtu": 1400}}, before, {"mtu": 1300})
    said = text(decided(resource(debug=True), observed))
    assert said[1] == "settings.mtu: 1400 -> 1300"
    assert f"write {PATH}: set debug, take back mtu" in said


def test_a_dropped_key_that_a_reload_leaves_in_force_is_a_restart() -> None:
    before = resource(labels=["a=b"], features={"x": True})
    observed = found({"settings": {"labels": ["a=b"], "features": {"x": True}}}, before)
    change = decided(resource(labels=["a=b"]), observed)
    assert "Docker reloads" in text(change)[0]
    change = decided(resource(features={"x": True}), observed)
    assert "Docker is restarted for labels" in text(change)[0]


def test_what_docker_has_not_read_yet_is_still_to_do() -> None:
    asked = resource(mtu=1400)
    change = decided(asked, found({"settings": {"mtu": 1400}}, asked, pending="restart"))
    assert text(change)[0] == "~ Docker has not read it yet; Docker is restarted"
    assert not any("write" in line for line in text(change))


def test_another_profile_text_is_a_restart() -> None:
    place = "/etc/docker/labspec-tp-p.json"
    asked = resource({place: "new"}, seccomp_profile=place)
    observed = found({"settings": {"seccomp-profile": place}, "files": {place: "old"}}, asked)
    assert text(decided(asked, observed))[0].endswith("Docker is restarted for seccomp-profile")


def test_a_removal_puts_back_without_a_trial() -> None:
    asked = resource(debug=True)
    assert text(decided(None, found({"settings": {"debug": True}}, asked))) == [
        "- no longer in the spec; Docker is restarted for debug",
        "settings.debug: True -> (unset)",
        f"arm a timer of systemd that puts {PATH} back if labspec is cut off",
        f"put {PATH} back as it was",
        "restart Docker (debug needs it), run a container to see that it works",
    ]
    nothing_left = text(decided(None, found({"settings": {}}, asked)))
    assert nothing_left == ["- no longer in the spec", f"put {PATH} back as it was"]
    assert decided(None, found({"settings": {}})) is None


def test_a_remapped_daemon_is_empty_for_all_that_comes_after() -> None:
    volume = Resource("volume.v", "volume", "tp_v", {}, {"key": "v", "compose": {}, "external": False}, project="tp")
    there = Observed("volume.v", "volume", "tp_v", "tp_v", {"driver": "local", "options": {}, "labels": {}}, {})
    old = Observed("volume.old", "volume", "tp_old", "tp_old", {"driver": "local", "options": {}, "labels": {}}, {})
    lab = Lab("tp", "/lab", "/lab/lab.yaml", (volume, resource(userns_remap="vagrant")))
    observed = {item.address: item for item in (found({"settings": {}}), there, old)}
    made = plan(lab, observed)
    assert [f"{change.action.value} {change.address}: {change.reason}" for change in made.changes] == [
        "~ daemon.settings: settings.userns-remap changed in the spec; Docker is restarted for userns-remap",
        "+ volume.v: Docker's data moves, and it is not at the new place",
    ]
    assert str(made.changes[0].steps[0]).startswith("give vagrant subordinate ids")
    assert any("disappear" in warning for warning in made.changes[0].warnings)
    settled_daemon = found({"settings": {"userns-remap": "vagrant"}}, resource(userns_remap="vagrant"))
    after = plan(lab, {"daemon.settings": settled_daemon})
    assert [change.reason for change in after.changes] == ["not on this host"]


def test_the_images_that_a_lab_starts_from_come_along() -> None:
    built = "FROM debian:12 AS build\nRUN true\nFROM tp/base\nCOPY --from=build /a /a\nCOPY --from=tools:1 /b /b\n"
    images = (
        Resource("image.base", "image", "tp/base:latest", {"dockerfile": "ARG D=12\nFROM debian:${D}-slim\n"}),
        Resource("image.b", "image", "tp/b:latest", {"dockerfile": built}),
        Resource("image.a", "image", "tp/a:latest", {"archive": "x"}),
        Resource("image.c", "image", "shop/base:3", {"tag": "shop/base:3"}, {"external": True}),
    )
    users = (
        Resource("service.a", "service", "a", {}, {"image": "tp/b:latest", "image_address": "image.b"}),
        Resource("service.b", "service", "b", {}, {"image": "redis", "image_address": ""}),
        Resource("service.c", "service", "c", {}, {"image": "redis@sha256:" + "0" * 64, "image_address": ""}),
        Resource("bundle.a", "bundle", "a", {"image": "busybox"}, {"image_address": ""}),
        Resource("machine.a", "machine", "a", {"image": "docker.io/library/fedora:40"}, {"image_address": ""}),
    )
    lab = Lab("tp", "/lab", "/lab/lab.yaml", (*images, *users))
    wanted = ("busybox:latest", "debian:12", "debian:12-slim", "fedora:40", "redis:latest", "shop/base:3", "tools:1")
    assert bases(lab) == wanted
    change = settings_change(resource(userns_remap="vagrant"), found({"settings": {}}), Preview(), lab)
    said = text(change)
    keep, load = (next(line for line in said if line.startswith(word)) for word in ("keep", "load"))
    assert keep == f"keep {', '.join(wanted)} for Docker's new place, if it has them"
    restart = next(line for line in said if line.startswith("restart Docker"))
    assert said.index(keep) < said.index(f"write {PATH}: set userns-remap") < said.index(restart) < said.index(load)


def test_images_that_were_not_loaded_before_labspec_was_killed_are_loaded_next_time() -> None:
    asked = resource(userns_remap="vagrant")
    change = decided(asked, found({"settings": {"userns-remap": "vagrant"}}, asked, kept=["debian:12"]))
    assert text(change) == ["~ images that were to come along are not loaded yet", "load debian:12 again"]


def test_what_came_along_goes_before_docker_leaves() -> None:
    asked = resource(userns_remap="vagrant")
    observed = found({"settings": {"userns-remap": "vagrant"}}, asked, carried=["debian:12"], made="/d/1.1")
    said = text(decided(None, observed))
    assert said[2] == "remove debian:12 again, which came along"
    assert "look what Docker has here" in text(decided(None, found(dict(observed.state), asked, made="/d/1.1")))
    plain = resource(mtu=1400)
    assert not any("came along" in line for line in text(decided(None, found({"settings": {"mtu": 1400}}, plain))))


@pytest.mark.parametrize(
    ("content", "names", "line"),
    [
        ("", ("lab", "1000"), "lab:100000:65536\n"),
        ("a:100000:65536\n", ("lab", "1000"), "lab:165536:65536\n"),
        ("a:100000:65536", ("lab", "1000"), "\nlab:165536:65536\n"),
        ("lab:5:6\n", ("lab", "1000"), None),
        ("1000:5:6\n", ("lab", "1000"), None),
        ("labx:300000:10\n", ("lab", "1000"), "lab:300010:65536\n"),
    ],
)
def test_a_range_of_ids_comes_behind_all_others(content: str, names: tuple[str, ...], line: str | None) -> None:
    assert missing_range(content, names) == line


def file(text: str) -> FileState:
    return FileState(text.encode(), "0644", 0, 0)


def test_the_very_file_of_before_comes_back_and_what_others_did_meanwhile_stays() -> None:
    before = file('{"a":1 , "debug":false}')
    content = edited(before, PATH, {"debug": True, "mtu": 1}, (), {})
    entry = remembered({}, before, PATH, {"debug": True, "mtu": 1}, content, {})
    assert entry["previous"] == {"debug": "false", "mtu": None}
    assert original(file(content.decode()), PATH, entry) == before
    by_hand = file(content.decode().replace('"a":1', '"a":2'))
    assert original(by_hand, PATH, entry) == file('{"a":2 , "debug":false}')


def test_a_second_edit_keeps_the_first_original_and_takes_over_what_others_did() -> None:
    before = file('{"a": 1}')
    first = edited(before, PATH, {"mtu": 1}, (), {})
    entry = remembered({}, before, PATH, {"mtu": 1}, first, {})
    touched = file(first.decode().replace('"a": 1', '"a": 5'))
    second = edited(touched, PATH, {"debug": True}, ("mtu",), entry)
    assert second == b'{"a": 5, "debug": true}'
    later = remembered(entry, touched, PATH, {"debug": True}, second, {})
    assert later["keys"] == ["debug", "mtu"]
    done = settled(later, {"settings": {"debug": True}})
    assert (done["keys"], done["previous"]) == (["debug"], {"debug": None})
    assert original(file(second.decode()), PATH, done) == file('{"a": 5}')


def test_a_file_of_which_nothing_is_left_goes_where_there_was_none() -> None:
    was = file('{"mtu": 1}')
    entries = [remembered({}, before, PATH, {"mtu": 1}, b'{"mtu": 1}', {}) for before in (None, was)]
    assert [edited(was, PATH, {}, ("mtu",), entry) for entry in entries] == [None, was.content]
    assert [edited(None, PATH, {}, (), entry) for entry in ({}, *entries)] == [None, None, None]
    assert edited(file("{}"), PATH, {}, (), {}) == b"{}"


def test_daemon_json_is_put_back_with_what_an_apply_that_was_cut_off_has_set() -> None:
    before = {"settings": {"debug": True, "mtu": 1}, "files": {}}
    assert LIVE.as_found(resource(debug=False), before, cast("Host", None)).desired == before


def test_a_file_that_labspec_made_goes_unless_somebody_uses_it() -> None:
    made = edited(None, PATH, {"debug": True}, (), {})
    entry = remembered({}, None, PATH, {"debug": True}, made, {})
    assert original(file(made.decode()), PATH, entry) is None
    assert original(file('{"debug": true}'), PATH, entry) is None
    assert original(file('{"debug": true, "mtu": 1}'), PATH, entry) == file('{"mtu": 1}')
    assert original(file("{}"), PATH, {"accounts": {}}) == file("{}")
    assert kept(None) is None
    assert mark(None) == ""


def test_the_service_is_put_back() -> None:
    lab = Lab("tp", "/lab", "/lab/lab.yaml")
    asked = Resource("daemon.service", "daemon", "docker.service", {"state": "started", "enabled": True})
    stopped = Observed("daemon.service", "daemon", "", "", {"state": "stopped", "enabled": True}, owned=False)
    change = service_change(asked, stopped, lab)
    assert change is not None
    assert [str(step) for step in change.steps] == ["start Docker"]
    running = Observed(
        "daemon.service",
        "daemon",
        "",
        "",
        {"state": "started", "enabled": True},
        digests(asked.desired),
        {"state": "stopped", "enabled": True},
    )
    assert service_change(asked, running, lab) is None
    back = service_change(None, running, lab)
    assert back is not None
    assert [str(step) for step in back.steps] == ["stop Docker"]
    assert service_change(None, stopped, lab) is None


GONE = "cp: cannot stat '/etc/a': No such file or directory\n"
FULL = "cp: error writing '/x': No space left on device"


@pytest.mark.parametrize(
    ("code", "said", "why"),
    [
        (0, "", None),
        (1, GONE, None),
        (1, f"{GONE}{FULL}\n", FULL),
        (-9, "", "cp ended with -9"),
    ],
)
def test_what_vanishes_from_etc_while_it_is_copied_is_no_mistake(code: int, said: str, why: str | None) -> None:
    assert uncopied(code, said) == why
