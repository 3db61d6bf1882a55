"""An editor with the YAML language server: it completes, explains and checks a lab.yaml by labspec's schema.

`.ci/editor` installs the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from server import Server

from labspec.cli.schema import schema_text

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".venv/editor/node_modules/.bin/yaml-language-server"
MODELINE = "# yaml-language-server: $schema=./labspec.schema.json\n"
LAB = f"""{MODELINE}labspec: 1
lab: {{name: a}}
images:
  page:
    from: debian
    steps:
      - run: "true"
volumes:
  foo: {{tmpfs: {{size: 100m}}}}
services:
  web:
    image: page
{"    "}
"""

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no language server: .ci/editor installs it")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return the server in a folder with labspec's schema, as `labspec init` leaves it."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "labspec.schema.json").write_text(schema_text(), encoding="utf-8")
    made = Server(PROGRAM, folder)
    yield made
    made.close()


def labels(answer: Any) -> set[str]:
    items = answer["items"] if isinstance(answer, dict) else answer
    return {item["label"] for item in items or ()}


def test_a_good_lab_has_no_diagnostics(server: Server) -> None:
    for path in (*ROOT.glob("examples/*/lab.yaml"), ROOT / "labspec/cli/starter/lab.yaml"):
        text = path.read_text(encoding="utf-8")
        said = server.open(f"{path.parent.name}.yaml", text if text.startswith(MODELINE) else MODELINE + text)
        assert [item["message"] for item in said] == [], path


def test_a_wrong_key_is_marked(server: Server) -> None:
    (found,) = server.open("wrong.yaml", LAB.replace("image: page", "imgae: page"))
    assert "imgae" in found["message"]
    assert found["range"]["start"] == {"line": 12, "character": 4}


def test_a_wrong_value_is_marked(server: Server) -> None:
    (found,) = server.open("value.yaml", LAB.replace("size: 100m", "size: big"))
    assert found["range"]["start"]["line"] == 9


def test_keys_are_completed(server: Server) -> None:
    server.open("complete.yaml", LAB)
    offered = labels(server.at("completion", "complete.yaml", 13, 4))
    assert {"command", "ports", "volumes", "healthcheck"} <= offered
    assert "image" not in offered
    server.open("top.yaml", f"{MODELINE}labspec: 1\nlab: {{name: a}}\n\n")
    assert {"images", "services", "volumes", "units"} <= labels(server.at("completion", "top.yaml", 3, 0))


def test_keys_are_explained(server: Server) -> None:
    server.open("hover.yaml", LAB)
    said = server.at("hover", "hover.yaml", 5, 5)["contents"]["value"]
    assert "The image to start from" in said
    assert "debian:latest" in said
