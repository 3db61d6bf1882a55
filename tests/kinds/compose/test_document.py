"""The compose files made of a lab, and what it takes to make them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from labspec.core.resource import Lab, Resource
from labspec.kinds.compose.document import execution_document, projects, rendered_document


def service(key: str = "web", project: str = "tp", **options: Any) -> Resource:
    """Return a service as `kinds.service.model` makes it."""
    given = {
        "key": key,
        "compose": {"image": "x:latest"},
        "image_address": "",
        "pull_policy": "",
        "secret_env": [],
        "parts": {},
    }
    return Resource(f"service.{key}", "service", f"{project}-{key}-1", {}, given | options, project=project)


def lab(*resources: Resource) -> Lab:
    return Lab("tp", "/lab", "/lab/lab.yaml", resources)


NETWORK = Resource(
    "network.n", "network", "tp_n", options={"key": "n", "compose": {"name": "tp_n", "driver": "bridge"}}, project="tp"
)


def test_projects_are_those_with_services() -> None:
    assert projects(lab(service(project="b"), service("x", "a"), NETWORK)) == ["a", "b"]


def test_an_executed_file_has_no_variables_and_external_objects() -> None:
    compose = {
        "image": "x:latest",
        "command": ["$A", 1],
        "environment": {"$K": "${V}"},
        "tty": True,
        "stdin_open": None,
    }
    found = execution_document(lab(service(compose=compose), NETWORK), "tp")
    assert found["services"]["web"]["command"] == ["$$A", 1]
    assert found["services"]["web"]["environment"] == {"$K": "$${V}"}
    assert found["services"]["web"]["stdin_open"] is None
    assert found["networks"] == {"n": {"name": "tp_n", "external": True}}
    assert found["services"]["web"]["labels"]["io.labspec.lab"] == "tp"
    assert "io.labspec.secrets" not in found["services"]["web"]["labels"]


def test_a_file_for_people_builds_and_hides() -> None:
    compose = {"image": "x:latest", "environment": ["A=1", "B=s3cret"]}
    made = service(compose=compose, image_address="image.x", pull_policy="always", secret_env=["B"])
    found = rendered_document(lab(made, NETWORK), "tp", {"image.x": {"context": "./x"}})
    assert found["services"]["web"] == {
        "build": {"context": "./x"},
        "image": "x:latest",
        "environment": {"A": "1", "B": None},
    }
    assert found["networks"] == {"n": {"name": "tp_n", "driver": "bridge"}}


def test_paths_into_the_lab_are_relative_to_the_output() -> None:
    compose = {
        "image": "x",
        "volumes": ["/lab/html:/h:ro", "/other:/o", "v:/v", {"type": "bind", "source": "/lab", "target": "/l"}],
        "env_file": ["/lab/a.env", {"path": "/lab/b.env", "format": "raw"}],
        "security_opt": ["seccomp:/lab/p.json", "label:disable"],
    }
    made = service(compose=compose, parts={"secrets": {"t": {"file": "/lab/t"}}})
    found = rendered_document(lab(made), "tp", {}, folder="/lab/out")
    entry = found["services"]["web"]
    assert entry["volumes"][:3] == ["./../html:/h:ro", "/other:/o", "v:/v"]
    assert entry["volumes"][3]["source"] == "./.."
    assert entry["env_file"] == ["./../a.env", {"path": "./../b.env", "format": "raw"}]
    assert entry["security_opt"] == ["seccomp:./../p.json", "label:disable"]
    assert found["secrets"]["t"]["file"] == "./../t"
    assert rendered_document(lab(made), "tp", {})["services"]["web"]["volumes"][0] == "/lab/html:/h:ro"


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, labspec.kinds.compose.document; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"pydantic", "jsonschema_rs", "yaml", "jinja2", "python_on_whales"}.isdisjoint(loaded)
