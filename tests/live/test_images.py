"""Images on a real engine: made, found unchanged, followed in every change, and removed without harm to others."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import tarfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from labspec.core.change import Action, Change, Preview
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.host.host import Host
from labspec.kinds.image.live import LIVE
from labspec.kinds.image.model import SECTION
from labspec.kinds.provider import Reading
from labspec.kinds.secret.model import SECTION as SECRETS
from labspec.spec.loader import load

pytestmark = pytest.mark.live


def docker(*arguments: str) -> str:
    """Return what the docker client prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Bench:
    """A lab of images in a folder: written, planned and applied, kind by kind, as the engine does it."""

    def __init__(self, folder: Path, name: str, host: Host) -> None:
        self.folder = folder
        self.name = name
        self.host = host
        folder.mkdir()

    def spec(self, images: Mapping[str, Any], **more: Any) -> None:
        """Write the spec."""
        content = {"labspec": 1, "lab": {"name": self.name}, "images": images, **more}
        (self.folder / "lab.yaml").write_text(json.dumps(content))

    def file(self, name: str, content: str | bytes = "x") -> Path:
        """Write one file of the lab."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def lab(self) -> Lab:
        return load(self.folder, variables={}, variable_files=[])

    def plan(self) -> dict[str, Change]:
        """Return the changes by address."""
        lab = self.lab()
        found = {item.address: item for item in LIVE.observe(Reading(lab, self.host))}
        changes: dict[str, Change] = {}
        for resource in lab.resources:
            change = LIVE.change(resource, found.get(resource.address), Preview(changes), lab)
            if change:
                changes[resource.address] = change
        for address, item in found.items():
            if address not in lab.by_address:
                change = LIVE.change(None, item, Preview(changes), lab)
                if change:
                    changes[address] = change
        return changes

    def problems(self) -> list[str]:
        return [item.message for item in LIVE.problems(list(self.plan().values()), self.lab(), self.host)]

    def apply(self) -> dict[str, Action]:
        """Do what the plan says, and return it."""
        changes = self.plan()
        for part in ("prepare", "remove", "make", "finish"):
            for change in changes.values():
                for step in getattr(change, part):
                    step.run(self.host)
        return {address: change.action for address, change in changes.items()}

    def image(self, reference: str) -> Any:
        return self.host.docker.find(f"/images/{reference}/json")

    def id(self, name: str = "app") -> str:
        """Return the id of an image of the lab at its default tag."""
        return str(self.image(f"{self.name}/{name}:latest")["Id"])


@pytest.fixture
def bench(tmp_path: Path, lab_name: str, host: Host, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("labspec.spec.loader.sections", lambda: (SECTION,))
    return Bench(tmp_path / "lab", lab_name, host)


@pytest.fixture
def container(lab_name: str) -> Iterator[Callable[..., str]]:
    """Return a function that creates a container which is no lab's; removed afterwards."""
    made: list[str] = []

    def create(image: str, *arguments: str) -> str:
        name = f"{lab_name}-guest{len(made)}"
        docker("create", "--name", name, *arguments, image, "true")
        made.append(name)
        return name

    yield create
    for name in made:
        docker("rm", "--force", name)


def app(base: str, *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return an entry that copies a file and does some steps."""
    return {"from": base, "steps": [{"copy": {"src": "page.html", "dest": "/srv/"}}, *steps], **more}


def test_made_from_steps_and_then_unchanged(bench: Bench, busybox: str) -> None:
    bench.file("page.html", "hello")
    steps = [
        {"arg": {"LISTEN": "8888"}},
        {"env": {"PORT": "${LISTEN}", "GREETING": 'say "hi" \\o/'}},
        {"run": "echo one > /one\ncat <<EOF > /two\n$PORT\nEOF\n"},
        {"workdir": "/srv"},
        {"expose": "$PORT"},
        {"user": "1000:1000"},
        {"healthcheck": {"cmd": "test -e /one", "interval": "30s"}},
        {"entrypoint": "httpd -f -p $PORT"},
    ]
    bench.spec({"app": app(busybox, *steps, build_args={"LISTEN": 9999}, labels={"course": "docker"})})
    assert bench.apply() == {"image.app": Action.CREATE}
    made = bench.image(f"{bench.name}/app:latest")["Config"]
    assert {"PORT=9999", 'GREETING=say "hi" \\o/'} <= set(made["Env"])
    assert (made["WorkingDir"], made["User"], list(made["ExposedPorts"])) == ("/srv", "1000:1000", ["9999/tcp"])
    assert made["Labels"]["course"] == "docker"
    assert made["Labels"]["io.labspec.address"] == "image.app"
    shown = docker("run", "--rm", "--entrypoint", "sh", f"{bench.name}/app", "-c", "cat /two page.html")
    assert shown == "9999\nhello"
    assert bench.plan() == {}


def test_a_plan_without_changes_takes_one_request(bench: Bench, busybox: str) -> None:
    bench.file("page.html")
    bench.spec({"one": app(busybox), "two": {"from": "one", "steps": [{"user": "1"}]}})
    bench.apply()
    before = bench.host.docker.requests
    assert bench.plan() == {}
    assert bench.host.docker.requests == before + 1


def test_only_an_edit_of_a_copied_file_is_a_change(bench: Bench, busybox: str) -> None:
    page = bench.file("page.html", "old")
    neighbour = bench.file("notes.txt", "old")
    bench.spec({"app": app(busybox)})
    bench.apply()
    first = bench.id()
    neighbour.write_text("new")
    os.utime(page, (1, 1))
    assert bench.plan() == {}
    page.write_text("new")
    (change,) = bench.plan().values()
    assert (change.action, change.reason) == (Action.REPLACE, "context changed in the spec")
    bench.apply()
    assert bench.id() != first
    assert bench.image(first) is None
    assert bench.plan() == {}
    page.chmod(0o755)
    assert [change.action for change in bench.plan().values()] == [Action.REPLACE]


@pytest.mark.parametrize(
    ("field", "steps", "more"),
    [
        ("dockerfile", [{"env": {"A": "2"}}], {}),
        ("build_args", [{"arg": "X"}, {"env": {"A": "1"}}], {"build_args": {"X": "2"}}),
        ("labels", [{"arg": "X"}, {"env": {"A": "1"}}], {"labels": {"b": "c"}, "build_args": {"X": "1"}}),
        ("tag", [{"arg": "X"}, {"env": {"A": "1"}}], {"tag": "other:1", "build_args": {"X": "1"}}),
    ],
)
def test_a_changed_field_is_named_and_reverted(
    bench: Bench, busybox: str, field: str, steps: list[Any], more: dict[str, Any]
) -> None:
    bench.file("page.html")
    if "tag" in more:
        more = {**more, "tag": f"{bench.name}-other:1"}
    before = app(busybox, {"arg": "X"}, {"env": {"A": "1"}}, build_args={"X": "1"})
    after = app(busybox, *steps, **more)
    if field == "dockerfile":
        before = app(busybox, {"env": {"A": "1"}})
    bench.spec({"app": before})
    bench.apply()
    first = bench.id()
    bench.spec({"app": after})
    (change,) = bench.plan().values()
    assert {diff.field for diff in change.diffs} == {field}
    bench.apply()
    assert bench.plan() == {}
    assert bench.image(first) is None
    bench.spec({"app": before})
    assert {diff.field for diff in bench.plan()["image.app"].diffs} == {field}
    bench.apply()
    assert bench.plan() == {}


def test_a_lost_tag_is_made_again(bench: Bench, busybox: str) -> None:
    bench.file("page.html")
    bench.spec({"app": app(busybox)})
    bench.apply()
    docker("rmi", f"{bench.name}/app:latest")
    assert bench.apply() == {"image.app": Action.CREATE}
    assert bench.plan() == {}


def test_a_foreign_tag_is_never_taken_over(bench: Bench, busybox: str) -> None:
    bench.file("page.html")
    bench.spec({"app": app(busybox)})
    tag = f"{bench.name}/app:latest"
    docker("tag", busybox, tag)
    try:
        assert bench.problems() == [f"image.app: the tag {tag} is taken by an image that was not made by labspec"]
        with pytest.raises(LabError, match="was not made by labspec"):
            bench.apply()
        assert bench.id() == bench.image(busybox)["Id"]
    finally:
        docker("rmi", tag)
    bench.apply()
    made = bench.id()
    docker("tag", busybox, tag)
    try:
        assert len(bench.problems()) == 1
        plan = bench.plan()
        assert plan["image.app"].action is Action.CREATE
        assert plan[f"image.app@{made[7:19]}"].reason == "left from an earlier build"
    finally:
        docker("rmi", tag)
    assert bench.apply()["image.app"] is Action.CREATE
    assert bench.id() == made
    assert bench.plan() == {}


def test_what_earlier_builds_left_goes(bench: Bench, busybox: str) -> None:
    bench.file("page.html", "1")
    bench.spec({"app": app(busybox)})
    bench.apply()
    old = bench.id()
    bench.file("page.html", "2")
    changes = bench.plan()
    for step in changes["image.app"].prepare:
        step.run(bench.host)
    assert bench.apply() == {f"image.app@{old[7:19]}": Action.DELETE}
    assert bench.image(old) is None
    assert bench.plan() == {}


def test_an_old_image_stays_while_a_foreign_container_uses_it(
    bench: Bench, busybox: str, container: Callable[..., str]
) -> None:
    bench.file("page.html", "1")
    bench.spec({"app": app(busybox)})
    bench.apply()
    old = bench.id()
    guest = container(f"{bench.name}/app:latest")
    bench.file("page.html", "2")
    bench.apply()
    assert bench.image(old) is not None
    assert bench.plan() == {}
    docker("rm", guest)
    assert bench.apply() == {f"image.app@{old[7:19]}": Action.DELETE}
    container(busybox)
    docker("create", "--name", guest, f"{bench.name}/app:latest", "true")
    bench.spec({})
    with pytest.raises(LabError, match=f"is used by a container that is not this lab's: {guest}"):
        bench.apply()


def test_removed_from_the_spec_but_kept_where_somebody_else_tagged_it(bench: Bench, busybox: str) -> None:
    bench.file("page.html")
    bench.spec({"app": app(busybox), "gone": {"from": busybox, "steps": [{"user": "7"}]}})
    bench.apply()
    kept = bench.id()
    backup = f"{bench.name}-backup:1"
    docker("tag", kept, backup)
    bench.spec({})
    assert bench.apply() == {"image.app": Action.DELETE, "image.gone": Action.DELETE}
    assert bench.image(kept)["RepoTags"] == [backup]
    assert bench.image(f"{bench.name}/gone:latest") is None
    assert bench.plan() == {}


def test_an_image_that_was_built_or_committed_upon_is_not_taken_for_the_labs(bench: Bench, busybox: str) -> None:
    bench.file("page.html")
    bench.spec({"app": app(busybox)})
    bench.apply()
    child = f"{bench.name}-child:1"
    build = subprocess.run(
        ["docker", "build", "-q", "-t", child, "-"],
        input=f"FROM {bench.name}/app\nUSER 5\n".encode(),
        check=True,
        capture_output=True,
    )
    assert bench.plan() == {}
    assert bench.image(build.stdout.decode().strip()) is not None


def test_a_changed_base_rebuilds_what_starts_from_it(bench: Bench, busybox: str) -> None:
    bench.file("page.html", "1")
    images = {"top": {"from": "app", "steps": [{"copy": {"from": "tool", "src": "/t", "dest": "/t"}}]}}
    images |= {"app": app(busybox), "tool": {"from": busybox, "steps": [{"run": "echo t > /t"}]}}
    bench.spec(images)
    assert bench.lab().by_address["image.top"].needs == ("image.app", "image.tool")
    lab = bench.lab()
    for address in ("image.app", "image.tool", "image.top"):
        change = LIVE.change(lab.by_address[address], None, Preview(), lab)
        assert change is not None
        change.prepare[0].run(bench.host)
    assert bench.plan() == {}
    bench.file("page.html", "2")
    plan = bench.plan()
    assert {address: change.reason for address, change in plan.items()} == {
        "image.app": "context changed in the spec",
        "image.top": "base changed in the spec",
    }


def test_a_dockerfile_and_its_ignored_files(bench: Bench, busybox: str) -> None:
    bench.file(
        "web/Dockerfile", f"ARG WHAT=site\nFROM {busybox} AS base\nARG WHAT\nCOPY ${{WHAT}} /site\nFROM base\nUSER 3\n"
    )
    bench.file("web/.dockerignore", "**/*.log\n!site/keep.log\n")
    bench.file("web/site/index.html", "hello")
    bench.file("web/site/debug.log")
    bench.file("web/site/keep.log")
    bench.spec({"web": {"dockerfile": "web/Dockerfile"}})
    bench.apply()
    assert docker("run", "--rm", f"{bench.name}/web", "ls", "/site").split() == ["index.html", "keep.log"]
    assert bench.plan() == {}
    bench.file("web/site/debug.log", "more")
    assert bench.plan() == {}
    bench.file("web/site/keep.log", "more")
    assert list(bench.plan()) == ["image.web"]
    bench.spec({"web": {"dockerfile": "web/Dockerfile", "target": "base"}})
    assert {diff.field for diff in bench.plan()["image.web"].diffs} == {"target", "context"}


def test_an_archive_is_loaded_without_its_tags(bench: Bench, busybox: str) -> None:
    foreign = f"{bench.name}-foreign:1"
    docker("tag", busybox, foreign)
    archive = bench.folder / "base.tar"
    docker("save", "-o", str(archive), foreign)
    docker("rmi", foreign)
    (bench.folder / "base.tar.gz").write_bytes(gzip.compress(archive.read_bytes(), 1))
    bench.spec({"plain": {"archive": "base.tar"}, "packed": {"archive": "base.tar.gz", "labels": {"a": "b"}}})
    assert bench.problems() == []
    bench.apply()
    assert bench.plan() == {}
    assert bench.image(foreign) is None
    assert bench.image(f"{bench.name}/packed:latest")["Config"]["Labels"]["a"] == "b"
    assert docker("run", "--rm", f"{bench.name}/plain", "echo", "works") == "works"
    layers = [bench.image(tag)["RootFS"] for tag in (busybox, f"{bench.name}/plain:latest")]
    assert layers[0] == layers[1]
    with tarfile.open(archive, "a") as tar:
        tar.add(bench.folder / "lab.yaml", "further")
    assert [change.reason for change in bench.plan().values()] == ["archive changed in the spec"]


def test_a_build_that_fails_says_where_and_leaves_all_as_it_was(bench: Bench, busybox: str) -> None:
    bench.file("page.html")
    bench.spec({"app": app(busybox)})
    bench.apply()
    first = bench.id()
    bench.spec({"app": app(busybox, {"run": "echo about to fail; no-such-command"})})
    with pytest.raises(LabError) as caught:
        bench.apply()
    message = caught.value.diagnostics[0].message
    assert "exit code 127 of: RUN echo about to fail; no-such-command" in message
    assert "| about to fail" in message
    assert "no-such-command: not found" in message
    assert bench.id() == first
    bench.spec({"app": {"from": "no-such-image-of-labspec:1"}})
    with pytest.raises(LabError) as caught:
        bench.apply()
    assert "neither on this host nor can it be pulled" in str(caught.value.diagnostics[0].hint)


def probing(secret: str, *commands: str) -> dict[str, Any]:
    """Return a step that has a secret and writes down what the build gives it."""
    return {"run": {"cmd": " && ".join(commands), "mount": [{"type": "secret", "id": secret}]}}


def test_a_build_gets_what_its_options_say_and_nobody_sees_its_secrets(
    bench: Bench, busybox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labspec.spec.loader.sections", lambda: (SECTION, SECRETS))
    monkeypatch.setenv("LABSPEC_TEST_TOKEN", "hush-from-the-environment")
    bench.file("token", "hush-from-a-file\nits second line\n")
    bench.file("more/extra.txt", "extra")
    bench.file("page.html")
    look = probing(
        "file",
        "md5sum < /run/secrets/file | cut -c1-32 > /found",
        "df -m /dev/shm | tail -1 >> /found",
        "ulimit -n >> /found",
        "cat /etc/hosts >> /found",
    )
    spec = app(
        busybox,
        look,
        probing("variable", "md5sum < /run/secrets/variable | cut -c1-32 >> /found"),
        {"copy": {"from": "further", "src": "extra.txt", "dest": "/"}},
        secrets=[{"source": "token", "target": "file"}, {"source": "env", "target": "variable"}],
        shm_size="7m",
        ulimits={"nofile": {"soft": 77, "hard": 99}},
        extra_hosts={"mirror": "10.9.8.7"},
        additional_contexts={"further": "more"},
        tags=[f"{bench.name}/further:2"],
        cache_to=["type=inline"],
        cache_from=["labspec-test/no-such-cache"],
        network="none",
    )
    secrets = {"token": {"file": "token"}, "env": {"environment": "LABSPEC_TEST_TOKEN"}}
    bench.spec({"app": spec}, secrets=secrets)
    bench.apply()
    found = docker("run", "--rm", f"{bench.name}/further:2", "cat", "/found", "/extra.txt")
    for content in (b"hush-from-a-file\nits second line\n", b"hush-from-the-environment"):
        assert hashlib.md5(content).hexdigest() in found  # noqa: S324  what busybox has
    assert " 7 " in found
    assert "\n77\n" in found
    assert re.search(r"10\.9\.8\.7\s+mirror", found)
    assert found.endswith("extra")
    assert bench.plan() == {}
    history = docker("history", "--no-trunc", f"{bench.name}/app")
    assert "hush" not in history + json.dumps(bench.image(f"{bench.name}/app:latest"))

    # A build that prints them: neither the plan, nor its steps, nor what is told of the failure has them.
    telling = probing("file", "cat /run/secrets/file", "echo told", "exit 3")
    bench.spec({"app": {**spec, "steps": [*spec["steps"], telling]}}, secrets=secrets)
    assert "hush" not in json.dumps(list(bench.plan().values()), default=lambda value: f"{value} {vars(value)}")
    with pytest.raises(LabError) as caught:
        bench.apply()
    message = caught.value.diagnostics[0].message
    assert "exit code 3 of: RUN" in message
    assert "| ***" in message
    assert "| told" in message
    told = "".join(traceback.format_exception(caught.value))
    assert "hush" not in told
    assert "second line" not in told


def test_further_names_are_kept_and_go(bench: Bench, busybox: str) -> None:
    bench.file("page.html")
    names = [f"{bench.name}/one:1", f"{bench.name}/two:latest"]
    bench.spec({"app": app(busybox, tags=[names[0], f"{bench.name}/two"])})
    bench.apply()
    first = bench.id()
    assert {bench.image(name)["Id"] for name in names} == {first}
    docker("rmi", names[1])
    (change,) = bench.plan().values()
    assert (change.action, [diff.path for diff in change.diffs]) == (Action.UPDATE, ["tags"])
    bench.apply()
    assert (bench.image(names[1])["Id"], bench.plan()) == (first, {})
    bench.spec({"app": app(busybox, tags=[names[0]])})
    assert bench.apply() == {"image.app": Action.REPLACE}
    assert (bench.image(names[1]), bench.plan()) == (None, {})
    docker("tag", busybox, names[1])
    bench.spec({"app": app(busybox, tags=names)})
    assert bench.problems() == [f"image.app: the tag {names[1]} is taken by an image that was not made by labspec"]
    docker("rmi", names[1])
    bench.spec({})
    bench.apply()
    assert [bench.image(name) for name in (*names, f"{bench.name}/app:latest")] == [None, None, None]


HOSTILE = [
    {"env": {"A": 'x" \\', "B": "\\", "C": "$(id)`id`", "D": "'", "E": "# not a comment"}},
    {"label": {"a/b": '"\n'.strip() + "\\\\", "c": "<<EOF"}},
    {"run": "cat <<EOF >/dev/null"},
    {"run": "true\nEOF\nUSER 99\nEOF1\n"},
    {"run": ["echo", "<<EOF", 'a "b" \\', "line\nUSER 99"]},
    {"comment": "escape=`\nUSER 99 \\"},
    {"cmd": ["echo", '<<EOF"', "\\"]},
    {"user": "7"},
]


def test_hostile_values_stay_values(bench: Bench, busybox: str) -> None:
    bench.file("a b <<EOF", "blank")
    steps = [{"run": "true"}, *HOSTILE, {"copy": {"src": "a b <<EOF", "dest": "/a b"}}]
    entry = {"from": busybox, "steps": [step for step in steps if "USER 99" not in str(step.get("run", ""))]}
    bench.spec({"app": entry})
    bench.apply()
    made = bench.image(f"{bench.name}/app:latest")["Config"]
    environment = dict(pair.split("=", 1) for pair in made["Env"])
    assert {name: environment[name] for name in "ABCDE"} == HOSTILE[0]["env"]
    assert (made["User"], made["Cmd"]) == ("7", ["echo", '<<EOF"', "\\"])
    assert made["Labels"]["c"] == "<<EOF"


def test_an_image_of_packages(bench: Bench) -> None:
    bench.spec({"deb": {"rootfs": {"debootstrap": "bookworm", "variant": "apt"}, "labels": {"price": '5$ "cash" \\'}}})
    assert bench.problems() == []
    bench.apply()
    made = bench.image(f"{bench.name}/deb:latest")["Config"]
    assert made["Labels"]["price"] == '5$ "cash" \\'
    assert docker("run", "--rm", f"{bench.name}/deb", "cat", "/etc/debian_version").startswith("12")
    assert bench.plan() == {}
