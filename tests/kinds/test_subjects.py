"""Addresses of what runs: the lab's own, one of several containers, the machine itself."""

from __future__ import annotations

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab, Resource
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.kinds.subjects import HOST, base_of, subjects

LAB = Lab(
    "tp",
    "/lab",
    "/lab/lab.yaml",
    (
        Resource("image.page", "image", "page"),
        Resource("service.web", "service", "tp-web-1", needs=("image.page",)),
        Resource("stack.portainer.service.portainer", "service", "tp-portainer-portainer-1"),
        Resource("unit.web.service", "unit", "web.service"),
    ),
)


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("service.web", "service.web"),
        ("service.web/2", "service.web"),
        ("stack.portainer.service.portainer", "stack.portainer.service.portainer"),
        ("unit.web.service", "unit.web.service"),
        ("host", "host"),
    ],
)
def test_an_address_has_one_of_the_lab_in_it(address: str, base: str) -> None:
    assert base_of(address, LAB) == base


@pytest.mark.parametrize(
    ("address", "message", "hint"),
    [
        ("service.wep", "service.wep: the lab has no service.wep", "did you mean 'service.web'?"),
        ("nothing", "nothing: the lab has no nothing", "there are host, service.web"),
        ("image.page", "image.page: nothing runs at this address; its kind is image", "it is used by service.web"),
        ("unit.web.service/2", "only services have numbered containers", "write unit.web.service"),
        ("service.web/two", "'two' is no number of a container", "for example service.web/2"),
        ("host/2", "host/2: there is one host only", "write host"),
    ],
)
def test_what_is_no_address_of_something_that_runs_is_refused(address: str, message: str, hint: str) -> None:
    with pytest.raises(LabError) as refused:
        base_of(address, LAB)
    said = refused.value.diagnostics[0]
    assert message in said.message
    assert hint in (said.hint or "")


def test_the_machine_itself_is_found_without_an_engine() -> None:
    found = subjects(LAB, Host(Docker("unix:///nowhere/docker.sock")), [HOST])
    assert (found[HOST].kind, found[HOST].pid, found[HOST].running) == ("host", 1, True)
