"""Sections inside others, and lists of names for entries."""

from __future__ import annotations

import pytest
from labs import HEAD, Load, refusals


def test_the_entries_are_resources_in_the_order_of_the_file(load: Load) -> None:
    lab = load(HEAD + "vars: {one: 1}\nhost:\n  places:\n    /b: ${{ vars.one }}\n    /a:\n")
    assert [(item.address, item.desired["value"]) for item in lab.resources] == [("place./b", 1), ("place./a", {})]
    assert str(lab.resources[0].at) == "lab.yaml:6:5"


def test_a_list_of_names_is_entries_with_nothing_in_them(load: Load) -> None:
    lab = load(HEAD + "host: {places: [/b, /a]}")
    assert [(item.address, item.desired["value"], str(item.at)) for item in lab.resources] == [
        ("place./b", {}, "lab.yaml:3:17"),
        ("place./a", {}, "lab.yaml:3:21"),
    ]


def test_nothing_in_it_is_nothing(load: Load) -> None:
    assert load(HEAD + "host:").resources == load(HEAD + "host: {places: }").resources == ()


def test_files_are_put_together(load: Load) -> None:
    more = {"more.yaml": "host: {places: {/b: 1}}"}
    lab = load(HEAD + "include: [more.yaml]\nhost: {places: [/a]}", more)
    assert [item.name for item in lab.resources] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hosts: {}", ["3:1: unknown section 'hosts' (did you mean 'host'?)"]),
        ("host: {plaecs: {}}", ["3:8: unknown key 'plaecs' in 'host' (did you mean 'places'?)"]),
        ("host: {zzz: {}}", ["3:8: unknown key 'zzz' in 'host' (known keys: places)"]),
        ("host: [places]", ["3:7: section 'host' is a mapping, found a list (it has the keys places)"]),
        ("host: {places: 1}", None),
        ("host: {places: {a: 1}}", ["3:17: 'a' is no name of an entry in 'host.places' (begin with /)"]),
        ("host: {places: {/a: 2}}", ["3:21: a place is 1"]),
        (
            "host: {places: [/a, 1]}",
            ["3:21: expected a name in 'host.places', found a whole number (put it in quotes)"],
        ),
        ("host: {places: [/a, /a]}", ["3:21: '/a' is in the list twice (remove one of the two)"]),
        ("things: [a]", None),
        ("host.places: {}", None),
    ],
)
def test_mistakes_are_told_where_they_are(load: Load, text: str, said: list[str] | None) -> None:
    found = refusals(load, HEAD + text)
    assert said is None or found == said
    assert all(line.startswith("3:") for line in found)


def test_one_entry_in_two_files(load: Load) -> None:
    more = {"more.yaml": "host: {places: {/a: 1}}"}
    assert refusals(load, HEAD + "include: [more.yaml]\nhost: {places: [/a]}", more) == [
        "more.yaml:1:17: host.places./a is in two files (the first is at lab.yaml:4:17)"
    ]
