"""The lab's containers on the host: one list, the inspects and images in parallel, grouped by service."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from labspec.core.diff import Diff, compare
from labspec.core.resource import ADDRESS_LABEL, LAB_LABEL, SECRETS_LABEL, Observed, Resource
from labspec.host.docker import Docker, filters, inspect_path, segment
from labspec.kinds.adoption.containers import wanted_containers, with_labels
from labspec.kinds.adoption.record import IDS, adopted, marked, wanted
from labspec.kinds.objects import applied_fields
from labspec.kinds.provider import Reading
from labspec.kinds.service.defaults import container_defaults, fold, without_image
from labspec.kinds.service.fields import FIELDS, STOP_SECONDS
from labspec.kinds.service.images import Images, images_of
from labspec.kinds.service.observed import container_state
from labspec.kinds.service.sharing import Peer, joined, made_on, peers_of, shared_ids

State = tuple[Mapping[str, Any], Mapping[str, str]]
"""The fields of one container, and the digests of those that were set before."""


class Around(NamedTuple):
    """What is known of a host beside the container that is looked at."""

    images: Images = Images()
    peers: Mapping[str, Peer] = {}
    """Id -> the container."""
    swap: bool = True
    """Whether the engine can limit swap."""
    applied: Mapping[str, Mapping[str, str]] = {}
    """Id -> what was applied to a container in place."""
    made_on: Mapping[str, str | None] = {}
    """Id -> the network that a container was made on; "" for the engine's own, or not known; None where it is gone."""
    early: Mapping[str, State] = {}
    """Id -> what was read of a container while the engine still told of the others."""


def observe(reading: Reading) -> Iterator[Observed]:
    """Yield each service of the lab that has containers, with all of them in its facts.

    The peers that they share namespaces with are read along.
    """
    resources = reading.lab.by_address
    record = adopted(reading, "service")
    early: dict[str, State] = {}

    def read(inspect: Mapping[str, Any]) -> None:
        own = _labels(inspect).get(LAB_LABEL) == reading.lab.name  # it may only have the name of one
        if own and not record and not shared_ids(inspect):
            early[inspect["Id"]] = _state(inspect, resources.get(address_of(inspect)), {}, reading.applied)

    inspects, images = own_containers(reading.docker, reading.lab.name, resources, record, read)
    groups: dict[str, list[Any]] = {}
    for inspect in inspects:
        groups.setdefault(address_of(inspect), []).append(inspect)
    added = wanted_containers(reading, wanted(reading, "service", groups))
    if added:
        groups |= added
        inspects = [inspect for group in groups.values() for inspect in group]
        images = images_of(reading.docker, inspects, _wanted(inspects, resources))
    peers = peers_of(reading.docker, inspects, early)
    swap = not any(map(_swap_unknown, inspects)) or bool(reading.docker.get("/info").get("SwapLimit"))
    around = Around(images, peers, swap, reading.applied, _made_on(reading.docker, inspects), early)
    for address, group in groups.items():
        found = service(address, group, resources.get(address), around)
        if address in added or any(inspect["Id"] in record for inspect in group):
            found = marked(found, new=address in added)
        yield found._replace(facts={**found.facts, IDS: [item["Id"] for item in group]}) if address in added else found


def own_containers(
    docker: Docker,
    lab: str,
    resources: Mapping[str, Resource],
    record: Mapping[str, Mapping[str, str]],
    read: Callable[[Mapping[str, Any]], object] = bool,
) -> tuple[list[Any], Images]:
    """Return the inspect answers of a lab's containers, and what is known of their images.

    `record` has the labels of those that it has adopted, by id. Of many, `read` gets each while the engine still works.

    A container has its image's labels too: one that somebody runs from an image of the lab, or from a commit of one of
    its containers, is not the lab's for that.
    """
    query = {"all": 1, **filters(label=[f"{LAB_LABEL}={lab}"])}
    names = [resource.name for resource in resources.values() if resource.kind == "service"]
    docker.meanwhile(("/containers/json", query), [inspect_path(name) for name in names], _path_of, read)
    listed = docker.get("/containers/json", query)
    ids = [item["Id"] for item in listed]
    ids += [identity for identity in record if identity not in ids]
    answers = docker.find_all([inspect_path(identity) for identity in ids], read)
    if record:
        answers = [answer and with_labels(answer, record.get(answer["Id"], {})) for answer in answers]
    labelled = [answer for answer in answers if answer is not None and _is_service(address_of(answer))]
    images = images_of(docker, labelled, _wanted(labelled, resources))
    return [inspect for inspect in labelled if not _inherits(inspect, images)], images


def in_order(inspects: Sequence[Any], wanted: Resource | None) -> list[Any]:
    """Return the containers of one service by number, less those of `compose run`; two may have the same number."""
    return sorted(
        (inspect for inspect in inspects if not _oneoff(inspect)),
        key=lambda inspect: (_number(inspect), _name(inspect) != expected_name(wanted, inspect), inspect["Created"]),
    )


def replicas_of(numbered: Sequence[Any]) -> list[Any]:
    """Return the containers that count, of those `in_order`: the first of each number."""
    return [inspect for index, inspect in enumerate(numbered) if index == 0 or _fresh(numbered, index)]


def service(
    address: str,
    inspects: Sequence[Mapping[str, Any]],
    wanted: Resource | None,
    around: Around,
) -> Observed:
    """Return a service's containers as one object: what differs from `wanted` in any of them differs."""
    numbered = in_order(inspects, wanted)
    replicas = replicas_of(numbered)
    surplus = [inspect for inspect in numbered if inspect not in replicas]
    once = [inspect for inspect in inspects if _oneoff(inspect)]
    candidates = [_one(address, inspect, wanted, around) for inspect in replicas]
    if not candidates:
        first = inspects[0]
        return Observed(
            address, "service", first["Id"], _name(first), facts=_facts([], [], once, first, around.made_on)
        )
    chosen = candidates[0] if wanted is None or len(candidates) == 1 else _representative(candidates, wanted)
    facts = _facts(replicas, surplus, once, replicas[0], around.made_on, wanted)
    state = {**chosen.state, "replicas": len(replicas)} if len(replicas) > 1 else chosen.state
    return chosen._replace(state=state, facts=facts)


def differences(desired: Resource, observed: Observed) -> tuple[Diff, ...]:
    """Return the differences in the fields of a service.

    An image's id only counts where its reference is the same.
    """
    found = compare(FIELDS, desired.desired, observed, fold(desired, observed))
    other_image = any(diff.field == "image" for diff in found)
    return tuple(diff for diff in found if not (other_image and diff.field == "image_id"))


def _representative(candidates: Sequence[Observed], wanted: Resource) -> Observed:
    """Return the first container that is not what each of them should be, with what is wrong in the others too."""
    deviating = [(found, fields) for found in candidates if (fields := _deviations(found, wanted))]
    if not deviating:
        return candidates[0]
    chosen, known = deviating[0]
    state = dict(chosen.state)
    for found, fields in deviating[1:]:
        state |= {name: found.state[name] for name in fields - known - {"name"} if name in found.state}
        known = known | fields
    return chosen._replace(state=state)


def _deviations(found: Observed, wanted: Resource) -> set[str]:
    return {diff.field for diff in differences(wanted, found)} - {"replicas"}


def expected_name(wanted: Resource | None, inspect: Mapping[str, Any]) -> str:
    """Return the name that a container should have: the resource's, with its own number where compose gave it one."""
    if wanted is None:
        return _name(inspect)
    number = _number(inspect)
    stem = f"{wanted.project}-{wanted.options['key']}-"
    return f"{stem}{number}" if number > 1 and wanted.name == f"{stem}1" else wanted.name


def _one(address: str, inspect: Mapping[str, Any], wanted: Resource | None, around: Around) -> Observed:
    images, known = around.images, around.early.get(inspect["Id"])
    state, before = known or _state(inspect, wanted, around.peers, around.applied)
    current = images.by_reference.get(wanted.options["image"], {}).get("Id") if wanted else None
    defaults = container_defaults(
        inspect, state, images.brought.get(inspect["Image"]), expected_name(wanted, inspect), current, around.swap
    )
    return Observed(
        address=address,
        kind="service",
        id=inspect["Id"],
        name=_name(inspect),
        state=without_image(state, defaults, replicas=1),
        applied=before,
        defaults=defaults,
    )


def _state(
    inspect: Mapping[str, Any],
    wanted: Resource | None,
    peers: Mapping[str, Peer],
    applied: Mapping[str, Mapping[str, str]],
) -> State:
    labels = _labels(inspect)
    before = applied.get(inspect["Id"]) or applied_fields(labels)
    return container_state(inspect, wanted, peers, _secrets(labels, wanted), before), before


def _secrets(labels: Mapping[str, str], wanted: Resource | None) -> Collection[str] | None:
    if wanted is None:
        return None  # what left the spec no longer says which of its values are secret
    return {*wanted.options.get("secret_env", ()), *labels.get(SECRETS_LABEL, "").split(",")}


def _facts(
    replicas: Sequence[Mapping[str, Any]],
    surplus: Sequence[Mapping[str, Any]],
    once: Sequence[Mapping[str, Any]],
    first: Mapping[str, Any],
    networks: Mapping[str, str | None],
    wanted: Resource | None = None,
) -> dict[str, Any]:
    labels = _labels(first)
    healths = [(inspect["State"].get("Health") or {}).get("Status") for inspect in replicas]
    health = next((word for word in ("unhealthy", "starting", "healthy") if word in healths), "")
    return {
        "project": labels.get("com.docker.compose.project", ""),
        "service": labels.get("com.docker.compose.service", ""),
        "running": bool(replicas) and all(inspect["State"]["Running"] for inspect in replicas),
        "health": health,
        "detail": _detail(replicas, health),
        "replicas": [_replica(inspect, networks, wanted) for inspect in replicas],
        "surplus": [_replica(inspect, networks) for inspect in surplus],
        "once": [_replica(inspect, networks) for inspect in once],
        "anonymous": sorted(
            mount["Destination"]
            for mount in first.get("Mounts") or ()
            if mount.get("Type") == "volume" and len(mount.get("Name", "")) == 64
        ),
    }


def _replica(
    inspect: Mapping[str, Any], networks: Mapping[str, str | None], wanted: Resource | None = None
) -> dict[str, Any]:
    state, timeout = inspect["State"], inspect["Config"].get("StopTimeout")
    return {
        "number": _number(inspect),
        "id": inspect["Id"],
        "name": _name(inspect),
        "expected": expected_name(wanted, inspect),
        "state": state["Status"],
        "exit_code": state.get("ExitCode") or 0,
        "grace": STOP_SECONDS if timeout is None else timeout,
        "networks": sorted(joined(inspect)),
        "made_on": networks.get(inspect["Id"], ""),
    }


def _detail(replicas: Sequence[Mapping[str, Any]], health: str) -> str:
    if len(replicas) > 1:
        running = sum(bool(inspect["State"]["Running"]) for inspect in replicas)
        return f"{running} of {len(replicas)} running" + (f", {health}" if health else "")
    for inspect in replicas:
        state = inspect["State"]
        ended = f" (exit code {state.get('ExitCode')})" if state["Status"] == "exited" else ""
        return f"{state['Status']}{ended}" + (f", {health}" if health and state["Running"] else "")
    return "no container"


def _path_of(inspect: Mapping[str, Any]) -> str:
    return inspect_path(inspect["Id"])


def _wanted(inspects: Iterable[Mapping[str, Any]], resources: Mapping[str, Resource]) -> Iterator[Resource]:
    return (resources[address] for address in map(address_of, inspects) if address in resources)


def _is_service(address: str) -> bool:
    return address.startswith("service.") or (address.startswith("stack.") and ".service." in address)


def _inherits(inspect: Mapping[str, Any], images: Images) -> bool:
    image = images.by_id.get(inspect["Image"], {})
    return bool(((image.get("Config") or {}).get("Labels") or {}).get(ADDRESS_LABEL) == address_of(inspect))


def _made_on(docker: Docker, inspects: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """Return id -> the network that a container was made on; whether one that it has left is there is asked."""
    found = {inspect["Id"]: made_on(inspect) for inspect in inspects}
    left = [inspect for inspect in inspects if found[inspect["Id"]] is None]
    answers = docker.find_all([f"/networks/{segment(inspect['HostConfig']['NetworkMode'])}" for inspect in left])
    names = zip(left, answers, strict=True)
    return found | {inspect["Id"]: answer["Name"] if answer else None for inspect, answer in names}


def _swap_unknown(inspect: Mapping[str, Any]) -> bool:
    """Whether the container has a limit of memory and none of swap: wanted so, or all that the kernel can do."""
    limits = inspect["HostConfig"]
    return bool(limits.get("Memory")) and limits.get("MemorySwap") == -1


def _fresh(numbered: Sequence[Mapping[str, Any]], index: int) -> bool:
    return _number(numbered[index]) != _number(numbered[index - 1])


def _labels(inspect: Mapping[str, Any]) -> Mapping[str, str]:
    return inspect["Config"].get("Labels") or {}


def address_of(inspect: Mapping[str, Any]) -> str:
    """Return the address that a container's label says; "" where it has none."""
    return _labels(inspect).get(ADDRESS_LABEL, "")


def _name(inspect: Mapping[str, Any]) -> str:
    return str(inspect["Name"]).removeprefix("/")


def _number(inspect: Mapping[str, Any]) -> int:
    text = _labels(inspect).get("com.docker.compose.container-number", "1")
    return int(text) if text.isdecimal() else 1


def _oneoff(inspect: Mapping[str, Any]) -> bool:
    return _labels(inspect).get("com.docker.compose.oneoff", "False") == "True"
