"""Whether what a secret or config is made of is on this host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def lack(definition: Mapping[str, Any], *, files: bool = True) -> tuple[str, str] | None:
    """Return what a secret or config lacks, and what to try; None for nothing. Not `files`: they are elsewhere."""
    file, variable = definition.get("file"), definition.get("environment")
    if files and file and not os.access(file, os.R_OK):
        return f"there is no file {file} that you may read", "write it, or correct its path"
    if variable and variable not in os.environ:
        return f"the environment has no variable {variable}", "set and export it"
    return None
