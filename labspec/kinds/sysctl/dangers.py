"""Kernel parameters that decide how safe the host is, so that a stranger's lab says it before it sets one.

The name for `--allow` is kernel: parameters of the kernel itself, and arguments of its command line.
"""

from __future__ import annotations

from collections.abc import Iterator

from labspec.core.change import Danger
from labspec.core.resource import Resource

_STRONG = ("kernel.", "fs.protected_", "fs.suid_dumpable", "fs.binfmt_misc", "vm.mmap_min_addr", "dev.tty.", "user.")


def dangers(resource: Resource) -> Iterator[Danger]:
    """Yield the danger in a parameter."""
    if resource.name.startswith(_STRONG):
        value = resource.desired["value"]
        yield Danger("kernel", resource.address, f"sets {resource.name} = {value}: it decides how safe the host is")
