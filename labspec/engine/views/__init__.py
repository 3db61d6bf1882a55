"""Views for teaching: what a container is made of, as the kernel and the engine see it, beside the host.

Everything is read when it is asked for; nothing is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.engine.views.model import KINDS, Table, View

if TYPE_CHECKING:
    from labspec.core.resource import Lab
    from labspec.host.host import Host

__all__ = ["KINDS", "Table", "View", "view"]


def view(kind: str, lab: Lab, host: Host, address: str | None, query: str | None = None) -> View:
    """Return one of KINDS of what is at an address: service.web, service.web/2, unit.web.service, host, ...

    None is all of the lab that runs, which `api` has not: it takes a path of the Engine API too, and a JMESPath
    `query`. Raises LabError where there is nothing to look at, or labspec may not look.
    """
    if query is not None and kind != "api":
        raise LabError(f"there is no query of {kind}", hint="'labspec show api' takes one")
    if kind == "namespaces":
        from labspec.engine.views.namespaces import namespace_view

        return namespace_view(lab, host, address)
    if kind == "cgroups":
        from labspec.engine.views.cgroups import cgroup_view

        return cgroup_view(lab, host, address)
    if kind == "mounts":
        from labspec.engine.views.mounts import mount_view

        return mount_view(lab, host, address)
    if kind == "rights":
        from labspec.engine.views.rights import rights_view

        return rights_view(lab, host, address)
    if kind == "api":
        from labspec.engine.views.api import api_view

        return api_view(lab, host, address, query)
    raise LabError(f"there is no view '{kind}'", hint=did_you_mean(kind, KINDS) or f"there are {', '.join(KINDS)}")
