"""What is on the host as a spec that adopts it: containers, images, networks, volumes, daemon settings, units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action
from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import LAB_LABEL
from labspec.host.docker import image_path, inspect_path
from labspec.imports.compose import project_name
from labspec.imports.live_container import container_entry
from labspec.imports.live_images import import_images
from labspec.imports.live_objects import network_entry, volume_entry
from labspec.imports.report import Imported, Loss
from labspec.kinds.service.sharing import Peer, shared_ids

if TYPE_CHECKING:
    from labspec.host.host import Host

_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"
_OWN_NETWORKS = ("bridge", "host", "none")


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the host is to be imported."""

    containers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    daemon: bool = False
    everything: bool = False
    used_images: bool = False
    """The images of the chosen containers too."""

    @property
    def empty(self) -> bool:
        """Whether nothing is chosen."""
        return self == Choice()


@dataclass(slots=True)
class _Found:
    """What an import has come to so far."""

    lab: str
    services: dict[str, Any] = field(default_factory=dict)
    networks: dict[str, Any] = field(default_factory=dict)
    volumes: dict[str, Any] = field(default_factory=dict)
    adopt: set[str] = field(default_factory=set)
    losses: list[Loss] = field(default_factory=list)


def import_live(host: Host, choice: Choice, name: str | None = None, folder: Path | None = None) -> Imported:
    """Return the spec of what is chosen, for a lab in `folder` (where labspec was started, if not given).

    Raises LabError for what is not there, or belongs to a lab.
    """
    folder = folder or Path.cwd()
    if choice.empty:
        raise LabError("nothing is chosen", hint="--container NAME, --project NAME, ... or --all")
    containers = _containers(host, choice)
    lab = name or project_name(_lab_name(containers, choice))
    found = _Found(lab)
    networks, volumes = _chosen_objects(host, choice)
    names = _Names(lab, networks, volumes, found)
    for group in _grouped(containers, lab).values():
        _service(host, group, names, found)
    for network in networks.values():
        names.network(network["Name"])
    for volume in volumes.values():
        names.volume(volume["Name"])
    users = containers if choice.used_images else ()
    images = import_images(host, choice.images, choice.labels, users, folder)
    found.adopt.update(images.adopt)
    sections: dict[str, Any] = {
        "images": images.entries,
        "networks": found.networks,
        "volumes": found.volumes,
        "services": found.services,
        "adopt": sorted(found.adopt),
    }
    for more in _host_parts(choice, lab):
        sections |= more.sections
        found.losses += more.losses
    made = Imported(lab, {key: value for key, value in sections.items() if value}, tuple(found.losses))
    return _compared(made, host, folder)


class _Names:
    """Gives networks and volumes their keys in the spec, and says there whose they are."""

    def __init__(self, lab: str, networks: Mapping[str, Any], volumes: Mapping[str, Any], found: _Found) -> None:
        self._lab = lab
        self._chosen = {"network": networks, "volume": volumes}
        self._found = found

    def __call__(self, kind: str, name: str) -> str:
        return self.network(name) if kind == "network" else self.volume(name)

    def network(self, name: str) -> str:
        """Return the key of a network."""
        return self._key("network", name, self._found.networks, network_entry)

    def volume(self, name: str) -> str:
        """Return the key of a volume."""
        return self._key("volume", name, self._found.volumes, volume_entry)

    def _key(self, kind: str, name: str, section: dict[str, Any], entry_of: Any) -> str:
        chosen = self._chosen[kind].get(name)
        labels = (chosen or {}).get("Labels") or {}
        key = labels.get(f"com.docker.compose.{kind}") if labels.get(_PROJECT) == self._lab else None
        key = key or re.sub(r"[^a-zA-Z0-9_.-]", "-", name)
        if key in section:
            return key
        if chosen is None or labels.get(LAB_LABEL):
            section[key] = {"external": True, **({"name": name} if key != name else {})}
            return key
        entry = entry_of(chosen)
        section[key] = {**({"name": name} if name != f"{self._lab}_{key}" else {}), **entry}
        self._found.adopt.add(f"{kind}.{key}")
        return str(key)


def _containers(host: Host, choice: Choice) -> list[Any]:
    listed = host.docker.get("/containers/json", {"all": 1})
    names = {name.removeprefix("/"): item for item in listed for name in item.get("Names") or ()}
    wanted: dict[str, Any] = {}
    for name in choice.containers:
        item = names.get(name) or next((one for one in listed if len(name) >= 4 and one["Id"].startswith(name)), None)
        if item is None:
            raise LabError(f"there is no container {name}", hint=did_you_mean(name, names))
        wanted[item["Id"]] = item
    for item in listed:
        labels = item.get("Labels") or {}
        pairs = {f"{key}={value}" for key, value in labels.items()} | set(labels)
        if choice.everything or labels.get(_PROJECT) in choice.projects or pairs & set(choice.labels):
            wanted[item["Id"]] = item
    for project in choice.projects:
        if not any((item.get("Labels") or {}).get(_PROJECT) == project for item in wanted.values()):
            known = {str((item.get("Labels") or {}).get(_PROJECT, "")) for item in listed}
            raise LabError(f"there are no containers of a compose project {project}", hint=did_you_mean(project, known))
    owned = [item for item in wanted.values() if LAB_LABEL in (item.get("Labels") or {})]
    if owned and not choice.everything:
        labels = owned[0]["Labels"]
        raise LabError(f"container {owned[0]['Names'][0].removeprefix('/')} is lab '{labels[LAB_LABEL]}''s already")
    paths = [inspect_path(identity) for identity, item in wanted.items() if item not in owned]
    found = [answer for answer in host.docker.find_all(paths) if answer is not None]
    return [answer for answer in found if _labels(answer).get("com.docker.compose.oneoff") != "True"]


def _labels(inspect: Mapping[str, Any]) -> Mapping[str, str]:
    return inspect["Config"].get("Labels") or {}


def _lab_name(containers: Iterable[Any], choice: Choice) -> str:
    projects = {_labels(item).get(_PROJECT, "") for item in containers} - {""}
    named = next(iter(projects), "") if len(projects) == 1 else ""
    return named or (choice.containers or choice.units or ("host",))[0]


def _grouped(containers: Iterable[Any], lab: str) -> dict[str, list[Any]]:
    """Return key of a service -> its containers by number."""
    groups: dict[str, list[Any]] = {}
    for inspect in containers:
        labels, name = _labels(inspect), str(inspect["Name"]).removeprefix("/")
        own = labels.get(_PROJECT) == lab and labels.get(_SERVICE)
        groups.setdefault(str(own or name), []).append(inspect)
    for group in groups.values():
        group.sort(key=lambda inspect: int(_labels(inspect).get("com.docker.compose.container-number") or 1))
    return dict(sorted(groups.items()))


def _chosen_objects(host: Host, choice: Choice) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return name -> the engine's answer, of the networks and of the volumes that become the lab's."""

    def is_chosen(item: Mapping[str, Any], named: tuple[str, ...]) -> bool:
        labels = item.get("Labels") or {}
        if item["Name"] in named:
            return True
        return LAB_LABEL not in labels and (choice.everything or labels.get(_PROJECT) in choice.projects)

    networks = {
        item["Name"]: item
        for item in host.docker.get("/networks")
        if item["Name"] not in _OWN_NETWORKS and is_chosen(item, choice.networks)
    }
    volumes = {
        item["Name"]: item
        for item in host.docker.get("/volumes").get("Volumes") or ()
        if not re.fullmatch(r"[0-9a-f]{64}", item["Name"]) and is_chosen(item, choice.volumes)
    }
    for kind, names, there in (("network", choice.networks, networks), ("volume", choice.volumes, volumes)):
        for name in names:
            if name not in there:
                raise LabError(f"there is no {kind} {name}", hint=f"'docker {kind} ls' lists them")
    return networks, volumes


def _service(host: Host, group: list[Any], names: _Names, found: _Found) -> None:
    first = group[0]
    labels, name = _labels(first), str(first["Name"]).removeprefix("/")
    own = labels.get(_PROJECT) == found.lab and labels.get(_SERVICE)
    key = re.sub(r"[^a-zA-Z0-9_.-]", "-", str(own or name))
    image = host.docker.find(image_path(first["Image"]))
    info = host.docker.get("/info")
    peers = _peers(host, first)
    entry = container_entry(
        first,
        image,
        peers,
        swap=bool(info.get("SwapLimit")),
        log_driver=str(info.get("LoggingDriver") or "json-file"),
        name_of=names,
    )
    if name != f"{found.lab}-{key}-1" and len(group) == 1:
        entry = {"container_name": name, **entry}
    if len(group) > 1:
        entry["deploy"] = {"replicas": len(group)}
    found.services[key] = entry
    found.adopt.add(f"service.{key}")


def _peers(host: Host, inspect: Mapping[str, Any]) -> dict[str, Peer]:
    found = {}
    for identity in sorted(shared_ids(inspect)):
        other = host.docker.find(inspect_path(identity))
        if other is not None:
            labels = _labels(other)
            place = labels.get(_PROJECT, ""), labels.get(_SERVICE, "")
            found[identity] = Peer(*place, str(other["Name"]).removeprefix("/"))
    return found


def _host_parts(choice: Choice, lab: str) -> Iterable[Imported]:
    """Yield what the host's files say: the daemon's settings, and units."""
    if choice.daemon:
        from labspec.imports.daemon import import_daemon

        yield import_daemon(Path("/etc/docker/daemon.json"), lab)
    files: list[Path] = []
    losses: list[Loss] = []
    for unit in choice.units:
        found = _unit_files(unit)
        files += found[:1]
        losses += [Loss(f"--unit {unit}: {file}", "a unit has one file of the lab") for file in found[1:]]
        if not found:
            reason = "a package brought it, and in the spec it would take that one's place and be restarted"
            losses.append(Loss(f"--unit {unit}", reason, hint="say what shall differ by a 'dropin' in the spec"))
    if files:
        from labspec.imports.unit import import_units

        made = import_units(files, lab)
        losses += made.losses
        yield Imported(made.lab, made.sections)
    yield Imported(lab, {}, tuple(losses))


def _unit_files(unit: str) -> list[Path]:
    """Return the unit's own file on this host; of a package's unit its drop-ins on this host, in order."""
    name = unit if "." in unit else f"{unit}.service"
    own = [Path("/etc/systemd/system"), Path("/run/systemd/system")]
    for path in (folder / name for folder in own):
        if path.is_file() and not path.is_symlink():
            return [path]
    if any((folder / name).is_file() for folder in (Path("/usr/lib/systemd/system"), Path("/lib/systemd/system"))):
        return sorted((own[0] / f"{name}.d").glob("*.conf"))
    template, instance, kind = name.partition("@")[0], "@" in name, name.rpartition(".")[2]
    hint = f"an instance has its template's file: {template}@.{kind}" if instance else "'systemctl cat' shows files"
    raise LabError(f"there is no file of a unit {name}", hint=hint)


def _compared(made: Imported, host: Host, folder: Path) -> Imported:
    """Return the import with what would still change once its objects are adopted."""
    from labspec.engine.workflow import make_plan
    from labspec.imports.writing import spec_text
    from labspec.spec.loader import load_text

    lab = load_text(spec_text(made), folder / "lab.yaml")
    losses = [
        Loss(change.address, f"apply would {change.action.word} it: {change.reason}")
        for change in make_plan(lab, host).changes
        if change.action is not Action.ADOPT
    ]
    return Imported(made.lab, made.sections, (*made.losses, *losses), made.head, made.comment)
