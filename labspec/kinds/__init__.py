"""The kinds of object that a lab is made of.

A kind is a folder with two files: `model.py`, what a spec may say (loaded only to validate, so that an unchanged lab
need not import pydantic), and `live.py`, how it is read from the host and what steps a change takes. To add a kind,
add its folder and one line in `REGISTRY`, behind the kinds that it uses.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from labspec.kinds.provider import Live, Section


class Kind(NamedTuple):
    """A folder beside this file."""

    name: str
    section: str
    """Its key in the spec; `above.key` for one inside another."""
    listed: bool = False
    """Where nothing but its names need be said, the section may be a list of them."""
    live: bool = True
    """False for a kind that only stands for resources of others."""
    ground: bool = False
    """What later kinds stand on: none of their objects is made before its own are."""
    labelled: bool = False
    """Its objects carry labels on the engine; of other kinds the host has only what the spec or the journal names."""
    exclusive: bool = False
    """Its objects hold names and ports that new ones may want, so those that leave go before new ones are made."""


REGISTRY = (
    Kind("package", "host.packages", listed=True, ground=True),
    Kind("user", "host.users", ground=True),
    Kind("group", "host.groups", ground=True),
    Kind("file", "host.files", ground=True),
    Kind("sysctl", "host.sysctls", ground=True),
    Kind("kernel_arg", "host.kernel_args", listed=True, ground=True),
    Kind("daemon", "daemon", ground=True),
    Kind("image", "images", labelled=True),
    Kind("network", "networks", labelled=True),
    Kind("volume", "volumes", labelled=True),
    Kind("secret", "secrets", live=False),
    Kind("config", "configs", live=False),
    Kind("service", "services", labelled=True, exclusive=True),
    Kind("stack", "stacks", live=False),
    Kind("unit", "units", exclusive=True),
    Kind("rkt", "rkt", exclusive=True),
    Kind("bundle", "bundles", exclusive=True),
    Kind("machine", "machines", exclusive=True),
)


@cache
def sections() -> "tuple[Section, ...]":
    """Return what the spec may say of each kind, in registry order.

    Each is imported when more than its name is asked for: a spec that does not have it need not wait for its model.
    """
    return tuple(cast("Section", _Late(kind, "model", "SECTION")) for kind in REGISTRY)


@cache
def lives() -> "tuple[Live, ...]":
    """Return the live side of each kind, in registry order: each before the kinds that use it.

    Each is imported when more than its `kind` is asked for: most labs have a few of them.
    """
    return tuple(cast("Live", _Late(kind, "live", "LIVE")) for kind in REGISTRY if kind.live)


class _Late:
    """Stands for what a module of a kind has; imports it when it is asked for what the registry does not say."""

    def __init__(self, kind: Kind, module: str, value: str) -> None:
        self.kind, self.name, self.listed = kind.name, kind.section, kind.listed
        self._place = f"labspec.kinds.{kind.name}.{module}", value

    def __getattr__(self, name: str) -> Any:
        module, value = self._place
        found = getattr(getattr(import_module(module), value), name)
        setattr(self, name, found)  # the next time nobody asks here
        return found
