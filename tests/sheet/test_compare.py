"""Two runs of a sheet: renaming what has an identity changes nothing, mixing it up does."""

from __future__ import annotations

import ipaddress
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labspec.sheet.captures import Capture
from labspec.sheet.compare import DRIFTED, SAME, VOLATILE, Comparison, Verdict, states
from labspec.sheet.normalise import Context


def capture(stdout: str, exit: int = 0, stderr: str = "") -> Capture:
    return Capture(("x",), "host", "root", ".", exit, stdout, stderr, 0.1, "d")


def compare(*pairs: tuple[str, str], unordered: bool = False) -> list[Verdict]:
    comparison = Comparison()
    return [
        comparison.compare(f"b{number}", capture(old), capture(new), Context(), unordered=unordered)
        for number, (old, new) in enumerate(pairs)
    ]


def state(*pairs: tuple[str, str], unordered: bool = False) -> list[str]:
    return [verdict.state for verdict in compare(*pairs, unordered=unordered)]


HEX = "0123456789abcdef"
FORMS = {
    "pid": lambda number: f"/proc/{number + 2}/ns",
    "namespace": lambda number: f"net:[{4026531840 + number}]",
    "id": lambda number: f"container {random.Random(number).randbytes(32).hex()} runs",
    "short": lambda number: f"container {random.Random(number).randbytes(6).hex()} runs",
    "ip": lambda number: f"inet {ipaddress.ip_address(0x0A000001 + number)}/8",
    "mac": lambda number: f"ether {':'.join(f'{byte:02x}' for byte in number.to_bytes(5, 'big') + b'x')}",
    "port": lambda number: f"127.0.0.1:{32768 + number % 32000}",
    "interface": lambda number: f"eth0@if{number + 2}: <UP>",
}
numbers = st.integers(0, 30_000)
sheets = st.lists(
    st.lists(st.tuples(st.sampled_from(sorted(FORMS)), st.integers(0, 4)), max_size=6), min_size=1, max_size=5
)
renamings = st.lists(numbers, min_size=5, max_size=5, unique=True)


def written(sheet: list[list[tuple[str, int]]], names: list[int]) -> list[str]:
    """Return the outputs of a sheet's blocks: who is who by a list of numbers."""
    return ["\n".join(FORMS[kind](names[who]) for kind, who in block) for block in sheet]


@settings(deadline=None)
@given(sheets, renamings, renamings)
def test_renaming_everything_one_to_one_is_no_drift(
    sheet: list[list[tuple[str, int]]], before: list[int], after: list[int]
) -> None:
    pairs = list(zip(written(sheet, before), written(sheet, after), strict=True))
    assert DRIFTED not in state(*pairs)


@settings(deadline=None)
@given(sheets, renamings, renamings, st.data())
def test_renaming_one_of_several_places_is_drift(
    sheet: list[list[tuple[str, int]]], before: list[int], after: list[int], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(FORMS)))
    who = data.draw(st.integers(0, 4))
    other = data.draw(numbers.filter(lambda number: number not in after))
    sheet = [*sheet, [(kind, who)], [(kind, who)]]
    old, new = written(sheet, before), written(sheet, after)
    new[-1] = FORMS[kind](other)
    assert state(*zip(old, new, strict=True))[-1] == DRIFTED


@settings(deadline=None)
@given(sheets, renamings, renamings, st.data())
def test_two_that_become_one_are_drift(
    sheet: list[list[tuple[str, int]]], before: list[int], after: list[int], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(FORMS)))
    sheet = [*sheet, [(kind, 0)], [(kind, 1)]]
    old, new = written(sheet, before), written(sheet, after)
    new[-1] = new[-2]
    assert state(*zip(old, new, strict=True))[-1] == DRIFTED


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"))))
def test_any_text_is_the_same_as_itself(text: str) -> None:
    assert state((text, text)) == [SAME]


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii", categories=("L",)), min_size=1), st.text("g-z", min_size=1))
def test_other_words_are_drift(word: str, more: str) -> None:
    assert state((f"{word} said", f"{word} said q{more}")) == [DRIFTED]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Up 4 seconds", "Up About an hour"),
        ("Sep 24 12:55 a", "Oct  1 00:00 a"),
        ("75.7M", "140.0K"),
        ("0.12%", "100%"),
        ("NAME      STATUS\nweb       Up 4 seconds", "NAME  STATUS\nweb   Up 5 minutes"),
    ],
)
def test_values_have_no_identity(old: str, new: str) -> None:
    assert state((old, new), (old, old), (old, new)) == [VOLATILE, SAME, VOLATILE]


def test_the_same_process_on_the_host_and_in_a_table() -> None:
    before = ("/proc/1680/ns", "UID PID PPID CMD\nroot 1680 1650 sleep")
    right = ("/proc/2201/ns", "UID PID PPID CMD\nroot 2201 2199 sleep")
    wrong = ("/proc/2201/ns", "UID PID PPID CMD\nroot 2202 2199 sleep")
    assert state(*zip(before, right, strict=True)) == [VOLATILE, VOLATILE]
    verdict = compare(*zip(before, wrong, strict=True))[1]
    assert verdict.diff == ("! pid 1680 is 2202 now, but 1680 became 2201 elsewhere",)


def test_a_shared_namespace_that_is_no_longer_shared() -> None:
    shared = "web ipc:[4026532127]\nhost ipc:[4026532127]"
    assert state((shared, "web ipc:[4026532200]\nhost ipc:[4026532200]")) == [VOLATILE]
    assert state((shared, "web ipc:[4026532200]\nhost ipc:[4026532201]")) == [DRIFTED]


def test_what_a_drifted_block_says_counts_for_no_other() -> None:
    assert state(("pid=12 a", "pid=13 b"), ("pid=12 c", "pid=14 c")) == [DRIFTED, VOLATILE]


def test_places_that_are_constant_must_stay() -> None:
    assert state(("127.0.0.1:1010", "127.0.0.1:1011")) == [DRIFTED]
    assert state(("0.0.0.0:80->9999/tcp", "127.0.0.1:80->9999/tcp")) == [DRIFTED]


def test_exit_codes_and_errors_count() -> None:
    comparison = Comparison()
    code = comparison.compare("a", capture("x"), capture("x", 1), Context())
    error = comparison.compare("b", capture("x"), capture("x", stderr="no"), Context())
    assert (code.state, code.diff) == (DRIFTED, ("! exit code 0, now 1",))
    assert (error.state, error.diff) == (DRIFTED, ("! stderr", "- ", "+ no"))


def test_a_diff_shows_what_was_printed() -> None:
    verdict = compare(("one\ntwo pid=4\nthree\nfour\nfive\nsix", "one\ntwo pid=5\nthree\n4\nfive\nsix"))[0]
    assert verdict.diff == ("  two pid=4", "  three", "- four", "+ 4", "  five", "  six")


def test_lines_in_any_order() -> None:
    old = "ca8dadf7ab9e web Up 4 seconds\nb07df25fe0a6 db Up 4 seconds"
    new = "4c02eeb8c16e db Up 5 seconds\neb2b15ad444f web Up 5 seconds"
    assert state((old, new)) == [DRIFTED]
    assert state((old, new), unordered=True) == [VOLATILE]
    assert state(("b07df25fe0a6 x", "4c02eeb8c16e x"), (old, new), unordered=True) == [VOLATILE, VOLATILE]
    assert state(("b07df25fe0a6 x", "111111111111 x"), (old, new), unordered=True) == [VOLATILE, DRIFTED]


def test_lines_in_any_order_that_look_alike_go_by_what_is_known() -> None:
    known = ("pid=4 web", "pid=9 web"), ("pid=5 db", "pid=8 db")
    assert state(*known, ("pid=4 runs\npid=5 runs", "pid=8 runs\npid=9 runs"), unordered=True)[-1] == VOLATILE


def test_lines_that_look_alike_teach_nothing() -> None:
    alike = ("b07df25fe0a6 runs\n4c02eeb8c16e runs", "111111111111 runs\n222222222222 runs")
    crossed = ("b07df25fe0a6 is web", "222222222222 is web")
    assert state(crossed, unordered=True) == [VOLATILE]
    comparison = Comparison()
    first = comparison.compare("a", capture(alike[0]), capture(alike[1]), Context(), unordered=True)
    second = comparison.compare("b", capture(crossed[0]), capture(crossed[1]), Context())
    assert (first.state, second.state) == (VOLATILE, VOLATILE)


def test_a_line_that_is_known_goes_before_one_that_is_not() -> None:
    known = ("pid=9 web", "pid=4 web")
    assert state(known, ("pid=5 runs\npid=9 runs", "pid=4 runs\npid=6 runs"), unordered=True)[-1] == VOLATILE


def test_states_are_counted() -> None:
    assert states(compare(("a", "a"), ("a", "b"), ("pid=4", "pid=5"))) == {SAME: 1, VOLATILE: 1, DRIFTED: 1}
