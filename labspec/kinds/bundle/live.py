"""Bundles on the host: what their marker and their config.json say, and whether runc runs them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Cause, Diff, Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.host import runc
from labspec.host.docker import image_path
from labspec.kinds.bundle.config import CONFIG_FILE, flat
from labspec.kinds.bundle.oci import schema_mistakes
from labspec.kinds.bundle.steps import (
    BundleStep,
    MakeBundle,
    RemoveBundle,
    RunBundle,
    StopBundle,
    WriteConfig,
    bundle_folder,
    is_own,
    marker,
)
from labspec.kinds.journalled import ForgetMade
from labspec.kinds.objects import creation, reason_for, removal, replacement, resources_of
from labspec.kinds.provider import Reading
from labspec.kinds.service.compose_steps import PullImage
from labspec.kinds.service.dangers import SENSITIVE, mount_dangers

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("image"),
    Field("path", default=""),
    Field("config", Settle.UPDATE, keyed=True),
    Field("state", Settle.UPDATE, default="prepared"),
)


class BundleLive:
    """The live side of bundles."""

    kind = "bundle"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the lab's bundles: where the spec or the journal says that one is, and in the lab's state folder."""
        found = [(address, key, path, marker_of) for address, key, path, marker_of in _found(reading)]
        if not found:
            return
        states = runc.states(reading.host.system) if runc.installed() and os.geteuid() == 0 else {}
        resources = reading.lab.by_address
        images = [resources[address].desired["image"] if address in resources else "" for address, *_ in found]
        ids = _image_ids(images, reading)
        for (address, key, path, own), image in zip(found, images, strict=True):
            folder = bundle_folder(reading.host, reading.lab.name, key, path)
            yield _observed(address, key, path, own, folder, states, reading.lab.name, ids.get(image, ""))

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, changes, runs, stops or removes one bundle."""
        gone = observed is not None and observed.facts["gone"]
        if desired is None:
            return removal(observed, _removals(observed, lab)) if observed else None
        if observed is None or gone:
            return creation(desired, _makings(desired, lab), _prepare(desired))
        diffs = compare(FIELDS, desired.desired, observed, {"config": flat(desired.options["config"])})
        reasons = list(_replacing(desired, observed, diffs, preview))
        if reasons:
            return replacement(
                desired,
                observed,
                diffs,
                "; ".join(reasons),
                prepare=_prepare(desired),
                remove=_removals(observed, lab)[:-1],
                make=_makings(desired, lab),
            ).warned("what its container wrote into it is lost")
        return _in_place(desired, observed, diffs, lab) if diffs else None

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Return that labspec may not make bundles, that there is no runc, or folders that somebody else has."""
        resources = lab.by_address
        made = [resources[change.address] for change in changes if change.address in resources]
        if os.geteuid() != 0:
            at = made[0].at if made else None
            yield Diagnostic(f"{changes[0].address}: only root can make bundles", at=at, hint="run labspec as root")
            return
        said = self.missing(host)
        for resource in made:
            if said is not None and resource.desired.get("state") == "running":
                yield Diagnostic(f"{resource.address}: {said.message}", at=resource.at, hint=said.hint)
            for mistake in schema_mistakes(resource.options["config"]):
                yield Diagnostic(f"{resource.address}: config.json would not be valid: {mistake}", at=resource.at)
            folder = bundle_folder(host, lab.name, resource.options["key"], resource.options["path"])
            if os.path.lexists(folder) and not is_own(folder, lab.name, resource.address):
                hint = "give the bundle another 'path', or remove that folder"
                yield Diagnostic(f"{resource.address}: {folder} is there and is not this lab's", resource.at, hint)
            elif resource.options["path"] and not folder.parent.is_dir():
                hint = f"mkdir -p {folder.parent}"
                yield Diagnostic(f"{resource.address}: there is no folder {folder.parent}", resource.at, hint)

    def missing(self, host: Host) -> Diagnostic | None:  # noqa: ARG002  the contract's argument
        """Return what this host lacks to run bundles, or None."""
        if runc.installed():
            return None
        return Diagnostic("runc is not installed on this host", hint="apt-get install runc; docker.io brings it too")

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: a bundle runs once it is started."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return what the container may do to the host."""
        for source in resource.options["binds"]:
            yield from mount_dangers(source, resource.address)
        if resource.options["network"] == "host":
            yield Danger("host-network", resource.address, "uses the host's network, and all that listens on it")
        path = resource.options["path"]
        if any(path == tree or path.startswith(f"{tree}/") for tree in SENSITIVE):
            yield Danger("root-files", resource.address, f"writes {path}: the host lives from what is there")


def _found(reading: Reading) -> Iterator[tuple[str, str, str, dict[str, Any] | None]]:
    """Yield (address, key, path, marker) of each bundle that there is, or that the journal has."""
    lab = reading.lab.name
    places: dict[str, tuple[str, str]] = {
        resource.address: (resource.options["key"], resource.options["path"])
        for resource in resources_of(reading.lab, "bundle")
    }
    below = reading.host.state.root / lab / "bundles"
    names = [entry.name for entry in sorted(below.iterdir())] if below.is_dir() else []
    places = {**{f"bundle.{name}": (name, "") for name in names if not name.startswith(".")}, **places}
    recorded = {address: entry for address, entry in reading.journal.items() if entry.get("kind") == "bundle"}
    # What was applied last is where the bundle is now, wherever the spec wants it.
    places |= {address: (str(entry["name"]), str(entry["path"])) for address, entry in recorded.items()}
    for address, (key, path) in sorted(places.items()):
        folder = bundle_folder(reading.host, lab, key, path)
        own = marker(folder) if is_own(folder, lab, address) else None
        if own is not None or address in recorded:
            yield address, key, path, own


def _observed(
    address: str,
    key: str,
    path: str,
    own: dict[str, Any] | None,
    folder: Path,
    states: dict[str, str],
    lab: str,
    image_id: str,
) -> Observed:
    container = f"labspec-{lab}-{key}"
    state = states.get(container, "")
    facts = {
        "gone": own is None,
        "key": key,
        "path": path,
        "listed": bool(state),
        "moved": bool(own and image_id and own.get("image_id") != image_id),
        "detail": state or "prepared",
    }
    if own is None:
        return Observed(address, "bundle", "", key, facts=facts)
    seen = {
        "image": own.get("image", ""),
        "path": path,
        "config": _read_config(folder),
        "state": "running" if state in ("running", "created", "paused") else "prepared",
    }
    return Observed(address, "bundle", container, key, seen, dict(own.get("applied") or {}), facts=facts)


def _read_config(folder: Path) -> dict[str, Any]:
    """Return config.json by dotted paths; nothing where it is gone or no JSON, so that it is written anew."""
    try:
        found = json.loads((folder / CONFIG_FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return flat(found) if isinstance(found, dict) else {}


def _image_ids(images: Iterable[str], reading: Reading) -> dict[str, str]:
    wanted = sorted({image for image in images if image})
    found = reading.docker.find_all([image_path(image) for image in wanted])
    return {image: str(answer["Id"]) for image, answer in zip(wanted, found, strict=True) if answer is not None}


def _replacing(desired: Resource, observed: Observed, diffs: Sequence[Diff], preview: Preview) -> Iterator[str]:
    """Yield why the bundle must be made anew; nothing if its root file system can stay."""
    if desired.address in preview.replace:
        yield "asked for by --replace"
    deep = [diff for diff in diffs if diff.settle is Settle.REPLACE]
    if deep:
        yield reason_for(deep)
    for change in preview.disturbing(desired.needs):
        yield f"{change.address} is {'created' if change.action is Action.CREATE else 'replaced'}"
    if observed.facts["moved"] and not deep:
        yield f"{desired.desired['image']} is another image now"


def _in_place(desired: Resource, observed: Observed, diffs: tuple[Diff, ...], lab: Lab) -> Change:
    running = desired.desired.get("state") == "running"
    rewritten = any(diff.field == "config" or diff.cause is not Cause.DRIFT for diff in diffs)
    steps: tuple[Step, ...] = (WriteConfig.of(lab.name, desired),)
    if running:
        steps = (*(steps if rewritten else ()), RunBundle(*_place(desired, lab)))
    elif observed.facts["listed"]:
        steps = (StopBundle(*_place(desired, lab)), *steps)
    action = Action.UPDATE if rewritten or not running else Action.START
    reason = reason_for(diffs) if rewritten or not running else "it does not run"
    return Change(
        desired.address, desired.kind, action, reason, observed.state, desired.desired, diffs=diffs, make=steps
    )


def _place(resource: Resource, lab: Lab) -> tuple[str, str, str, str]:
    return lab.name, resource.address, resource.options["key"], resource.options["path"]


def _prepare(desired: Resource) -> tuple[Step, ...]:
    return () if desired.options["image_address"] else (PullImage(desired.desired["image"]),)


def _makings(desired: Resource, lab: Lab) -> tuple[Step, ...]:
    run = (RunBundle(*_place(desired, lab)),) if desired.desired.get("state") == "running" else ()
    return (MakeBundle.of(lab.name, desired), *run)


def _removals(observed: Observed, lab: Lab) -> tuple[Step, ...]:
    place = (lab.name, observed.address, observed.facts["key"], observed.facts["path"])
    stop: tuple[BundleStep, ...] = (StopBundle(*place),) if observed.facts["listed"] else ()
    return (*stop, RemoveBundle(*place), ForgetMade(lab.name, observed.address))


LIVE = BundleLive()
