"""The steps that make, change, run and remove bundles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.diff import digests
from labspec.core.resource import Resource
from labspec.host import runc
from labspec.host.rootfs import export_image, remove_tree
from labspec.host.state import write_atomic
from labspec.kinds.bundle.config import CONFIG_FILE, ROOTFS, config_text

if TYPE_CHECKING:
    from labspec.host.host import Host

MARKER = ".labspec.json"
"""The file in a bundle that says whose it is and what it was made from."""
LOG = "container.log"


def bundle_folder(host: Host, lab: str, key: str, path: str) -> Path:
    """Return where a bundle is: at its own path, or in the lab's state folder."""
    return Path(path) if path else host.state.root / lab / "bundles" / key


def marker(folder: Path) -> dict[str, Any] | None:
    """Return what a bundle says of itself, or None where the folder is no bundle of labspec's."""
    try:
        found = json.loads((folder / MARKER).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_own(folder: Path, lab: str, address: str) -> bool:
    """Return whether a folder is this bundle of this lab."""
    found = marker(folder)
    return found is not None and (found.get("lab"), found.get("address")) == (lab, address)


@dataclass(frozen=True)
class BundleStep(Step):
    """A step for one bundle. `path` is "" for a bundle in the state folder."""

    lab: str
    address: str
    key: str
    path: str

    def folder(self, host: Host) -> Path:
        """Return the bundle's folder."""
        return bundle_folder(host, self.lab, self.key, self.path)

    @property
    def container(self) -> str:
        """The name that runc knows the container by."""
        return f"labspec-{self.lab}-{self.key}"


@dataclass(frozen=True)
class MakeBundle(BundleStep):
    """Make a bundle. `spec` has what was asked for and the config.json, as JSON text."""

    image: str
    spec: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step that makes the bundle of a resource."""
        options = resource.options
        spec = json.dumps({"desired": resource.desired, "config": options["config"]})
        return cls(lab, resource.address, options["key"], options["path"], resource.desired["image"], spec)

    def __str__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        return f"make bundle {self.key}{where}: the files of image {self.image}, and {CONFIG_FILE}"

    def run(self, host: Host) -> None:
        """Make it beside its place, and put it there whole."""
        folder = self.folder(host)
        if folder.exists() and not is_own(folder, self.lab, self.address):
            raise LabError(f"{folder} is there already and is not this lab's", hint="give the bundle another 'path'")
        record(host, self.lab, self.address, self.key, self.path, self.spec)
        partial = folder.with_name(f".{folder.name}.partial")
        remove_tree(partial)
        try:
            if not self.path:
                host.state.lab(self.lab)
                folder.parent.mkdir(mode=0o700, exist_ok=True)
            (partial / ROOTFS).mkdir(mode=0o755, parents=True)
            partial.chmod(0o700)
        except OSError as error:
            raise LabError(f"cannot make the bundle's folder {folder}: {error.strerror}") from error
        identity = export_image(host.docker, self.image, partial / ROOTFS)
        write_spec(partial, self.lab, self.address, self.spec, identity)
        remove_tree(folder)
        partial.rename(folder)


@dataclass(frozen=True)
class WriteConfig(BundleStep):
    """Write config.json anew; the root file system stays as it is."""

    spec: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step for the bundle of a resource."""
        spec = json.dumps({"desired": resource.desired, "config": resource.options["config"]})
        return cls(lab, resource.address, resource.options["key"], resource.options["path"], spec)

    def __str__(self) -> str:
        return f"write {CONFIG_FILE} of bundle {self.key}"

    def run(self, host: Host) -> None:
        """Write it, and what was asked for beside it."""
        folder = self.folder(host)
        found = marker(folder) or {}
        record(host, self.lab, self.address, self.key, self.path, self.spec)
        write_spec(folder, self.lab, self.address, self.spec, str(found.get("image_id", "")))


@dataclass(frozen=True)
class RunBundle(BundleStep):
    """Run a bundle in the background."""

    def __str__(self) -> str:
        return f"runc run --detach {self.container}, with bundle {self.key}"

    def run(self, host: Host) -> None:
        """Start it anew; what it prints goes to a file in the bundle."""
        folder = self.folder(host)
        runc.remove(host.system, self.container)
        runc.start(self.container, folder, folder / LOG)


@dataclass(frozen=True)
class StopBundle(BundleStep):
    """End a bundle's container; the bundle stays."""

    def __str__(self) -> str:
        return f"runc delete --force {self.container}"

    def run(self, host: Host) -> None:
        """End it; one that does not run is fine."""
        runc.remove(host.system, self.container)


@dataclass(frozen=True)
class RemoveBundle(BundleStep):
    """Remove a bundle's folder."""

    def __str__(self) -> str:
        return f"remove bundle {self.key}" + (f" in {self.path}" if self.path else "")

    def run(self, host: Host) -> None:
        """Remove it, if it still is this lab's."""
        folder = self.folder(host)
        remove_tree(folder.with_name(f".{folder.name}.partial"))
        if is_own(folder, self.lab, self.address):
            remove_tree(folder)
        if not self.path:
            try:
                folder.parent.rmdir()
            except OSError:
                return


def record(host: Host, lab: str, address: str, key: str, path: str, spec: str) -> None:
    """Write into the journal where a bundle is, before it is made."""
    applied = digests(json.loads(spec)["desired"])
    host.journal(lab).record(address, {"kind": "bundle", "name": key, "path": path, "applied": applied})


def write_spec(folder: Path, lab: str, address: str, spec: str, image_id: str) -> None:
    """Write config.json, and what it was made from."""
    content = json.loads(spec)
    desired = content["desired"]
    own = {
        "lab": lab,
        "address": address,
        "image": desired["image"],
        "image_id": image_id,
        "applied": digests(desired),
    }
    write_atomic(folder / CONFIG_FILE, config_text(content["config"]).encode(), 0o644)
    write_atomic(folder / MARKER, json.dumps(own, sort_keys=True, indent=1).encode())
