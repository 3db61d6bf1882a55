"""What /proc says of a process, decoded."""

from __future__ import annotations

import pytest

from labspec.engine.views.powers import POWERS
from labspec.engine.views.process import IdRange, accounts, capabilities, id_map, inside, is_remapped, rights
from labspec.host.sandbox.capabilities import NAMES

STATUS = """\
Name:\tnginx: master
Umask:\t0022
Uid:\t100000\t100033\t100033\t100033
Gid:\t100000\t100033\t100033\t100033
NSpid:\t4242\t1
Groups:\t27 44
CapInh:\t0000000000000000
CapPrm:\t00000000a80425fb
CapEff:\t0000000000000400
CapBnd:\t00000000a80425fb
CapAmb:\t0000000000000000
NoNewPrivs:\t1
Seccomp:\t2
Seccomp_filters:\t3
"""


def test_a_status_says_what_a_process_may() -> None:
    found = rights(STATUS)
    assert (found.name, found.uids[:2], found.gids[1], found.groups) == (
        "nginx: master",
        (100000, 100033),
        100033,
        (27, 44),
    )
    assert (found.seccomp, found.filters, found.no_new_privs, found.pids) == ("filter", 3, True, (4242, 1))
    assert capabilities(found.effective) == ("NET_BIND_SERVICE",)


def test_the_usual_mask_of_docker_has_fourteen_names() -> None:
    names = (
        "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD "
        "AUDIT_WRITE SETFCAP"
    )
    assert capabilities(rights(STATUS).bounding) == tuple(names.split())


def test_a_capability_that_is_newer_than_labspec_is_a_number() -> None:
    assert capabilities(1 << 40 | 1 << 45) == ("CHECKPOINT_RESTORE", "45")
    assert capabilities(0) == ()


def test_an_old_kernel_says_less() -> None:
    found = rights("Name:\tsh\nCapBnd:\tnonsense\n")
    assert (found.seccomp, found.filters, found.no_new_privs, found.pids, found.bounding) == ("", None, None, (), 0)


@pytest.mark.parametrize(
    ("outer", "inner"), [(99999, None), (100000, 0), (100999, 999), (165535, 65535), (165536, None), (1000, 65536)]
)
def test_ids_are_others_inside(outer: int, inner: int | None) -> None:
    ranges = id_map("         0     100000      65536\n     65536       1000          1\n")
    assert inside(outer, ranges) == inner
    assert is_remapped(ranges)


def test_every_id_onto_itself_is_no_namespace() -> None:
    ranges = id_map("         0          0 4294967295\n")
    assert ranges == (IdRange(0, 0, 4294967295),)
    assert not is_remapped(ranges)


def test_accounts_have_their_first_name() -> None:
    assert accounts("root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbad line\nweb:x:33:33\nx:y:+1:1\n") == {
        0: "root",
        33: "web",
    }


def test_every_capability_is_explained() -> None:
    assert set(POWERS) == set(NAMES)
