"""Examples for keys of the schema, which editors show and offer: one for what its description does not make plain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EXAMPLES: Mapping[str, list[Any]] = {
    "bundle.args": [["sleep", "99"]],
    "bundle.cwd": ["/srv"],
    "bundle.env": [{"TZ": "UTC"}],
    "bundle.hostname": ["box"],
    "bundle.image": ["debian:latest"],
    "bundle.mounts": [[{"target": "/scratch", "size": "16m"}]],
    "bundle.user": ["1000:1000"],
    "file.content": ["hello\n"],
    "file.mode": ["0644"],
    "file.owner": ["root"],
    "group.gid": [1500],
    "group.members": [["student"]],
    "image.Copy.chmod": ["0755"],
    "image.Copy.chown": ["www-data:www-data"],
    "image.Copy.content": ["listen 80;\n"],
    "image.Copy.dest": ["/srv/"],
    "image.Copy.from": ["builder"],
    "image.Copy.src": ["index.html", ["a.sh", "b.sh"]],
    "image.Add.src": ["https://example.org/data.tar.gz"],
    "image.Health.cmd": ["curl -fsS http://localhost || exit 1"],
    "image.Health.interval": ["30s"],
    "image.Mount.target": ["/root/.cache"],
    "image.Mount.type": ["cache"],
    "image.Run.cmd": ["apt-get update"],
    "image.Run.mount": [[{"type": "cache", "target": "/root/.cache"}]],
    "image.Step.arg": [{"PORT": "80"}],
    "image.Step.cmd": [["nginx", "-g", "daemon off;"]],
    "image.Step.comment": ["What the server needs."],
    "image.Step.copy": [{"src": "index.html", "dest": "/srv/"}],
    "image.Step.entrypoint": [["/entrypoint.sh"]],
    "image.Step.env": [{"LANG": "C.UTF-8"}],
    "image.Step.expose": [80, "53/udp"],
    "image.Step.from": [{"image": "debian:latest", "as": "builder"}],
    "image.Step.healthcheck": [{"cmd": "true", "interval": "30s"}],
    "image.Step.label": [{"org.opencontainers.image.title": "page"}],
    "image.Step.run": ["apt-get update && apt-get install -y curl"],
    "image.Step.shell": [["/bin/bash", "-c"]],
    "image.Step.stopsignal": ["SIGTERM"],
    "image.Step.user": ["www-data"],
    "image.Step.volume": ["/data"],
    "image.Step.workdir": ["/srv"],
    "image.archive": ["images/base.tar.gz"],
    "image.args": [{"VERSION": "12"}],
    "image.build_args": [{"PORT": "8080"}],
    "image.context": ["web"],
    "image.dockerfile": ["Dockerfile"],
    "image.from": ["debian:latest"],
    "image.labels": [{"org.opencontainers.image.title": "page"}],
    "image.platform": ["linux/arm64"],
    "image.rootfs": [{"debootstrap": "bookworm"}],
    "image.steps": [[{"run": "apt-get update"}, {"cmd": ["bash"]}]],
    "image.syntax": ["docker/dockerfile:1"],
    "image.BuildSecret.source": ["token"],
    "image.additional_contexts": [{"shared": "shared", "tools": "docker-image://debian:latest"}],
    "image.cache_from": [["page:1.0"]],
    "image.cache_to": [["type=inline"]],
    "image.extra_hosts": [{"mirror": "10.0.0.5"}],
    "image.network": ["none"],
    "image.secrets": [["token"]],
    "image.shm_size": ["128m"],
    "image.ssh": [["default"]],
    "image.tag": ["page:1.0"],
    "image.tags": [["page:latest"]],
    "image.ulimits": [{"nofile": 1024}],
    "image.target": ["builder"],
    "machine.command": [["sleep", "infinity"]],
    "machine.image": ["debian:latest"],
    "machine.tmpfs": [["/scratch"]],
    "network.driver": ["bridge"],
    "network.labels": [{"course": "b3"}],
    "network.name": ["campus"],
    "network.subnets": [["10.10.0.0/24"]],
    "package.version": ["1.2-3"],
    "rkt.args": [["9999"]],
    "rkt.exec": ["/bin/sleep"],
    "rkt.image": ["docker://alpine"],
    "rkt.insecure_options": [["image"]],
    "rkt.net": ["host"],
    "rkt.stage1": ["coreos.com/rkt/stage1-fly:1.29.0"],
    "stack.env": [{"TAG": "latest"}],
    "stack.env_file": [".env"],
    "stack.file": ["compose.yaml"],
    "stack.profiles": [["debug"]],
    "unit.Install": [{"WantedBy": "multi-user.target"}],
    "unit.Service": [{"ExecStart": "/usr/bin/python3 -m http.server", "Restart": "always"}],
    "unit.Timer": [{"OnCalendar": "daily", "Persistent": True}],
    "unit.Unit": [{"Description": "pages of the lab", "After": "network.target"}],
    "unit.depends_on": [["service.web"]],
    "unit.dropin": ["more-files"],
    "unit.file": ["backup.service"],
    "user.groups": [["docker"]],
    "user.home": ["/home/student"],
    "user.shell": ["/bin/bash"],
    "user.uid": [1500],
    "volume.Tmpfs.size": ["100m"],
    "volume.Tmpfs.uid": [1000],
    "volume.driver": ["local"],
    "volume.driver_opts": [{"type": "tmpfs", "device": "tmpfs", "o": "size=100m"}],
    "volume.labels": [{"course": "b3"}],
    "volume.name": ["archive"],
    "volume.tmpfs": [{"size": "100m", "uid": 1000}],
}
"""Definition and key -> values that the key may have."""


def with_examples(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definitions of a schema, with examples for keys that have none of their own."""
    return {name: _with_examples(name, definition) for name, definition in definitions.items()}


def _with_examples(name: str, definition: Any) -> Any:
    if not isinstance(definition, dict) or "properties" not in definition:
        return definition
    properties = {
        key: {**value, "examples": EXAMPLES[f"{name}.{key}"]}
        if f"{name}.{key}" in EXAMPLES and "examples" not in value
        else value
        for key, value in definition["properties"].items()
    }
    return {**definition, "properties": properties}
