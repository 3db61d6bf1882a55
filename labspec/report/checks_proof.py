"""What is known of each check after a proof: the broken state that it noticed, or that it noticed none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from labspec.engine.proving import Proof
from labspec.report.text import pad, printable, width

FORMAT = 1
WORDS = {"proven": "proven", "unproven": "UNPROVEN", "unsound": "UNSOUND"}
COLOURS = {"proven": "green", "unproven": "red", "unsound": "red"}


def sound(proofs: Sequence[Proof]) -> bool:
    """Return whether every check has been seen to fail."""
    return all(proof.state == "proven" for proof in proofs)


def proof_lines(lab: str, proofs: Sequence[Proof]) -> Iterator[str]:
    """Yield for each check what makes it fail, and how many have been seen to."""
    names = [printable(str(proof.check["id"])) for proof in proofs]
    columns = max(map(width, names), default=0)
    for proof, name in zip(proofs, names, strict=True):
        good = proof.state == "proven"
        word = click.style(WORDS[proof.state].ljust(8), fg=COLOURS[proof.state], bold=not good)
        yield f"{word}  {pad(name, columns)}  {printable(_what(proof))}".rstrip()
        for reason in _reasons(proof):
            yield f"            {printable(reason)}"
    proven = sum(proof.state == "proven" for proof in proofs)
    share = f", {100 * proven / len(proofs):.0f} %" if proofs else ""
    yield ""
    yield f"Lab {lab}: {proven} of {len(proofs)} checks have been seen to fail{share}."
    left = [name for proof, name in zip(proofs, names, strict=True) if proof.state != "proven"]
    if left:
        yield f"Not proven: {', '.join(left)}."


def proof_json(lab: str, proofs: Sequence[Proof]) -> dict[str, Any]:
    """Return the JSON form; docs/json.md has its fields."""
    return {
        "format": FORMAT,
        "lab": lab,
        "ok": sound(proofs),
        "checks": [
            {
                "id": proof.check["id"],
                "kind": proof.check["kind"],
                "state": proof.state,
                "broken": proof.mutation,
                "findings": [str(finding) for finding in proof.result.findings] if proof.result else [],
                "unnoticed": list(proof.tried),
            }
            for proof in proofs
        ],
    }


def _what(proof: Proof) -> str:
    if proof.state == "proven":
        return proof.mutation
    if proof.state == "unsound":
        return "does not pass on the whole lab"
    tried = (
        f"{len(proof.tried)} broken states passed unnoticed" if proof.tried else "nothing of the lab to break for it"
    )
    return f"{tried}; name in 'about' what it depends on"


def _reasons(proof: Proof) -> list[str]:
    if proof.state == "unsound" and proof.result:
        found = [str(finding) for finding in proof.result.findings]
        return found or [proof.result.message]
    return [f"unnoticed: {text}" for text in proof.tried[:8]] if proof.state == "unproven" else []
