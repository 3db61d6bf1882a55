"""labspec graph: draw what the lab is made of, and what refers to what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labspec.cli import options
from labspec.core.diagnostic import LabError, did_you_mean

if TYPE_CHECKING:
    from labspec.core.resource import Lab

FORMATS = ("mermaid", "dot", "svg")
ENDINGS = {".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot", ".svg": "svg"}

EPILOG = """\b
Exit codes:
  0  drawn
  1  the spec has mistakes, or FILE cannot be written

\b
Examples:
  labspec graph                         as Mermaid, for a README on GitHub
  labspec graph -o lab.svg              as a picture, light and dark
  labspec graph -o lab.svg --lang fr    with French words
  labspec graph --format dot | dot -Tpdf -o lab.pdf
  labspec graph --json | jq -r '.edges[] | "\\(.from) \\(.to)"'

Read on: docs/views.md."""


@click.command("graph", epilog=EPILOG, short_help="Draw the lab: what is connected to what")
@options.spec
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="What to write; by the ending of FILE where it is not given, else mermaid.",
)
@click.option(
    "-o",
    "--out",
    "out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to FILE.",
)
@click.option("--lang", "language", metavar="LANGUAGE", help="The language of the words; the lab's by default.")
@options.variables
@options.as_json
@options.everywhere
def command(
    spec: str | None,
    form: str | None,
    out: Path | None,
    language: str | None,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Draw what the lab is made of: services, images, networks, volumes, published ports, units, settings of the host.

    Everything comes from the spec: the host is not looked at.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    lab = options.load(spec, variables, variable_files)
    if as_json:
        from labspec.outputs.graph.topology import topology

        text = json.dumps(topology(lab).as_json()) + "\n"
    else:
        text = _drawn(lab, form or _by_ending(out), _language(language, lab))
    if out is None:
        click.echo(text, nl=False)
        return
    from labspec.host.state import write_atomic

    try:
        write_atomic(out, text.encode(), 0o644)
    except OSError as error:
        raise LabError(f"cannot write {out}: {error.strerror}") from error


def _by_ending(out: Path | None) -> str:
    if out is None:
        return FORMATS[0]
    form = ENDINGS.get(out.suffix.lower())
    if form is None:
        hint = f"name it {' or '.join(f'{out.stem}{ending}' for ending in ('.svg', '.mmd', '.dot'))}, or give --format"
        raise LabError(f"{out}: its ending does not say what to write", hint=hint)
    return form


def _language(given: str | None, lab: Lab) -> str:
    from labspec.outputs.graph.words import WORD_LANGUAGES

    known = list(dict.fromkeys((*lab.languages, *WORD_LANGUAGES)))
    if given is not None and given not in known:
        raise LabError(f"--lang {given}: the lab has no such language", did_you_mean(given, known) or ", ".join(known))
    return given or lab.language


def _drawn(lab: Lab, form: str, language: str) -> str:
    from labspec.outputs import graph

    if form == "svg":
        return graph.svg(lab, language)
    return graph.dot(lab, language) if form == "dot" else graph.mermaid(lab, language)
