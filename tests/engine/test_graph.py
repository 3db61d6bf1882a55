"""The order of steps: what is prepared, removed, made and cleaned up before what."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from saying import Say

from labspec.core.change import Action, Change, Node, Step
from labspec.core.resource import Lab, Resource
from labspec.engine.graph import arrange
from labspec.kinds import REGISTRY, Kind


def steps(*texts: str) -> tuple[Step, ...]:
    return tuple(map(Say, texts))


def change(address: str, action: Action, **phases: str) -> Change:
    kind = address.partition(".")[0]
    return Change(address, kind, action, "", **{phase: steps(*text.split()) for phase, text in phases.items()})  # type: ignore[arg-type]


def lab(**needs: str) -> Lab:
    """Return a lab of resources, each 'kind_name' with the addresses that it needs."""
    resources = [
        Resource(address.replace("_", "."), address.partition("_")[0], address, needs=tuple(needed.split()))
        for address, needed in needs.items()
    ]
    return Lab("tp", "/lab", "/lab/lab.yaml", tuple(resources))


def before(nodes: Sequence[Node], text: str) -> set[str]:
    """Return the texts of all steps that must be done before one."""
    start = next(index for index, node in enumerate(nodes) if str(node.step) == text)
    seen: set[int] = set()
    todo = list(nodes[start].after)
    while todo:
        index = todo.pop()
        if index not in seen:
            seen.add(index)
            todo.extend(nodes[index].after)
    return {str(nodes[index].step) for index in seen if nodes[index].step}


WEB = lab(image_a="", network_n="", volume_v="", service_db="volume.v", service_web="image.a network.n service.db")


def test_containers_wait_for_all_that_their_compose_project_has() -> None:
    resources = [
        Resource("network.n", "network", "n", project="tp"),
        Resource("network.other", "network", "o", project="else"),
        Resource("service.alone", "service", "alone", project="tp"),
        Resource("service.none", "service", "none"),
    ]
    changes = [change(resource.address, Action.CREATE, make=resource.name) for resource in resources]
    nodes = arrange(changes, Lab("tp", "/lab", "/lab/lab.yaml", tuple(resources)))
    assert before(nodes, "alone") == {"n"}
    assert before(nodes, "none") == set()


def test_things_are_made_after_what_they_need() -> None:
    changes = [
        change("image.a", Action.CREATE, prepare="build"),
        change("network.n", Action.CREATE, make="net"),
        change("volume.v", Action.CREATE, make="vol"),
        change("service.db", Action.CREATE, make="db"),
        change("service.web", Action.CREATE, prepare="pull", make="web"),
    ]
    nodes = arrange(changes, WEB)
    assert before(nodes, "web") == {"build", "pull", "net", "vol", "db"}
    assert before(nodes, "db") == {"vol"}, "what needs no image of the lab does not wait for its build"
    assert before(nodes, "build") == before(nodes, "net") == set()


def test_nothing_that_exists_is_touched_before_the_last_preparation() -> None:
    changes = [
        change("image.a", Action.REPLACE, prepare="build", finish="clean"),
        change("network.n", Action.UPDATE, make="connect"),
        change("service.web", Action.REPLACE, make="recreate"),
        change("service.old", Action.DELETE, remove="drop"),
    ]
    nodes = arrange(changes, WEB)
    for text in ("connect", "recreate", "drop"):
        assert "build" in before(nodes, text)
    assert before(nodes, "clean") == {"build", "connect", "recreate", "drop"}


def test_users_are_removed_before_what_they_use() -> None:
    changes = [
        change("network.n", Action.REPLACE, remove="net-", make="net+"),
        change("service.web", Action.REPLACE, remove="web-", make="web+"),
    ]
    nodes = arrange(changes, WEB)
    assert before(nodes, "net-") == {"web-"}
    assert before(nodes, "web+") == {"web-", "net-", "net+"}


def test_what_left_frees_its_names_first_and_what_it_used_goes_last() -> None:
    changes = [
        change("service.web", Action.CREATE, make="web+"),
        change("service.old", Action.DELETE, remove="old-"),
        change("image.old", Action.DELETE, remove="image-"),
        change("volume.old", Action.DELETE, remove="volume-"),
    ]
    nodes = arrange(changes, WEB)
    assert before(nodes, "web+") == {"old-"}
    assert before(nodes, "volume-") == {"old-", "web+"}
    assert before(nodes, "image-") == {"old-", "web+", "volume-"}


def test_destroy_takes_dependents_first() -> None:
    changes = [
        change(address, Action.DELETE, remove=f"{address}-")
        for address in ("image.a", "network.n", "service.db", "service.web", "volume.v")
    ]
    nodes = arrange(changes, WEB)
    assert before(nodes, "service.db-") == {"service.web-"}
    assert before(nodes, "volume.v-") == {"service.web-", "service.db-"}
    assert before(nodes, "image.a-") == {"service.web-", "service.db-", "volume.v-", "network.n-"}


def test_images_are_built_after_the_images_they_are_made_from() -> None:
    changes = [change("image.b", Action.CREATE, prepare="b"), change("image.a", Action.CREATE, prepare="a")]
    nodes = arrange(changes, lab(image_b="image.a", image_a=""))
    assert before(nodes, "b") == {"a"}


def test_equal_steps_are_one_and_wait_for_nobody_twice() -> None:
    changes = [
        change("service.db", Action.CREATE, make="write db"),
        change("service.web", Action.CREATE, make="write web"),
    ]
    nodes = arrange(changes, WEB)
    assert [str(node.step) for node in nodes if node.step] == ["write", "db", "web"]
    assert before(nodes, "web") == {"write", "db"}


def test_the_graph_grows_with_the_changes_and_not_with_their_square() -> None:
    number = 500
    services = {f"service_s{index}": "network.n" for index in range(number)}
    changes = [change("network.n", Action.REPLACE, remove="net-", make="net+")]
    changes += [
        change(f"service.s{index}", Action.REPLACE, remove=f"-{index}", make=f"+{index}") for index in range(number)
    ]
    nodes = arrange(changes, lab(network_n="", **services))
    assert len(nodes) < 3 * number
    assert sum(len(node.after) for node in nodes) < 8 * number


def test_the_ground_is_laid_first_kind_by_kind_and_taken_up_last(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = (Kind("group", "host.groups", ground=True), Kind("daemon", "daemon", ground=True), *REGISTRY)
    monkeypatch.setattr("labspec.engine.graph.REGISTRY", registry)
    changes = [
        change("image.a", Action.CREATE, prepare="build"),
        change("service.web", Action.CREATE, make="web+"),
        change("daemon.settings", Action.UPDATE, make="restart"),
        change("group.docker", Action.UPDATE, make="members"),
        change("group.old", Action.DELETE, remove="restore"),
    ]
    nodes = arrange(changes, WEB)
    assert before(nodes, "restart") == {"members"}
    assert before(nodes, "build") == {"members", "restart"}
    assert before(nodes, "restore") == {"members", "restart", "build", "web+"}
