"""daemon.json edited in place: what is not named stays byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labspec.core.diagnostic import LabError
from labspec.kinds.daemon.jsonfile import JsonFile

NAME = "/etc/docker/daemon.json"


def file(text: str | bytes | None) -> JsonFile:
    return JsonFile.read(text.encode() if isinstance(text, str) else text, NAME)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1}', '{"a": 1, "b": true}'),
        ('{"a":1,"c":2}', '{"a":1,"c":2,"b":true}'),
        ('{ "a" : 1 }\n', '{ "a" : 1, "b" : true }\n'),
        ('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"b": true\n}'),
        ('{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "b": true\r\n}\r\n'),
        ('{\n    "b": false,\n    "a": [\n  1]\n}', '{\n    "b": true,\n    "a": [\n  1]\n}'),
        ("{}", '{\n  "b": true\n}'),
        ("{ \n\n}\n\n", '{\n  "b": true\n}\n\n'),
        ("", '{\n  "b": true\n}\n'),
        (" \n", '{\n  "b": true\n}\n'),
        ('\ufeff{"a": 1}', '\ufeff{"a": 1, "b": true}'),
        ('{"b":    true}', '{"b":    true}'),
    ],
)
def test_a_member_is_set_in_the_manner_of_the_file(before: str, after: str) -> None:
    assert file(before).with_values({"b": True}).content().decode() == after


def test_a_missing_file_gets_its_members_on_lines_of_their_own() -> None:
    made = file(None).with_values({"debug": True, "log-opts": {"max-size": "10m"}})
    assert made.content() == b'{\n  "debug": true,\n  "log-opts": {\n    "max-size": "10m"\n  }\n}\n'


def test_true_is_not_one() -> None:
    assert file('{"mtu": 1}').with_values({"mtu": True}).content() == b'{"mtu": true}'


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ('{"a": 1,}', "1:9", "expected a key in double quotes"),
        ('{\n  "a": 1\n  "b": 2\n}', "3:3", "expected ',' or '}' here"),
        ('{\n  "a": nope\n}', "2:8", "expecting value"),
        ('{"a": NaN}', "1:7", "NaN is no JSON value"),
        ("[1]", "1:1", "expected an object"),
        ('{"a": 1', "1:8", "expected ',' or '}' at the end"),
        ('{"a": 1} x', "1:10", "something stands behind the object"),
        ("{// no\n}", "1:2", "expected a key"),
        (b'{"a": "\xff"}', "1:8", "not UTF-8"),
        ('{"a":' + "[" * 100_000, "1:6", "nested too deeply"),
    ],
)
def test_a_broken_file_is_refused_at_its_place(text: str | bytes, where: str, said: str) -> None:
    with pytest.raises(LabError) as refused:
        file(text)
    (mistake,) = refused.value.diagnostics
    assert str(mistake.at) == f"{NAME}:{where}"
    assert said in mistake.message


def test_only_a_key_that_is_to_be_changed_must_not_be_there_twice() -> None:
    twice = file('{"a": 1, "a": 2, "b": 3}')
    assert twice.values == {"a": 2, "b": 3}
    assert twice.with_values({"b": 4}).content() == b'{"a": 1, "a": 2, "b": 4}'
    with pytest.raises(LabError, match="the key 'a' is there twice") as refused:
        twice.with_values({"a": 5})
    assert str(refused.value.diagnostics[0].at) == f"{NAME}:1:10"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BLANK = st.text(" \t\n", max_size=3) | st.just("\r\n  ")


@st.composite
def objects(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw the text of an object with blanks everywhere, and its keys."""
    keys = draw(st.lists(st.text(max_size=6), unique=True, max_size=5))
    members = [
        draw(BLANK) + json.dumps(key) + draw(BLANK) + ":" + draw(BLANK) + json.dumps(draw(VALUES)) + draw(BLANK)
        for key in keys
    ]
    return draw(BLANK) + "{" + (",".join(members) or draw(BLANK)) + "}" + draw(BLANK), keys


@given(objects(), st.text(max_size=6), VALUES)
def test_setting_changes_one_member_and_nothing_else(drawn: tuple[str, list[str]], key: str, value: Any) -> None:
    text, keys = drawn
    before = file(text)
    after = before.with_values({key: value})
    assert after.values == {**json.loads(text), key: value}
    assert list(after.values) == [*keys, *([] if key in keys else [key])]
    for other in keys:
        if other != key:
            assert after.raw(other) == before.raw(other)


@given(objects(), st.text(max_size=6), VALUES)
def test_what_was_set_is_taken_back_byte_for_byte(drawn: tuple[str, list[str]], key: str, value: Any) -> None:
    text, keys = drawn
    before = file(text)
    after = before.with_values({key: value})
    if key in keys:
        assert after.with_raw(key, before.raw(key) or "").content() == before.content()
    elif keys:
        assert after.without(key).content() == before.content()
    else:
        assert after.without(key).values == {}


@given(objects())
def test_members_are_removed_one_after_the_other(drawn: tuple[str, list[str]]) -> None:
    text, keys = drawn
    left = file(text)
    while keys:
        key = keys.pop(len(keys) // 2)
        before, left = left, left.without(key)
        assert list(left.values) == keys
        assert all(left.raw(other) == before.raw(other) for other in keys)
