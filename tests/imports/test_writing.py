"""The text of a spec: what it says is read back the same, and it looks as people write it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from labspec.imports.report import Imported
from labspec.imports.writing import spec_text
from labspec.spec.formatting import formatted
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse


def read(text: str) -> Any:
    report = Report()
    document = parse(text.encode(), "lab.yaml", report)
    report.check()
    assert document is not None
    return document.value


def test_order_style_and_blocks() -> None:
    sections = {
        "services": {
            "web": {
                "image": "debian:latest",
                "command": ["sleep", "9"],
                "ports": ["22:22"],
                "environment": {"A": "no", "B": "1", "C": "one\ntwo\n"},
                "volumes": [{"type": "bind", "source": "./a", "target": "/a"}],
            }
        },
        "vars": {"port": 1},
    }
    assert spec_text(Imported("shop", sections, comment="From compose.yaml.")) == (
        "# yaml-language-server: $schema=./labspec.schema.json\n"
        "# From compose.yaml.\n"
        "labspec: 1\n"
        "lab:\n"
        "  name: shop\n"
        "\n"
        "vars:\n"
        "  port: 1\n"
        "\n"
        "services:\n"
        "  web:\n"
        "    image: debian:latest\n"
        '    command: [sleep, "9"]\n'
        '    ports: ["22:22"]\n'
        "    environment:\n"
        '      A: "no"\n'
        '      B: "1"\n'
        "      C: |\n"
        "        one\n"
        "        two\n"
        "    volumes:\n"
        "      - type: bind\n"
        "        source: ./a\n"
        "        target: /a\n"
    )


def test_comments_of_the_source_stay() -> None:
    source = YAML().load(
        "services:\n  # The front.\n  web:\n    image: a  # pinned\n    ports:\n      # for people\n      - 80:80\n"
    )
    text = spec_text(Imported("shop", {"services": source["services"]}))
    for said in ("# The front.", "# pinned", "# for people"):
        assert said in text


def test_the_name_of_the_user_goes_before() -> None:
    assert read(spec_text(Imported("shop", {}), "mine"))["lab"] == {"name": "mine"}


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t:#-{}[]&*!|>'\"%@`")
)
KEYS = st.text(st.sampled_from("ab-:#1"), min_size=1)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_reads_back_the_same(value: Any) -> None:
    assert read(spec_text(Imported("lab", {"vars": {"v": value}})))["vars"] == {"v": value}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "12:30:45",
        "0x1f",
        "1e3",
        "~",
        "<<",
        "=",
        "a\n",
        "a \nb",
        "\ta",
        " a\nb",
        "a\n\n",
        "::1",
        '0:"',
        "0:'\"",
    ],
)
def test_text_that_is_easily_misread(text: str) -> None:
    written = spec_text(Imported("lab", {"vars": {"v": text, "l": [text]}}))
    assert read(written)["vars"] == {"v": text, "l": [text]}
    assert formatted(written.encode(), "lab.yaml").decode() == written
