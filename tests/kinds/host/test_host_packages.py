"""Package managers' command lines and answers, and what packages need."""

from __future__ import annotations

from typing import Any

import pytest
from groundwork import lab_of, told

from labspec.core.change import Preview
from labspec.core.diff import digests
from labspec.core.resource import Observed, Resource
from labspec.host.host import Host
from labspec.kinds.package.live import LIVE
from labspec.kinds.package.managers import Apt, Dnf
from labspec.kinds.package.steps import InstallPackage, RemovePackage

DPKG = """\
ii \tlibc6:amd64\t2.36-9
ii \tjq\t1.6-2.1
rc \ttelnet\t0.17
un \tvim\t
hi \theld\t1
"""


def test_what_dpkg_says() -> None:
    found = Apt().installed(DPKG)
    assert found == {"libc6:amd64": "2.36-9", "libc6": "2.36-9", "jq": "1.6-2.1", "held": "1"}


def test_what_rpm_says() -> None:
    assert Dnf().installed("bash\t5.2.15-3.fc38\njq\t1.6-15\n") == {"bash": "5.2.15-3.fc38", "jq": "1.6-15"}


def test_apt_commands() -> None:
    apt = Apt()
    assert apt.install({"jq": "1.6", "curl": None})[-6:] == (
        "--no-install-recommends",
        "--allow-downgrades",
        "install",
        "--",
        "curl",
        "jq=1.6",
    )
    assert apt.install({"curl": None})[:2] == ("env", "DEBIAN_FRONTEND=noninteractive")
    assert "--allow-downgrades" not in apt.install({"curl": None})
    assert apt.remove(["a", "b"])[-4:] == ("purge", "--", "a", "b")
    assert apt.exists(["a"])[-2:] == ("--", "a")
    assert apt.described("Package: jq\nVersion: 1\n\nPackage: curl\n") == {"jq", "curl"}
    assert apt.listed_unneeded("Reading...\nRemv libjq1 [1.6] []\nPurg x [1]\n") == {"libjq1", "x"}


def test_dnf_commands() -> None:
    dnf = Dnf()
    assert dnf.install({"jq": "1.6-15", "curl": None}) == (
        *("dnf", "-q", "-y", "--setopt=install_weak_deps=False", "install", "--"),
        *("curl", "jq-1.6-15"),
    )
    assert dnf.remove(["a", "b"]) == ("dnf", "-q", "-y", "--noautoremove", "remove", "--", "a", "b")
    assert dnf.described("jq\n\ncurl\n") == dnf.listed_unneeded("curl\njq\n") == {"jq", "curl"}


def package(**desired: Any) -> Resource:
    return Resource("package.jq", "package", "jq", {"state": "present", **desired})


def there(state: dict[str, str], before: dict[str, str] | None = None, **applied: str) -> Observed:
    facts = {"came": ("libjq1",) if before else (), "before": before or {}}
    defaults = {name: value for name, value in (before or {}).items() if name in applied}
    owned = before is not None
    return Observed("package.jq", "package", "", "jq", state, digests(applied), defaults, owned=owned, facts=facts)


RECORD = "- remember what package.jq was, to put it back later"
FORGET = "- forget package.jq: it is as it was before"
GOES = "! its settings and data go with package jq"
REMOVE = "- remove package jq, and what came with it and is needed no more"
PRESENT = {"state": "present", "version": "1.6"}


@pytest.mark.parametrize(
    ("desired", "found", "expected"),
    [
        (package(), None, ["+ not on this host", RECORD, "- install package jq"]),
        (package(), there(PRESENT), ["nothing"]),
        (package(version="1.6"), there(PRESENT), ["nothing"]),
        (
            package(version="1.7"),
            there(PRESENT),
            [
                "~ differs from the spec",
                "version: '1.6' -> '1.7' (spec changed)",
                RECORD,
                "- install package jq in version 1.7",
            ],
        ),
        (package(state="absent"), there({"state": "absent"}), ["nothing"]),
        (
            package(state="absent"),
            there(PRESENT),
            [
                "~ differs from the spec",
                "state: 'present' -> 'absent' (spec changed)",
                RECORD,
                "- remove package jq",
                "! the settings and data of package jq are lost",
            ],
        ),
        (None, there(PRESENT), ["nothing"]),
        (None, there(PRESENT, {"state": "absent"}), ["- no longer in the spec", REMOVE, FORGET, GOES]),
        (
            None,
            there({"state": "absent"}, PRESENT),
            ["- no longer in the spec", "- install package jq in version 1.6", FORGET],
        ),
        (None, there(PRESENT, PRESENT), ["- no longer in the spec", FORGET]),
    ],
)
def test_decisions(desired: Resource | None, found: Observed | None, expected: list[str]) -> None:
    lab = lab_of(*([desired] if desired else []))
    assert told(LIVE.change(desired, found, Preview(), lab)) == expected


def test_all_packages_go_into_one_call() -> None:
    steps = [InstallPackage("tp", f"package.{name}", name) for name in ("a", "b")]
    assert len({step.batch for step in steps}) == len({RemovePackage("a").batch, RemovePackage("b").batch}) == 1


def test_only_root_can_install(monkeypatch: pytest.MonkeyPatch) -> None:
    change = LIVE.change(package(), None, Preview(), lab_of(package()))
    assert change is not None
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (problem,) = LIVE.problems([change], lab_of(package()), Host())
    assert str(problem) == "package.jq: only root can change packages\n      = run labspec as root: sudo labspec ..."
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert list(LIVE.problems([change], lab_of(package()), Host())) == []
