"""The kinds of object that a lab is made of.

A kind is a folder with two files: `model.py`, what a spec may say (loaded only to validate, so that an unchanged lab
need not import pydantic), and `live.py`, how it is read from the host and what steps a change takes. To add a kind,
add its folder and one line in `REGISTRY`, behind the kinds that it uses.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from labspec.kinds.provider import Live, Section


class Kind(NamedTuple):
    """A folder beside this file."""

    name: str
    live: bool = True
    """False for a kind that only stands for resources of others."""
    ground: bool = False
    """What later kinds stand on: none of their objects is made before its own are."""
    labelled: bool = False
    """Its objects carry labels on the engine; of other kinds the host has only what the spec or the journal names."""
    exclusive: bool = False
    """Its objects hold names and ports that new ones may want, so those that leave go before new ones are made."""


REGISTRY = (
    Kind("package", ground=True),
    Kind("user", ground=True),
    Kind("group", ground=True),
    Kind("file", ground=True),
    Kind("sysctl", ground=True),
    Kind("kernel_arg", ground=True),
    Kind("daemon", ground=True),
    Kind("image", labelled=True),
    Kind("network", labelled=True),
    Kind("volume", labelled=True),
    Kind("secret", live=False),
    Kind("config", live=False),
    Kind("service", labelled=True, exclusive=True),
    Kind("stack", live=False),
    Kind("unit", exclusive=True),
    Kind("rkt", exclusive=True),
    Kind("bundle", exclusive=True),
    Kind("machine", exclusive=True),
)


@cache
def sections() -> tuple[Section, ...]:
    """Return what the spec may say of each kind, in registry order."""
    return tuple(import_module(f"labspec.kinds.{kind.name}.model").SECTION for kind in REGISTRY)


@cache
def lives() -> tuple[Live, ...]:
    """Return the live side of each kind, in registry order: each before the kinds that use it.

    Each is imported when more than its `kind` is asked for: most labs have a few of them.
    """
    return tuple(cast("Live", _Late(kind.name)) for kind in REGISTRY if kind.live)


class _Late:
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __getattr__(self, name: str) -> Any:
        found = getattr(import_module(f"labspec.kinds.{self.kind}.live").LIVE, name)
        setattr(self, name, found)  # the next time nobody asks here
        return found
