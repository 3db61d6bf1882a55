"""The plugins of the docker client: programs of their own, which it looks for and asks what they are at every start."""

from __future__ import annotations

import os

from labspec.host.endpoint import client_config, client_folder

_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
"""Where the docker client looks, after the user's own folder (github.com/docker/cli, cli-plugins/manager)."""

CALLED_BY = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"
"""The variable by which a plugin knows that it stands for `docker NAME`, and takes docker's own options."""


def plugin(name: str) -> str | None:
    """Return the program that `docker NAME` runs; None where only the docker client can tell."""
    config = client_config()
    if config is None or config.keys() & {"cliPluginsExtraDirs", "plugins"}:
        return None
    paths = (f"{folder}/docker-{name}" for folder in (f"{client_folder()}/cli-plugins", *_FOLDERS))
    return next((path for path in paths if os.access(path, os.X_OK)), None)
