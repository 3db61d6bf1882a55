"""Where the docker client finds a plugin, and where only it can tell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from labspec.host import plugins
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.plugins import plugin


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """Return the user's folder of docker, and two of the system."""
    found = tmp_path / "own", tmp_path / "first", tmp_path / "second"
    for folder in found:
        folder.mkdir()
    (found[0] / "cli-plugins").mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(found[0]))
    monkeypatch.setattr(plugins, "_FOLDERS", (str(found[1]), str(found[2])))
    return found


def put(folder: Path, mode: int = 0o755) -> str:
    program = folder / "docker-compose"
    program.write_text("#!/bin/sh\n")
    program.chmod(mode)
    return str(program)


def test_the_first_that_is_a_program(folders: tuple[Path, Path, Path]) -> None:
    own, first, second = folders
    assert plugin("compose") is None
    expected = put(second)
    put(first, 0o644)
    assert plugin("compose") == expected
    put(own / "cli-plugins")
    assert plugin("compose") == str(own / "cli-plugins/docker-compose")


@pytest.mark.parametrize(
    "config", ['{"cliPluginsExtraDirs": ["/opt"]}', '{"plugins": {"compose": {"x": "y"}}}', "[]", "{", "{}"]
)
def test_what_the_user_has_set_is_left_to_the_client(folders: tuple[Path, Path, Path], config: str) -> None:
    expected = put(folders[1])
    (folders[0] / "config.json").write_text(config)
    assert plugin("compose") == (expected if config == "{}" else None)


@pytest.mark.live
@pytest.mark.parametrize("there", [True, False])
def test_the_client_takes_compose_either_way(there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plugin("compose")
    assert found, "the docker client has no compose plugin where it looks for one"
    file = tmp_path / "compose.json"
    file.write_text('{"name": "given", "services": {"web": {"image": "debian:latest"}}}')
    if not there:
        monkeypatch.setattr(plugins, "_FOLDERS", ())
    engine = Docker()
    try:
        client = Host(engine).whales.client(compose=True)
        whales = DockerClient(**client, compose_files=[file], compose_project_name="labspec-test-plugins")
        assert (found in whales.client_config.client_call) is there
        assert list(whales.compose.config().services or {}) == ["web"]
        assert whales.compose.ps() == []
    finally:
        engine.close()


@pytest.mark.live
def test_compose_says_so_where_it_fails(tmp_path: Path) -> None:
    found = plugin("compose")
    assert found
    done = subprocess.run(
        ["env", f"{plugins.CALLED_BY}=docker", found, "--host", "unix:///nowhere", "compose", "-p", "x", "ps"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode != 0
    assert "nowhere" in done.stderr
