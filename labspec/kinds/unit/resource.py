"""The resource of a unit, from a section `units` or of a stack that is to start with the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.unit.names import family_of, owner_remark, unit_path
from labspec.kinds.unit.unitfile import Setting, from_spec, values_of, written

DOCKER = "/usr/bin/docker"


def unit_resource(
    name: str,
    settings: Sequence[Setting],
    text: str,
    *,
    state: str | None,
    enabled: bool | None,
    dropin: str | None = None,
    file: str | None = None,
    places: Mapping[str, Sequence[int]] | None = None,
    needs: Sequence[str] = (),
    address: str = "",
) -> Resource:
    """Return the resource of a unit whose file is `text`; without settings it has no file, only a state.

    `places` are the line and column of each "Section.Key" in the spec, or in the `file` of the lab.
    """
    values = values_of(settings)
    path = unit_path(name, dropin) if settings else None
    desired: dict[str, Any] = {"path": path, "sections": values} if settings else {}
    desired |= {key: value for key, value in (("state", state), ("enabled", enabled)) if value is not None}
    options = {
        "text": text,
        "path": path,
        "dropin": bool(dropin),
        "family": family_of(name, values),
        "places": dict(places or {}),
        "file": file,
    }
    return Resource(address or f"unit.{name}", "unit", name, desired, options, needs=tuple(needs))


def stack_unit(lab: str, stack: str, project: str, needs: Sequence[str]) -> Resource:
    """Return the unit that starts the containers of a compose project with the host, and stops them with it.

    It starts and stops those that labspec has made and makes none itself, so that the two never disagree; compose
    knows them, and which goes first, by their labels.
    """
    name, address = f"labspec-{project}.service", f"stack.{stack}.unit"
    compose = f"{DOCKER} compose --project-name {project}"
    settings = from_spec(
        {
            "Unit": {
                "Description": f"Containers of the stack {stack} of lab {lab}",
                "Requires": "docker.service",
                "After": ["network.target", "docker.service"],
            },
            "Service": {
                "Type": "oneshot",
                "RemainAfterExit": True,
                "ExecStart": f"{compose} start",
                "ExecStop": f"{compose} stop",
            },
            "Install": {"WantedBy": "multi-user.target"},
        }
    )
    text = written(settings, owner_remark(lab, address))
    return unit_resource(name, settings, text, state="started", enabled=True, needs=needs, address=address)
