"""Images, networks and volumes that a lab has adopted, or is about to: read by their ids and names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from labspec.core.resource import LAB_LABEL, Observed
from labspec.host.docker import segment
from labspec.kinds.adoption.record import IDS, adopted, marked, stand_in, wanted
from labspec.kinds.provider import Reading

Answer = Mapping[str, Any]


def taken_over(
    reading: Reading, kind: str, path: str, observed: Callable[[Answer], Observed], there: Collection[str]
) -> Iterator[Observed]:
    """Yield the objects of a kind that the lab has adopted, then those that the spec adopts and that are nobody's.

    `path` leads to one of them in the API, with {} for its name; `there` are the addresses of the lab's own.
    """
    record = adopted(reading, kind)
    found: set[str] = set(there)
    answers = reading.docker.find_all([path.format(segment(_name(identity))) for identity in record]) if record else []
    for (identity, labels), answer in zip(record.items(), answers, strict=True):
        if answer is not None and identity_of(kind, answer) == identity:
            item = marked(observed(relabelled(answer, labels)), new=False)
            if item.address not in found:
                found.add(item.address)
                yield item
    missing = [resource for resource in wanted(reading, kind, found) if not resource.options.get("external")]
    answers = reading.docker.find_all([path.format(segment(resource.name)) for resource in missing]) if missing else []
    for resource, answer in zip(missing, answers, strict=True):
        if answer is None or LAB_LABEL in _labels(answer) or resource.name not in _names(answer):
            continue
        item = marked(observed(relabelled(answer, stand_in(reading.lab, resource.address))), new=True)
        yield item._replace(facts={**item.facts, IDS: [identity_of(kind, answer)]})


def identity_of(kind: str, answer: Answer) -> str:
    """Return what tells an object from another one of its name: a volume has no id, but a time of birth."""
    return f"{answer['Name']} {answer.get('CreatedAt', '')}" if kind == "volume" else str(answer["Id"])


def relabelled(answer: Answer, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the engine's answer as if the object had these labels too."""
    return {**answer, "Labels": {**_labels(answer), **labels}}


def _labels(answer: Answer) -> Mapping[str, str]:
    """Return an object's labels; an image's are in its configuration."""
    return (answer["Config"] or {} if "Config" in answer else answer).get("Labels") or {}


def _names(answer: Answer) -> Collection[str]:
    return answer["RepoTags"] or () if "RepoTags" in answer else (answer["Name"],)


def _name(identity: str) -> str:
    return identity.partition(" ")[0]
