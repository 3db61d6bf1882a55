"""Dockerfiles as steps: BuildKit's parser reads the same in a Dockerfile and in what its spec renders to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.imports.dockerfile import imported
from labspec.imports.report import Imported
from labspec.imports.writing import spec_text
from labspec.kinds.image.dockerfile import dockerfile_text
from labspec.kinds.image.model import Image
from labspec.spec.formatting import formatted
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

buildkit = pytest.importorskip("buildkit", reason="BuildKit's parser is there for x86_64 only", exc_type=ImportError)


def read(text: str) -> Imported:
    return imported(text, "Dockerfile", "x", "lab")


def spec(made: Imported) -> dict[str, Any]:
    """Return the image as its spec has it, read back from the text."""
    text = spec_text(made)
    assert formatted(text.encode(), "lab.yaml").decode() == text
    document = parse(text.encode(), "lab.yaml", Report())
    assert document is not None
    image: dict[str, Any] = document.value["images"]["x"]
    Image.model_validate(image, strict=True)
    return image


def rendered(image: dict[str, Any]) -> str:
    """Return the Dockerfile of an image, lookups seen as the loader sees them."""

    def said(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: said(item) for key, item in value.items()}
        if isinstance(value, list):
            return [said(item) for item in value]
        return value.replace("$${{", "${{") if isinstance(value, str) else value

    whole = said(image)
    return dockerfile_text(whole["from"], whole.get("steps", ()), args=whole.get("args"), syntax=whole.get("syntax"))


FOLDER = Path(__file__).parent / "dockerfiles"
CASES = {
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())},
    "carriage-returns": "FROM a\r\nRUN a \\\r\n  b\r\nENV X=1\r\n",
    "blanks-behind-backslashes": "FROM a\nRUN a \\  \n  b \\\t\n  c\n",
    "backslash-at-the-end": "FROM a\nRUN a \\",
    "odd-spaces": "FROM  a   AS   b\n\n\n  RUN   x   y\t\n\tENV\tA=1\tB=2\nENV C\td\nCOPY\ta\tb\n",
    "long": "FROM a\nRUN " + " ".join(f"word{number}" for number in range(3000)) + "\n",
    "byte-order-mark": "\ufeffFROM a\nRUN x\n",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_buildkit_reads_the_same(text: str) -> None:
    made = read(text)
    assert made.losses == ()
    assert buildkit.sequence(rendered(spec(made))) == buildkit.sequence(text.removeprefix("\ufeff"))


def test_it_reads_well() -> None:
    """The text of the spec: comments above their steps, commands over lines as they were written."""
    made = read(
        "# A web server.\n# syntax is not meant here\n\nARG V=12\nFROM debian:$V\n# What it needs.\n# All of it.\n"
        'RUN apt-get update && \\\n    # small\n    apt-get install -y nginx\n\nEXPOSE 80\nCMD ["nginx"]\n'
    )
    assert spec_text(made) == (
        "# yaml-language-server: $schema=./labspec.schema.json\n# A web server.\n# syntax is not meant here\n"
        'labspec: 1\nlab:\n  name: lab\n\nimages:\n  x:\n    args:\n      V: "12"\n    from: debian:$V\n    steps:\n'
        "      # What it needs.\n      # All of it.\n      - run: |-\n          apt-get update && \\\n"
        "              # small\n              apt-get install -y nginx\n      - expose: 80\n      - cmd: [nginx]\n"
    )


def test_no_comment_is_lost() -> None:
    text = "# a\nARG X\n# b\nFROM x\n# c\nENV A=1 \\\n  # d\n  B=2\nCOPY <<E /y\n# no comment\nE\n# e\nRUN x\n# f\n"
    found = [line.strip() for line in spec_text(read(text)).splitlines() if line.strip().startswith("# ")]
    assert found[1:] == ["# a", "# b", "# c", "# d", "# no comment", "# e", "# f"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("FROM a\nRUN x\nCOPPY a b\n", 3, "there is no instruction COPPY"),
        ("RUN x\nFROM a\n", 1, "a Dockerfile begins with FROM"),
        ("", 1, "a Dockerfile begins with FROM"),
        ("FROM a\nRUN\n", 2, "RUN says nothing"),
        ("FROM a b\n", 1, "FROM takes an image, and AS with a name"),
        ("FROM a\nCOPY a\n", 2, "COPY takes what to copy, and where to"),
        ("FROM a\nENV A\n", 2, "ENV takes a name and a value"),
        ("FROM a\nENV A=1 B\n", 2, "'B' in ENV has no value"),
        ('FROM a\nENV A="1\n', 2, "a quote in ENV is not closed"),
        ("FROM a\nENV A=${B:-c\n", 2, "a spec cannot say ${B:-c"),
        ("FROM a\nSHELL /bin/bash\n", 2, 'SHELL takes a list in JSON: SHELL ["/bin/bash", "-c"]'),
        ("FROM a\nHEALTHCHECK x\n", 2, "HEALTHCHECK takes CMD and a command, or NONE"),
        ("FROM a\nADD --from=b x y\n", 2, "a spec has no word for ADD --from"),
        ("FROM a\nRUN --device=x y\n", 2, "a spec has no word for RUN --device"),
        ("FROM a\nRUN --mount=type=cache,odd=1 y\n", 2, "a spec has no word for odd in --mount=type=cache,odd=1"),
        ("FROM a\nHEALTHCHECK --retries=x CMD y\n", 2, "--retries=x is no number"),
        ("FROM a\nEXPOSE \u00b2\n", 2, "'\u00b2' is not a port"),
        ("FROM a\nEXPOSE eighty\n", 2, "'eighty' is not a port such as 80, 53/udp or $PORT"),
        ("FROM a\n\nLABEL io.labspec.lab=x\n", 3, "the label io.labspec.lab is for labspec and compose to set"),
    ],
)
def test_refusals(text: str, line: int, message: str) -> None:
    with pytest.raises(LabError) as refused:
        read(text)
    found = refused.value.diagnostics[0]
    assert found.at is not None
    assert (found.at.line, found.message[: len(message)]) == (line, message)


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("# check=skip=all\nFROM a\n", "# check", 1),
        ("# syntax=x y\nFROM a\n", "# syntax=x y", 1),
        ("FROM a\r\nRUN <<E\r\nx\r\nE\r\n", "RUN in line 2", 2),
    ],
)
def test_losses(text: str, name: str, line: int) -> None:
    (loss,) = read(text).losses
    assert (loss.name, loss.at and loss.at.line) == (name, line)
