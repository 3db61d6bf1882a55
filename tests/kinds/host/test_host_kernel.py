"""Kernel parameters and arguments: their files, the command lines, and what they need."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from groundwork import decide, lab_of, look, settle, told

from labspec.core.change import Action
from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.kinds.kernel_arg import loader
from labspec.kinds.kernel_arg.live import LIVE as ARGS
from labspec.kinds.sysctl.live import LIVE as SYSCTLS
from labspec.kinds.sysctl.parameters import live_path, write_live


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host whose kernel and configuration are in a folder of the test."""
    etc = tmp_path / "etc"
    (etc / "grub").mkdir(parents=True)
    (etc / "grub" / "defaults").write_text('GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet mitigations=auto"\n')
    (etc / "cmdline").write_text("BOOT_IMAGE=/vmlinuz quiet mitigations=auto\n")
    monkeypatch.setattr(loader, "DEFAULTS", str(etc / "grub" / "defaults"))
    monkeypatch.setattr(loader, "FOLDER", str(etc / "grub" / "grub.d"))
    monkeypatch.setattr(loader, "COMMAND_LINE", str(etc / "cmdline"))
    monkeypatch.setattr(loader.shutil, "which", lambda _name: None)
    monkeypatch.setattr("labspec.kinds.sysctl.parameters.FOLDER", str(etc / "sysctl.d"))
    sys = tmp_path / "sys"
    (sys / "net" / "ipv4").mkdir(parents=True)
    (sys / "net" / "ipv4" / "ip_forward").write_text("0\n")
    (sys / "net" / "ipv4" / "ip_local_port_range").write_text("32768\t60999\n")
    monkeypatch.setattr(
        "labspec.kinds.sysctl.parameters.live_path", lambda name: str(sys / live_path(name).removeprefix("/proc/sys/"))
    )
    return Host(state=StateFolder(tmp_path / "state"))


def argument(text: str) -> Resource:
    return Resource(f"kernel_arg.{loader.key_of(text)}", "kernel_arg", text, {"argument": text})


def parameter(name: str, value: str) -> Resource:
    return Resource(f"sysctl.{name}", "sysctl", name, {"value": value, "at_boot": value})


def test_arguments_are_added_and_taken_out_again(tmp_path: Path, host: Host) -> None:
    folder = tmp_path / "etc" / "grub" / "grub.d"
    lab = lab_of(argument("user_namespace.enable=1"), argument("debug"))
    changes = settle(ARGS, lab, host)
    assert [(change.action, change.warnings) for change in changes] == [
        (Action.CREATE, ("takes effect at next boot",)),
    ] * 2
    assert (folder / "labspec-tp.cfg").read_text().splitlines()[1:] == [
        'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX debug user_namespace.enable=1"'
    ]
    assert decide(ARGS, lab, host) == []
    settle(ARGS, lab_of(argument("debug")), host)
    assert loader.own_arguments("tp", host) == ["debug"]
    (change,) = settle(ARGS, lab, host, destroy=True)
    assert told(change)[-1] == "! takes effect at next boot"
    assert not folder.exists()


def test_status_tells_pending_from_active(tmp_path: Path, host: Host) -> None:
    lab = lab_of(argument("user_namespace.enable=1"))
    settle(ARGS, lab, host)
    (found,) = look(ARGS, lab, host).values()
    assert found.facts["detail"] == "pending: takes effect at next boot"
    (tmp_path / "etc" / "cmdline").write_text("quiet user_namespace.enable=1")
    (found,) = look(ARGS, lab, host).values()
    assert found.facts["detail"] == "active"


def test_an_argument_that_is_configured_is_left_alone(host: Host) -> None:
    assert decide(ARGS, lab_of(argument("quiet")), host) == []
    (change,) = decide(ARGS, lab_of(argument("mitigations=off")), host)
    assert told(change)[:2] == [
        "~ differs from the spec",
        "argument: 'mitigations=auto' -> 'mitigations=off' (spec changed)",
    ]


def test_other_files_of_the_folder_stay(tmp_path: Path, host: Host) -> None:
    folder = tmp_path / "etc" / "grub" / "grub.d"
    folder.mkdir()
    (folder / "other.cfg").write_text('GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX audit=1"\n')
    lab = lab_of(argument("debug"))
    assert loader.configured("tp", host) == ["quiet", "mitigations=auto", "$GRUB_CMDLINE_LINUX", "audit=1"]
    settle(ARGS, lab, host)
    settle(ARGS, lab, host, destroy=True)
    assert [path.name for path in folder.iterdir()] == ["other.cfg"]


def test_the_file_means_to_a_shell_what_it_says() -> None:
    text = loader.rendered("tp", ["a=1", "b.c=x,y:z/@+%", "quiet"])
    script = f'GRUB_CMDLINE_LINUX=old\n{text}printf "%s" "$GRUB_CMDLINE_LINUX"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "old a=1 b.c=x,y:z/@+% quiet"
    assert loader.parsed(text) == ["a=1", "b.c=x,y:z/@+%", "quiet"]
    assert loader.parsed("# nothing\n") == []


def test_grubby() -> None:
    answer = 'index=0\nkernel="/boot/vmlinuz"\nargs="ro quiet rd.lvm.lv=a/b $tuned"\nroot="/dev/sda"\n'
    assert loader.grubby_arguments(answer) == ["ro", "quiet", "rd.lvm.lv=a/b", "$tuned"]
    assert loader.grubby_arguments("nothing") == []
    assert loader.grubby_command(["a=1", "b"], []) == ["grubby", "--update-kernel=ALL", "--args=a=1 b"]
    assert loader.grubby_command([], ["b"]) == ["grubby", "--update-kernel=ALL", "--remove-args=b"]


def test_grubby_puts_back_what_was_there(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **_more: Any) -> Any:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0, 'args="ro mitigations=auto"', "")

    monkeypatch.setattr(loader.shutil, "which", lambda name: f"/sbin/{name}" if name == "grubby" else None)
    monkeypatch.setattr(host.system, "run", run)
    lab = lab_of(argument("mitigations=off"), argument("debug"))
    settle(ARGS, lab, host)
    assert [call for call in calls if "--info=DEFAULT" not in call] == [
        ["grubby", "--update-kernel=ALL", "--args=mitigations=off"],
        ["grubby", "--update-kernel=ALL", "--args=debug"],
    ]
    assert sorted(told(change)[1] for change in decide(ARGS, lab_of(), host)) == [
        "- add mitigations=auto to the kernel's command line, by grubby",
        "- take debug out of the kernel's command line, by grubby",
    ]


def test_parameters_are_set_now_and_at_boot_and_put_back(tmp_path: Path, host: Host) -> None:
    live = tmp_path / "sys" / "net" / "ipv4" / "ip_forward"
    boot = tmp_path / "etc" / "sysctl.d" / "90-labspec-tp.conf"
    lab = lab_of(parameter("net.ipv4.ip_forward", "1"), parameter("net.ipv4.ip_local_port_range", "32768 60999"))
    changes = settle(SYSCTLS, lab, host)
    assert [diff.path for change in changes for diff in change.diffs] == ["value", "at_boot", "at_boot"]
    assert live.read_text() == "1"
    assert boot.read_text().splitlines()[1:] == [
        "net.ipv4.ip_forward = 1",
        "net.ipv4.ip_local_port_range = 32768 60999",
    ]
    assert decide(SYSCTLS, lab, host) == []
    live.write_text("0")
    (drift,) = settle(SYSCTLS, lab, host)
    assert told(drift)[0] == "~ value changed on the host"
    settle(SYSCTLS, lab, host, destroy=True)
    assert live.read_text() == "0"
    assert not boot.parent.exists()
    assert host.journal("tp").entries() == {}


def test_a_parameter_that_the_kernel_does_not_have_is_told(host: Host) -> None:
    lab = lab_of(parameter("net.ipv4.nothing", "1"))
    problems = list(SYSCTLS.problems(decide(SYSCTLS, lab, host), lab, host))
    assert "sysctl.net.ipv4.nothing: this host's kernel has no parameter net.ipv4.nothing" in [
        problem.message for problem in problems
    ]
    with pytest.raises(LabError, match=r"the kernel does not take a\.b = 1"):
        write_live("a.b", "1")


def test_the_names_of_parameters() -> None:
    assert live_path("net.ipv4.conf.eth0/1.rp_filter") == "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"


@pytest.mark.parametrize(
    ("name", "dangerous"),
    [
        ("net.ipv4.ip_forward", False),
        ("kernel.core_pattern", True),
        ("fs.suid_dumpable", True),
        ("vm.swappiness", False),
    ],
)
def test_dangers(name: str, dangerous: bool) -> None:
    assert [danger.name for danger in SYSCTLS.dangers(parameter(name, "1"))] == (["kernel"] if dangerous else [])
    assert [danger.name for danger in ARGS.dangers(argument("quiet"))] == ["kernel"]
