"""Where the Docker engine is, by the environment and the docker context, and why it does not answer."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.host.remote import Way


def deadline(variable: str, usual: float) -> float:
    """Return a number of seconds from the environment, or the usual one. Raises LabError for what is no such number."""
    text = os.environ.get(variable) or str(usual)
    if not text.replace(".", "", 1).isdecimal() or float(text) <= 0:
        raise LabError(f"{variable}={text}: no number of seconds", hint=f"for example {variable}={usual:g}")
    return float(text)


def client_folder() -> str:
    """Return the folder where the docker client keeps what is the user's own."""
    return os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")  # noqa: PTH111  no exception without home


def client_config() -> dict[str, Any] | None:
    """Return the docker client's settings, {} where there are none; None where they cannot be read."""
    try:
        with open(f"{client_folder()}/config.json", "rb") as file:  # noqa: PTH123  no pathlib needed
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def chosen_context() -> str:
    """Return the docker context that the docker client would take, "" for its default."""
    name = os.environ.get("DOCKER_CONTEXT")
    if name is None:
        name = (client_config() or {}).get("currentContext")
    return name if isinstance(name, str) and name != "default" else ""


def way(address: str | None, context: str) -> Way | None:
    """Return the way to an engine that takes more than an address: a docker context, or TLS."""
    if not context and not (address and os.environ.get("DOCKER_TLS_VERIFY")):
        return None
    from labspec.host.remote import of_context, of_environment

    return of_context(context) if context else of_environment(address or "")


def unreachable(address: str, error: OSError) -> LabError:
    """Return why nobody answers there, in plain words."""
    if isinstance(error, PermissionError):
        return LabError(
            f"no permission to use the Docker socket {address.removeprefix('unix://')}",
            hint="join the docker group (sudo usermod -aG docker $USER, then log in again) or use sudo",
        )
    return LabError(
        f"no Docker engine answers at {address} ({_reason(error)})",
        hint="start it (sudo systemctl start docker) or point DOCKER_HOST at one; 'labspec doctor' looks further",
    )


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
