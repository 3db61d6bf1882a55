"""What a sandbox is asked to be: names, powers, the arguments of docker run, the image's tag."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.sandbox import capabilities, software
from labspec.host.sandbox.execute import exec_arguments
from labspec.host.sandbox.image import RECIPE, codename, recipe, tag
from labspec.host.sandbox.objects import check_name
from labspec.host.sandbox.wish import Wish, port_options, run_arguments

FULL = "Name:\tsystemd\nCapPrm:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n"
WITHOUT_SYS_RESOURCE = "Name:\tinit\nCapBnd:\t000001fffeffffff\nCapAmb:\t0000000000000000\n"
LAST = 40


@pytest.mark.parametrize("name", ["lab", "0", "seat-12_b", "a" * 31])
def test_names_that_can_be(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "Lab", "a b", "a/b", "a\n", "é", "a" * 32, "--help", "a$b"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(LabError, match="cannot be the name of a sandbox"):
        check_name(name)


def test_every_capability_has_its_number() -> None:
    assert len(capabilities.NAMES) == LAST + 1
    numbers = {name: number for number, name in enumerate(capabilities.NAMES)}
    assert (numbers["CHOWN"], numbers["SYS_ADMIN"], numbers["SYS_RESOURCE"], numbers["BPF"]) == (0, 21, 24, 39)


@pytest.mark.parametrize(
    ("status", "last", "lacking"),
    [
        (FULL, LAST, []),
        (WITHOUT_SYS_RESOURCE, LAST, ["SYS_RESOURCE"]),
        ("CapBnd:\t00000000a80425fb\n", 11, ["DAC_READ_SEARCH", "LINUX_IMMUTABLE", "NET_BROADCAST"]),
        ("CapBnd:\t0000003fffffffff\n", 37, []),
        ("CapBnd:\t0000003fffffffff\n", LAST, ["PERFMON", "BPF", "CHECKPOINT_RESTORE"]),
        ("CapBnd:\tzzz\n", LAST, []),
        ("", LAST, []),
    ],
)
def test_what_the_bounding_set_lacks(status: str, last: int, lacking: list[str]) -> None:
    assert capabilities.missing(status, last) == lacking


def test_a_machine_with_all_powers_gives_them() -> None:
    assert capabilities.privileges([]) == [("--privileged",)]


def test_a_machine_that_lacks_one_gives_the_rest() -> None:
    told, untold = map(" ".join, capabilities.privileges(["SYS_RESOURCE"]))
    assert "--privileged" not in told
    assert told.startswith("--cap-add ALL ")
    assert told.endswith(" --cap-drop SYS_RESOURCE")
    assert "--security-opt systempaths=unconfined" in told
    assert untold == told.removesuffix(" --cap-drop SYS_RESOURCE")


@pytest.mark.parametrize(
    ("port", "published"),
    [
        ("1010:80", "127.0.0.1:1010:80/tcp"),
        ("0.0.0.0:1010:80", "0.0.0.0:1010:80/tcp"),
        ("53:5353/udp", "127.0.0.1:53:5353/udp"),
    ],
)
def test_ports_are_for_localhost_unless_said(port: str, published: str) -> None:
    assert port_options([port]) == ["--publish", published]


@pytest.mark.parametrize(
    "port", ["80", "0:80", "80:65536", "1.2.3.256:1:2", "a:b", "1:2/sctp", "-p:1", "1:2\n", "1-2:3-4"]
)
def test_ports_that_cannot_be(port: str) -> None:
    with pytest.raises(LabError, match="HOST:SANDBOX"):
        Wish("lab", ports=(port,))


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"engine": "trixi"}, "did you mean 'trixie'"),
        ({"engine": "28"}, "there are trixie and distro"),
        ({"cpus": "two"}, "for example --cpus 1.5"),
        ({"memory": "2 GB"}, "for example --memory 2g"),
        ({"memory": "--privileged"}, "for example --memory 2g"),
        ({"images": ("--help",)}, "no name of an image"),
        ({"images": ("a b",)}, "no name of an image"),
    ],
)
def test_wishes_that_cannot_be(wish: dict[str, str], complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        Wish("lab", **wish)  # type: ignore[arg-type]


def test_the_arguments_of_docker_run() -> None:
    wish = Wish("lab", ports=("8080:80",), cpus="1.5", memory="2g")
    assert run_arguments(wish, "labspec-sandbox:trixie-1", ("--privileged",), "r1") == [
        *("run", "--detach", "--pull", "never", "--name", "labspec-sandbox-lab", "--hostname", "lab"),
        *("--label", "io.labspec.sandbox=lab", "--label", "io.labspec.sandbox.engine=trixie"),
        *("--label", "io.labspec.sandbox.run=r1"),
        *("--tmpfs", "/run:exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec", "--mount"),
        "type=volume,src=labspec-sandbox-lab-docker,dst=/var/lib/docker,volume-label=io.labspec.sandbox=lab",
        *("--cgroupns", "private", "--privileged", "--publish", "127.0.0.1:8080:80/tcp"),
        *("--cpus", "1.5", "--memory", "2g", "labspec-sandbox:trixie-1"),
    ]


def test_the_arguments_of_docker_exec() -> None:
    def options(*, terminal: bool, streams: bool) -> list[str]:
        return exec_arguments("c", ["ls", "-l"], terminal, streams, "/labs", "M=1", {"TERM": "x"})

    rest = ["--workdir", "/labs", "--env", "TERM=x", "--env", "M=1", "c", "ls", "-l"]
    assert options(terminal=True, streams=False) == ["exec", "--interactive", "--tty", *rest]
    assert options(terminal=False, streams=True) == ["exec", "--interactive", *rest]
    assert options(terminal=False, streams=False) == ["exec", *rest]


def test_the_tag_follows_the_recipe(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(recipe(), tmp_path / "recipe"))
    same = tag("trixie", "bookworm")
    assert tag("trixie", "bookworm", folder) == same
    assert same.startswith("labspec-sandbox:trixie-")
    others = {tag("distro", "bookworm", folder), tag("trixie", "trixie", folder)}
    for name in RECIPE:
        (folder / name).write_bytes((folder / name).read_bytes() + b"\n")
        others.add(tag("trixie", "bookworm", folder))
    assert len(others - {same}) == 2 + len(RECIPE)


def test_the_recipe_is_whole() -> None:
    assert {path.name for path in recipe().iterdir()} == set(RECIPE)


def test_the_debian_goes_with_the_python() -> None:
    assert [codename((3, minor)) for minor in (11, 12, 13)] == ["bookworm", "bookworm", "trixie"]


def test_labspec_goes_in_with_all_that_it_imports() -> None:
    found = software.software()
    own = {name for name, _ in found.own}
    assert {"labspec/__main__.py", "labspec/cli/starter/lab.yaml", "labspec/generators/sandbox/setup"} <= own
    assert not any("__pycache__" in name for name in own)
    names = {library.metadata["Name"].lower().replace("_", "-") for library in found.libraries}
    assert {"click", "pydantic", "pydantic-core", "pyyaml", "rich", "python-on-whales", "jinja2", "markupsafe"} <= names
    assert not names & {"labspec", "pytest", "mypy", "ruff", "hypothesis"}
    assert software.software().digest == found.digest
