"""labspec check --prove: in the sandbox that it runs in, or sent into one that may be made for it."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.core.resource import Lab

EXIT_UNPROVEN = 2
FRESH = "fresh"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be proven, as it was asked for."""

    spec: str | None
    variables: Mapping[str, str]
    variable_files: tuple[Path, ...]
    only: tuple[str, ...]
    allow_missing: bool
    as_json: bool


def prove(lab: Lab, wanted: Wanted, sandbox: str | None) -> int:
    """Prove the checks of a lab, print what came of it, and return the exit code.

    Raises LabError where this host is no sandbox and none is named.
    """
    if sandbox is not None:
        return _elsewhere(wanted, sandbox)
    if "LABSPEC_SANDBOX" not in os.environ:
        raise LabError(
            "a proof breaks the lab and the host that it is on in many ways",
            hint="do it in a sandbox: --sandbox fresh, or labspec --sandbox NAME check --prove",
        )
    from labspec.engine.checking import checks_of, without_program
    from labspec.engine.proving import prove as prove_here
    from labspec.host.host import Host
    from labspec.report.checks_proof import proof_json, proof_lines, sound
    from labspec.spec.loader import Edit, load

    def reload(edit: Edit) -> Lab:
        path = Path(wanted.spec) if wanted.spec else None
        return load(path, variables=wanted.variables, variable_files=wanted.variable_files, edit=edit)

    host, checks = Host(), checks_of(lab, None, wanted.only)
    left_out = without_program(lab, host, checks) if wanted.allow_missing else {}
    proofs = prove_here(
        lab,
        reload,
        host,
        checks,
        lambda text: click.echo(f"Breaking: {text}", err=True),
        allow_missing=wanted.allow_missing,
        left_out=left_out,
    )
    for name, why in left_out.items():
        click.echo(f"Left out: {name}, {why}", err=True)
    if wanted.as_json:
        click.echo(json.dumps(proof_json(lab.name, proofs)))
    else:
        for line in proof_lines(lab.name, proofs):
            click.echo(line)
    return 0 if sound(proofs) else EXIT_UNPROVEN


def _elsewhere(wanted: Wanted, sandbox: str) -> int:
    """Run the proof in a sandbox; a fresh one is made for it, and removed afterwards."""
    from labspec.cli.sandboxed import Call, run_inside
    from labspec.host.docker import Docker
    from labspec.host.sandbox import lifecycle
    from labspec.host.sandbox.folder import absolute, inside
    from labspec.host.sandbox.wish import Wish

    spec = inside(wanted.spec) if wanted.spec else None
    files = [str(path) for path in wanted.variable_files]
    call = Call(tuple(_arguments(wanted, spec, files)), True, wanted.spec, tuple(map(absolute, files)), None)
    if sandbox != FRESH:
        return run_inside(sandbox, "check", call)
    name = f"proof-{uuid.uuid4().hex[:8]}"
    docker = Docker()
    made, _ = lifecycle.up(docker, Wish(name), lambda text: click.echo(f"{text} ...", err=True))
    try:
        return run_inside(name, "check", call)
    finally:
        lifecycle.down(docker, made)


def _arguments(wanted: Wanted, spec: str | None, files: Sequence[str]) -> list[str]:
    from labspec.host.sandbox.folder import inside

    found = ["--prove"]
    found += [f"--var={name}={value}" for name, value in wanted.variables.items()]
    found += [f"--var-file={inside(path)}" for path in files]
    found += [f"--only={name}" for name in wanted.only]
    found += ["--allow-missing"] if wanted.allow_missing else []
    found += ["--json"] if wanted.as_json else []
    return [*found, *(["--", spec] if spec else [])]
