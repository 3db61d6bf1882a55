"""Asking the engine without labspec and without the docker client: what is there is looked at by another way."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import tarfile
from typing import Any
from urllib.parse import quote, urlencode

SECONDS = 60


class _Unix(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))


def ask(target: str, **query: Any) -> bytes:
    """Return what the engine answers. Raises OSError where it does not, or says no."""
    connection = _Unix("localhost")
    try:
        connection.request("GET", f"{target}?{urlencode(query)}")
        answer = connection.getresponse()
        content = answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise OSError(f"{target}: {answer.status} {content[:200]!r}")
    return content


def inspected(container: str) -> Any:
    """Return what the engine knows of a container."""
    return json.loads(ask(f"/containers/{quote(container)}/json"))


def file_in(container: str, path: str) -> str:
    """Return the content of a file in a container."""
    with tarfile.open(fileobj=io.BytesIO(ask(f"/containers/{quote(container)}/archive", path=path))) as tar:
        found = tar.extractfile(tar.getmembers()[0])
        assert found is not None
        return found.read().decode()


def labelled(kind: str, label: str) -> list[dict[str, Any]]:
    """Return the containers, networks, volumes or images with a label, whatever their state."""
    query = {"filters": json.dumps({"label": [label]}), "all": "1"}
    found = json.loads(ask({"containers": "/containers/json", "images": "/images/json"}.get(kind, f"/{kind}"), **query))
    listed: list[dict[str, Any]] = found["Volumes"] or [] if kind == "volumes" else found
    return listed
