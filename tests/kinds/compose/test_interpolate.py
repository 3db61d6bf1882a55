"""Variables in compose files, and files of variables: what compose makes of them, but strict."""

from __future__ import annotations

from contextlib import suppress

import pytest
from fakescope import FakeScope
from hypothesis import given
from hypothesis import strategies as st

from labspec.kinds.compose.environment import parse_env_file
from labspec.kinds.compose.interpolate import InterpolationError, interpolate, substitute, variables_in

VARIABLES = {"X": "1", "EMPTY": "", "NAME": "X"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$X", "1"),
        ("${X}", "1"),
        ("a${X}b$X-", "a1b1-"),
        ("$$X $${X}", "$X ${X}"),
        ("${U:-d}", "d"),
        ("${U-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${X:-d}", "1"),
        ("${X:+r}", "r"),
        ("${EMPTY:+r}", ""),
        ("${EMPTY+r}", "r"),
        ("${U+r}", ""),
        ("${X:?no}", "1"),
        ("${EMPTY?no}", ""),
        ("${U:-${V:-${X}}}", "1"),
        ("${U:-a-$X-b}", "a-1-b"),
        ("${U:-}", ""),
        ("${U:-$$}", "$"),
    ],
)
def test_substitution(text: str, expected: str) -> None:
    assert substitute(text, VARIABLES.get) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$U", "the variable U has no value"),
        ("${U}", "the variable U has no value"),
        ("${U:?give it}", "the variable U has no value: give it"),
        ("${EMPTY:?}", "the variable EMPTY has no value"),
        ("${X", "a ${ is not closed"),
        ("${}", "'${}' is no variable"),
        ("${X!}", "'${X!}' is no variable"),
        ("$1", "'$1' is no variable"),
        ("100$", "'$' is no variable"),
        ("${U:-" * 30 + "}" * 30, "variables are nested too deeply"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(InterpolationError) as caught:
        substitute(text, VARIABLES.get)
    assert str(caught.value) == message


def test_mistakes_in_a_document_have_a_place_and_a_hint() -> None:
    scope = FakeScope()
    written = {"a": ["$X", "${NAM}"], "$X": 3, "b": "$"}
    assert interpolate(written, VARIABLES, scope.error) == {"a": ["1", "${NAM}"], "$X": 3, "b": "$"}
    assert scope.lines() == [
        "a.1: the variable NAM has no value = did you mean 'NAME'?",
        "b: '$' is no variable = write $$ for a plain $",
    ]


def test_an_unset_variable_says_where_to_set_it() -> None:
    scope = FakeScope()
    interpolate("$PASSWORD", {}, scope.error)
    assert "set it in the stack's 'env'" in scope.lines()[0]
    assert "${PASSWORD:-value}" in scope.lines()[0]


def test_variables_in_a_text() -> None:
    assert variables_in("$A ${B:-$C} $$D ${E:+$F}") == {"A", "B", "C", "E", "F"}


@given(st.text(alphabet="$X{}:-+?a", max_size=14))
def test_any_text_is_replaced_or_refused(text: str) -> None:
    with suppress(InterpolationError):
        assert isinstance(substitute(text, VARIABLES.get), str)


ENV_FILE = r"""
# comment
A=b
 B = c d # comment
C="x\ny $A \$A #no" # c
D='x\n $A'
E=a#b
F
export G=1
H=${A}-${NOPE:-z}$A
I="multi
line"
J=a\nb
K: yaml
L=
M="a\"b"
N=$$x
O=it's
Q=$1
R=#first
S='it\'s'
T="it\'s"
1U=x
V[0]=y
"""


def test_env_file() -> None:
    found = parse_env_file(ENV_FILE, {"F": "ff"}.get)
    assert found == {
        "A": "b",
        "B": "c d",
        "C": "x\ny b $A #no",
        "D": "x\\n $A",
        "E": "a#b",
        "F": "ff",
        "G": "1",
        "H": "b-zb",
        "I": "multi\nline",
        "J": "a\\nb",
        "K": "yaml",
        "L": "",
        "M": 'a"b',
        "N": "$x",
        "O": "it's",
        "Q": "$1",
        "R": "#first",
        "S": "it's",
        "T": "it\\'s",
        "1U": "x",
        "V[0]": "y",
    }


def test_raw_env_file() -> None:
    assert parse_env_file("A='b' $X\nB=\"c", raw=True) == {"A": "'b' $X", "B": '"c'}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b c", "line 1 is not NAME=VALUE"),
        ("A=1\nB='x", "line 2: a quote ' is not closed"),
        ("A='x' y", "something follows"),
    ],
)
def test_bad_env_files(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_env_file(text)
