"""What a spec may say of the host: resources as they come out, and every mistake with its place and words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.spec.loader import load as load_spec

HEAD = "labspec: 1\nlab: {name: tp}\n"


def load(folder: Path, text: str) -> Lab:
    (folder / "lab.yaml").write_text(HEAD + text)
    return load_spec(folder, variables={}, variable_files=[])


def refused(folder: Path, text: str) -> list[str]:
    with pytest.raises(LabError) as caught:
        load(folder, text)
    return [
        f"{found.at.line}:{found.at.column}: {found.message}" + (f" ({found.hint})" if found.hint else "")
        for found in caught.value.diagnostics
        if found.at
    ]


def wishes(lab: Lab) -> dict[str, Mapping[str, Any]]:
    return {resource.address: resource.desired for resource in lab.resources}


def test_every_kind(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"\x00\xff")
    lab = load(
        tmp_path,
        """\
host:
  files:
    /etc/motd: {content: hello, mode: "644"}
    /srv/data: {src: data, owner: vagrant, group: docker}
  sysctls: {net.ipv4.ip_forward: 1, net.ipv4.ip_local_port_range: "1  2"}
  kernel_args: [user_namespace.enable=1, quiet]
  groups: {docker: {members: [bob, vagrant]}, web: }
  users: {vagrant: {groups: [docker, adm], shell: /bin/bash}, web: {group: web, system: true}}
  packages: {iproute2: , jq: {version: 1.6-2}, telnet: {state: absent}}
""",
    )
    digest = "06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8"
    assert wishes(lab) == {
        "package.iproute2": {"state": "present"},
        "package.jq": {"state": "present", "version": "1.6-2"},
        "package.telnet": {"state": "absent"},
        "user.vagrant": {"shell": "/bin/bash", "groups": ["adm"]},
        "user.web": {"group": "web"},
        "group.docker": {"members": ["bob", "vagrant"]},
        "group.web": {},
        "file./etc/motd": {"content": "hello", "mode": "0644"},
        "file./srv/data": {
            "content": f"(2 bytes that are no text, sha256 {digest})",
            "owner": "vagrant",
            "group": "docker",
        },
        "sysctl.net.ipv4.ip_forward": {"value": "1", "at_boot": "1"},
        "sysctl.net.ipv4.ip_local_port_range": {"value": "1 2", "at_boot": "1 2"},
        "kernel_arg.user_namespace.enable": {"argument": "user_namespace.enable=1"},
        "kernel_arg.quiet": {"argument": "quiet"},
    }
    needs = {resource.address: resource.needs for resource in lab.resources if resource.needs}
    assert needs == {
        "user.web": ("group.web",),
        "group.docker": ("user.vagrant",),
        "file./srv/data": ("user.vagrant", "group.docker"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file: {}", "4:3: unknown key 'file' in 'host' (did you mean 'files'?)"),
        ("files: {etc/motd: {content: x}}", "'etc/motd' is no name of an entry in 'host.files' (write the absolute"),
        ("files: {/etc/../x: {content: x}}", "is no name of an entry"),
        ("files: {/etc//x: {content: x}}", "is no name of an entry"),
        ("files: {/etc/./x: {content: x}}", "is no name of an entry"),
        ("files: {/etc/x/: {content: x}}", "is no name of an entry"),
        ("files: {/: {content: x}}", "is no name of an entry"),
        ('files: {"/etc/a\\nb": {content: x}}', "is no name of an entry"),
        ('files: {"/etc/a\\0b": {content: x}}', ""),
        ("files: {/proc/sys/x: {content: x}}", "/proc/sys/x is no place for a lab's files"),
        ("files: {/etc/motd: {}}", "file '/etc/motd' has neither 'content' nor 'src' (write one of the two)"),
        ("files: {/etc/motd: {content: a, src: b}}", "file '/etc/motd' has both 'content' and 'src'"),
        ("files: {/etc/motd: {contnt: a}}", "4:23: unknown key 'contnt' in file '/etc/motd' (did you mean 'content'?)"),
        ("files: {/etc/motd: {content: a, mode: 0644}}", "expected text, found the number 644 (put it in quotes)"),
        ('files: {/etc/motd: {content: a, mode: "0999"}}', "'0999' is no mode: write it in octal, such as"),
        ("files: {/etc/motd: {content: a, owner: -x}}", "'-x' is no name of a user or group"),
        ("files: {/etc/motd: {src: ../x}}", "'../x'"),
        ("files: {/etc/motd: {src: missing}}", "missing"),
        ("groups: {docker: {member: [a]}}", "unknown key 'member' in group 'docker' (did you mean 'members'?)"),
        ("groups: {docker: {members: a}}", "expected a list, found text 'a'"),
        ("groups: {docker: {members: [--help]}}", "'--help' is no name of a user or group"),
        ("groups: {docker: {members: ['a,b']}}", "'a,b' is no name of a user or group"),
        ("groups: {-d: {}}", "'-d' is no name of an entry in 'host.groups'"),
        ("groups: {a b: {}}", "is no name of an entry"),
        ("groups: {d: {gid: 4294967295}}", "expected at most 4294967294"),
        ("groups: [docker]", "section 'host.groups' is a mapping of names, found a list"),
        ("users: {root:x: {}}", "is no name of an entry"),
        ("users: {bob: {password: x}}", "unknown key 'password' in user 'bob'"),
        ("users: {bob: {home: a}}", "'a' is no absolute path"),
        ("users: {bob: {home: '/a:b'}}", "is no absolute path"),
        ("users: {bob: {comment: 'a:b'}}", "expected text of the form"),
        ('users: {bob: {comment: "a\\nb"}}', "control character"),
        ("packages: [foo-]", "'foo-' is no name of an entry in 'host.packages'"),
        ("packages: [--reinstall]", "is no name of an entry"),
        ("packages: ['a b']", "is no name of an entry"),
        ("packages: [jq, jq]", "'jq' is in the list twice"),
        ("packages: {jq: {state: gone}}", "expected present or absent, found text 'gone'"),
        ("packages: {jq: {state: absent, version: '1'}}", "package 'jq' is absent and has a version"),
        ("packages: {jq: {version: '1 2'}}", "expected text of the form"),
        ("sysctls: {ip_forward: 1}", "'ip_forward' is no name of an entry in 'host.sysctls' (write a parameter with"),
        ("sysctls: {net.ipv4.ip_forward: true}", "expected text or a whole number, found true"),
        ("sysctls: {net.ipv4.ip_forward: }", "expected text or a whole number, found nothing"),
        ('sysctls: {net.ipv4.ip_forward: "1\\nkernel.panic=1"}', "is no value of a kernel parameter"),
        ("sysctls: {net.ipv4.ip_forward: ''}", "is no value of a kernel parameter"),
        ("sysctls: {net.../etc/x: 1}", "is no name of an entry"),
        ("kernel_args: ['a=$(reboot)']", "is no name of an entry in 'host.kernel_args' (write KEY or KEY=VALUE"),
        ("kernel_args: ['a=\"b']", "is no name of an entry"),
        ("kernel_args: ['a=`b`']", "is no name of an entry"),
        ("kernel_args: ['a b']", "is no name of an entry"),
        ('kernel_args: ["a\\nb"]', "is no name of an entry"),
        ("kernel_args: {a: 1}", "an argument has nothing in it, found the number 1"),
        ("kernel_args: [console=a, console=b]", "kernel_arg.console is there twice"),
        ("kernel_args: quiet", "section 'host.kernel_args' is a mapping of names"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    found = refused(tmp_path, f"host:\n  {text}\n")
    assert found
    assert any(said in line for line in found), found
    assert all(line.startswith("4:") for line in found)


def test_accounts_that_need_each_other_are_no_cycle(tmp_path: Path) -> None:
    lab = load(tmp_path, "host: {users: {bob: {group: web}}, groups: {web: {members: [bob]}}}")
    assert wishes(lab) == {"user.bob": {"group": "web"}, "group.web": {}}
