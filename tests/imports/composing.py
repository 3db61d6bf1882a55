"""Compose files of the tests: how each is read, and what docker compose makes of it and of its import."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labspec.imports.compose import ComposeFiles, import_compose
from labspec.imports.report import Loss
from labspec.imports.writing import spec_text
from labspec.outputs.render import render
from labspec.spec.loader import load_text

FOLDER = Path(__file__).parents[1] / "data" / "compose"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/root", "FROM_SHELL": "the shell's", "SECRET_TOKEN": "s3cret"}


@dataclass(frozen=True)
class Case:
    """Compose files that are read together."""

    files: tuple[str, ...]
    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    stack: str | None = None

    def __str__(self) -> str:
        parts = (*self.files, *self.profiles, *self.env_files, *(("stack",) if self.stack else ()))
        return "+".join(part.removesuffix(".yaml") for part in parts)


def config(files: Sequence[Path], profiles: Sequence[str], env_files: Sequence[Path], name: str) -> Any:
    """Return what docker compose makes of files."""
    pairs = [("--profile", profiles), ("--env-file", env_files), ("-f", files)]
    options = [part for option, items in pairs for item in items for part in (option, str(item))]
    command = ["docker", "compose", "-p", name, *options, "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def both(case: Case, folder: Path, out: Path) -> tuple[Any, Any, tuple[Loss, ...]]:
    """Return what docker compose makes of the source and of the rendered import, paths made equal; and the losses."""
    files = tuple(folder / name for name in case.files)
    env_files = tuple(folder / name for name in case.env_files)
    wish = ComposeFiles(
        files, folder, case.profiles, env_files, stack=case.stack, environment=ENVIRONMENT, compare=False
    )
    with ThreadPoolExecutor() as pool:
        source = pool.submit(config, files, case.profiles, env_files, "compose")
        imported = import_compose(wish)
        lab = load_text(spec_text(imported), folder / "lab.yaml")
        render(lab, out)
        before = source.result()
    below = out if (out / "compose.yaml").exists() else next((out / "stacks").iterdir())
    after = config([below / "compose.yaml"], (), (), "compose")
    return placed(before, folder, "compose"), placed(after, below, project(lab)), imported.losses


def project(lab: Any) -> str:
    """Return the one compose project of a lab."""
    (found,) = {resource.project for resource in lab.resources if resource.kind == "service"}
    return str(found)


def placed(value: Any, folder: Path, name: str) -> Any:
    """Return a value in which a folder and the project have no name of their own, and null is nowhere."""
    if isinstance(value, Mapping):
        return {key: placed(item, folder, name) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [placed(item, folder, name) for item in value]
    if not isinstance(value, str):
        return value
    value = value.replace(str(folder), "HERE").replace(str(FOLDER), "HERE")
    return re.sub(rf"^(?:compose|{name})(?=_|$)", "PROJECT", value)
