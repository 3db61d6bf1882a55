"""The Docker daemon on the host: its daemon.json and its service, read for the keys that the lab names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic, LabError
from labspec.core.resource import Lab, Observed, Resource
from labspec.host.docker import inspect_path
from labspec.kinds.daemon.accounts import DEFAULT, remapped, user_exists
from labspec.kinds.daemon.carry import kept
from labspec.kinds.daemon.jsonfile import JsonFile
from labspec.kinds.daemon.keys import REMAP, engine_version, needs_restart, unknown_to
from labspec.kinds.daemon.record import ADDRESS, previous_values
from labspec.kinds.daemon.running import BOOTED, CONFIG, UNIT, find_daemon
from labspec.kinds.daemon.service import ADDRESS as SERVICE_ADDRESS
from labspec.kinds.daemon.service import SERVICE, observe_service, service_change
from labspec.kinds.daemon.settings import SETTINGS, settings_change
from labspec.kinds.daemon.steps import RestartDaemon
from labspec.kinds.journalled import as_found
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host


class DaemonLive:
    """The live side of the daemon. Nothing is read where neither the spec nor the journal names it."""

    kind = "daemon"
    fields = (*SETTINGS, *SERVICE)

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield daemon.json, and the service, where the lab or its journal has them."""
        resources = reading.lab.by_address
        if ADDRESS in resources or ADDRESS in reading.journal:
            yield observed_settings(
                reading.lab,
                resources.get(ADDRESS),
                reading.journal.get(ADDRESS),
                reading.host,
                leaving=reading.leaving,
            )
        if SERVICE_ADDRESS in resources or SERVICE_ADDRESS in reading.journal:
            yield observe_service(reading.journal.get(SERVICE_ADDRESS), reading.host)

    def units(self, reading: Reading) -> Iterable[str]:
        """Return Docker's unit, where one of the two is asked for."""
        asked = {ADDRESS, SERVICE_ADDRESS} & {*reading.lab.by_address, *reading.journal}
        return (UNIT,) if asked and BOOTED.is_dir() else ()

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what one of the two needs; both are always there."""
        if observed is None:
            return None
        if observed.address == SERVICE_ADDRESS:
            return service_change(desired, observed, lab)
        return settings_change(desired, observed, preview, lab)

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Return why this machine's daemon cannot be changed so."""
        resources = lab.by_address
        for change in changes:
            resource = resources.get(change.address)
            at = resource.at if resource else None
            for message, hint in _problems(change, resource, lab, host):
                yield Diagnostic(f"{change.address}: {message}", at=at, hint=hint)

    def as_found(
        self,
        resource: Resource,
        before: Mapping[str, Any],
        host: Host,  # noqa: ARG002  the contract's argument
    ) -> Resource:
        """Return one of the two as it is on the host; of daemon.json also what an apply that was cut off has set."""
        if resource.address == SERVICE_ADDRESS:
            return as_found(resource, before, {})
        return resource._replace(desired={**resource.desired, **before})

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: the steps wait for the daemon."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return dangers for an API open to the network, and for containers without their usual limits."""
        settings = resource.desired.get("settings", {})
        open_hosts = [host for host in settings.get("hosts", ()) if host.startswith("tcp://")]
        if open_hosts and not settings.get("tlsverify"):
            message = f"whoever reaches {', '.join(open_hosts)} is root on this host: there is no tlsverify"
            yield Danger("tcp-daemon", resource.address, message)
        if settings.get("seccomp-profile") == "unconfined":
            yield Danger("unconfined", resource.address, "all containers run without a seccomp profile")
        if settings.get("insecure-registries"):
            names = ", ".join(settings["insecure-registries"])
            yield Danger("insecure-registries", resource.address, f"images come from {names} without valid TLS")


def observed_settings(
    lab: Lab, resource: Resource | None, entry: Mapping[str, Any] | None, host: Host, *, leaving: bool = False
) -> Observed:
    """Return daemon.json, as far as the lab has to do with it. Raises LabError for one that is no JSON object.

    What a restart would do to containers is only looked at where there may be one.
    """
    daemon = find_daemon(host)
    path = daemon.config if daemon else (entry or {}).get("path", CONFIG)
    known = entry or {}
    wanted = resource.desired if resource else {"settings": {}}
    current = host.system.read(path)
    values = JsonFile.read(current.content if current else None, path).values
    keys = {*wanted["settings"], *known.get("keys", ())}
    state: dict[str, Any] = {"settings": {key: values[key] for key in sorted(keys) if key in values}}
    state["files"] = dict(_files(host, {*wanted.get("files", {}), *known.get("files", {})}))
    gone = (leaving or resource is None) and bool(needs_restart(dict.fromkeys(known.get("keys", ())), []))
    matters = gone or state != {"files": {}, **wanted} or bool(known.get("pending"))
    return Observed(
        address=ADDRESS,
        kind="daemon",
        id="",
        name=path,
        state=state,
        applied=known.get("applied", {}),
        owned=entry is not None,
        facts={
            "keys": known.get("keys", []),
            "previous": previous_values(known),
            "pending": known.get("pending", ""),
            "unit": bool(daemon and daemon.unit),
            "kept": kept(host, lab.name),
            "carried": known.get("carried", []),
            "made": known.get("made", ""),
            **(_containers(host) if matters else _NO_CONTAINERS),
        },
    )


_NO_CONTAINERS: Mapping[str, Any] = {"live_restore": False, "mortal": [], "lasting": []}


def _files(host: Host, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in sorted(paths):
        state = host.system.read(path)
        if state is not None:
            yield path, state.content.decode(errors="replace")


def _containers(host: Host) -> Mapping[str, Any]:
    """Return what a restart does to running containers: stops them for good (mortal), or for a moment (lasting)."""
    try:
        live = bool(host.docker.get("/info").get("LiveRestoreEnabled"))
        listed = host.docker.get("/containers/json")
    except LabError:
        return _NO_CONTAINERS
    found = [item for item in host.docker.find_all([inspect_path(one["Id"]) for one in listed]) if item]
    names: dict[bool, list[str]] = {True: [], False: []}
    for item in found:
        policy = (item["HostConfig"].get("RestartPolicy") or {}).get("Name") or "no"
        names[policy in ("always", "unless-stopped")].append(item["Name"].removeprefix("/"))
    return {"live_restore": live, "mortal": sorted(names[False]), "lasting": sorted(names[True])}


def _problems(change: Change, resource: Resource | None, lab: Lab, host: Host) -> Iterator[tuple[str, str | None]]:
    if os.geteuid() != 0:
        yield "only root may change the Docker daemon", "run labspec with sudo, or in a sandbox"
        return
    daemon = find_daemon(host)
    if daemon is None:
        yield (
            f"no Docker daemon of this machine answers at {host.docker.address}",
            "start it, or use a sandbox: labspec sandbox up",
        )
        return
    if change.address == SERVICE_ADDRESS:
        if not daemon.unit:
            yield "Docker is no service of systemd here", "use a sandbox: labspec sandbox up"
        return
    if not daemon.unit and any(isinstance(step, RestartDaemon) for step in change.steps):
        yield (
            "these settings need a restart of Docker, and there is no systemd here that could do it",
            "restart Docker by hand with the settings, or use a sandbox: labspec sandbox up",
        )
    settings = resource.desired["settings"] if resource else {}
    version = _version(host)
    for key in settings:
        said = unknown_to(key, engine_version(version))
        if said:
            yield f"Docker {version} does not know the key '{key}': {said}", "take it out, or use another engine"
        if key != "runtimes" and daemon.flagged(key):
            yield (
                f"'{key}' is given as a flag to dockerd already, and Docker does not start with both",
                "take it out, or change the flags with a drop-in for docker.service"
                if daemon.unit
                else "take it out, or start dockerd without that flag",
            )
    remap = settings.get(REMAP)
    if remap and remap != DEFAULT:
        user, _ = remapped(remap)
        if not user_exists(user) and not any(one.kind == "user" and one.name == user for one in lab.resources):
            yield f"there is no user {user} to run containers as", f"add it under host.users: {{{user}: {{}}}}"


def _version(host: Host) -> str:
    try:
        return str(host.docker.get("/version").get("Version", ""))
    except LabError:
        return ""


LIVE = DaemonLive()
