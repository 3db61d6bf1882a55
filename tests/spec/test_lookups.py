"""What lookups and variables stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from labs import HEAD, Load, refusals

from labspec.core.resource import Resource

Things = Callable[..., dict[str, Resource]]

VARS = """
vars:
  port: 1010
  ratio: 1.5
  yes: true
  word: hello
  nothing: {x: }
  many: [80, {name: a}]
  user: {name: eve, ids: {uid: 1000}, a-b_c: 7}
  greeting: "${{ vars.word }}, ${{ lab.name }}"
  again: "${{ vars.many }}"
"""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"${{ vars.port }}"', 1010),
        ("${{ vars.port }}", 1010),
        ("${{vars.port}}", 1010),
        ("${{\tvars.port  }}", 1010),
        ("${{ vars.ratio }}", 1.5),
        ("${{ vars.yes }}", True),
        ("${{ vars.nothing.x }}", None),
        ("${{ vars.many }}", [80, {"name": "a"}]),
        ("${{ vars.again }}", [80, {"name": "a"}]),
        ("${{ vars.user.ids }}", {"uid": 1000}),
        ("${{ vars.user.ids.uid }}", 1000),
        ("${{ vars.user.a-b_c }}", 7),
        ("${{ vars.greeting }}!", "hello, tp1!"),
        ("${{ lab.name }}", "tp1"),
        ("${{ seat.number }}", 1),
        ("${{ seat.name }}", "tp1"),
        ("'${{ vars.port }}:${{ vars.port }}'", "1010:1010"),
        ("'${{ vars.port }} '", "1010 "),
        ("' ${{ vars.port }}'", " 1010"),
        ("x${{ vars.yes }}-${{ vars.ratio }}", "xtrue-1.5"),
        ("|\n      ${{ vars.port }}\n", "1010\n"),
        ("$${{ vars.port }}", "${{ vars.port }}"),
        ("$$${{ vars.port }}", "$${{ vars.port }}"),
        ("$${{ x ${{ vars.port }}", "${{ x 1010"),
        ("$${{", "${{"),
        ("$PORT ${PORT} ${PORT:-1} $$x", "$PORT ${PORT} ${PORT:-1} $$x"),
        ("'{{ vars.port }} {% if x %} $ {{ x }} }}'", "{{ vars.port }} {% if x %} $ {{ x }} }}"),
        ("[{a: ['${{ vars.port }}']}, x]", [{"a": [1010]}, "x"]),
    ],
)
def test_values(written: str, value: object, things: Things) -> None:
    found = things(f"{VARS}things:\n  a:\n    value: {written}\n")["a"].desired["value"]
    assert found == value
    assert type(found) is type(value)


def test_the_lab_itself_is_looked_up(load: Load) -> None:
    lab = load(
        'labspec: 1\nlab: {name: "tp${{ vars.n }}", title: "TP ${{ vars.n }} of ${{ lab.name }}"}\nvars: {n: 3}\n'
    )
    assert (lab.name, lab.title) == ("tp3", "TP 3 of tp3")


def test_what_aliases_share_is_looked_up_once(things: Things) -> None:
    found = things("vars: {x: 1}\nthings:\n  a: &a {value: ['${{ vars.x }}']}\n  b: *a\n")
    assert found["a"].desired["value"] == found["b"].desired["value"] == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "vars:\n  a0: [x, x]\n"
            + "".join(f"  a{n}: ['${{{{ vars.a{n - 1} }}}}', '${{{{ vars.a{n - 1} }}}}']\n" for n in range(1, 40)),
            "is too large",
        ),
        (
            "vars:\n  a0: xxxxxxxxxx\n"
            + "".join(f"  a{n}: '${{{{ vars.a{n - 1} }}}}${{{{ vars.a{n - 1} }}}}'\n" for n in range(1, 60)),
            "is too large",
        ),
        (
            "vars:\n  a0: []\n" + "".join(f"  a{n}: [[[[['${{{{ vars.a{n - 1} }}}}']]]]]\n" for n in range(1, 60)),
            "has more than 100 levels of nesting",
        ),
        (
            "vars:\n" + "".join(f"  a{n}: '${{{{ vars.a{n + 1} }}}}'\n" for n in range(2000)) + "  a2000: x\n",
            "is looked up through too many others",
        ),
        ("vars:\n  a: " + "[" * 60 + "'${{ vars.b }}'" + "]" * 60 + "\n  b: [1]\n", "is looked up through too many"),
    ],
)
def test_bombs(text: str, message: str, load: Load) -> None:
    found = refusals(load, HEAD + text)
    assert message in found[0]


def test_a_long_chain_the_other_way_round_is_fine(things: Things) -> None:
    text = "vars:\n  a0: x\n" + "".join(f"  a{n}: '${{{{ vars.a{n - 1} }}}}'\n" for n in range(1, 500))
    assert things(text + "things: {a: {value: '${{ vars.a499 }}'}}")["a"].desired == {"value": "x"}


class TestSetting:
    """--var and --var-file."""

    TEXT = "vars: {word: a, port: 1, ratio: 1.5, flag: false, many: [1], user: {x: 1}, same: '${{ vars.port }}',\n"
    TEXT += "        needed: }\n"
    TEXT += "things:\n  t: {value: '${{ vars.%s }}'}\n"

    @pytest.mark.parametrize(
        ("name", "given", "value"),
        [
            ("word", "b", "b"),
            ("word", "12", "12"),
            ("word", "", ""),
            ("word", "true", "true"),
            ("word", "${{ vars.port }}", "${{ vars.port }}"),
            ("word", "a=b c", "a=b c"),
            ("port", "8080", 8080),
            ("port", "0x10", 16),
            ("ratio", "2", 2.0),
            ("ratio", "2.5", 2.5),
            ("flag", "true", True),
            ("many", "[2, x]", [2, "x"]),
            ("user", "{y: 2}", {"y": 2}),
            ("needed", "x", "x"),
            ("needed", "12", 12),
            ("needed", "true", True),
            ("needed", "1.50", "1.50"),
            ("needed", "007", "007"),
            ("needed", "[x", "[x"),
            ("needed", "", ""),
            ("needed", "null", "null"),
            ("same", "8080", 8080),
            ("same", "x", "x"),
        ],
    )
    def test_options(self, name: str, given: str, value: object, things: Things) -> None:
        options = {"needed": "x", name: given}
        found = things(self.TEXT % name, **options)["t"].desired["value"]
        assert found == value
        assert type(found) is type(value)

    @pytest.mark.parametrize(
        ("name", "given", "message"),
        [
            ("port", "x", "--var port: expected a whole number, found 'x'"),
            ("port", "1.5", "--var port: expected a whole number, found '1.5'"),
            ("port", "", "--var port: expected a whole number, found ''"),
            ("port", "true", "--var port: expected a whole number, found 'true'"),
            ("port", "9" * 30, f"--var port: the number {'9' * 30} is too large"),
            ("flag", "yes", "--var flag: expected true or false, found 'yes'"),
            ("flag", "1", "--var flag: expected true or false, found '1'"),
            ("ratio", "x" * 60, f"--var ratio: expected a number, found '{'x' * 37}...'"),
            ("many", "1", "--var many: expected a list, found '1'"),
            ("many", "[1", "--var many: not YAML: this list lacks a ',' or its ']'"),
            ("user", "[1]", "--var user: expected a mapping, found '[1]'"),
            ("prot", "1", "--var prot: the spec has no variable 'prot' (did you mean 'port'?)"),
            (
                "xyz",
                "1",
                "--var xyz: the spec has no variable 'xyz' (it has flag, many, needed, port, ratio, same, user, word)",
            ),
        ],
    )
    def test_wrong_options(self, name: str, given: str, message: str, load: Load) -> None:
        assert refusals(load, HEAD + self.TEXT % "word", **{"needed": "x", name: given}) == [message]

    def test_files(self, things: Things, folder: Path) -> None:
        (folder.parent / "far.yaml").write_text("port: 3\nneeded: [1]\n")
        files = {"a.yaml": "word: from a\nport: 2\nratio: 3\n", "empty.yaml": "# nothing\n"}
        text = (
            "things: {t: {value: ['${{ vars.word }}', '${{ vars.port }}', '${{ vars.ratio }}', '${{ vars.needed }}']}}"
        )
        given: dict[str, Any] = {"files": files, "var_files": ["a.yaml", "../far.yaml", "empty.yaml"], "word": "option"}
        found = things(self.TEXT.partition("things")[0] + text, **given)["t"].desired["value"]
        assert found == ["option", 3, 3, [1]]

    def test_files_are_not_looked_up(self, things: Things) -> None:
        given: dict[str, Any] = {"files": {"v.yaml": "word: '${{ vars.port }}'\nneeded: x"}, "var_files": ["v.yaml"]}
        assert things(self.TEXT % "word", **given)["t"].desired["value"] == "${{ vars.port }}"

    def test_wrong_files(self, load: Load, folder: Path) -> None:
        (folder / "sub").mkdir()
        files = {
            "a.yaml": "word: 1\nprot: 2\nport: x\nflag: \nmany: {a: 1}\n",
            "b.yaml": "- word\n",
            "c.yaml": "word: !x y",
        }
        found = refusals(
            load,
            HEAD + self.TEXT % "word",
            files=files,
            var_files=["a.yaml", "b.yaml", "c.yaml", "none.yaml", "sub"],
            needed="x",
        )
        assert found == [
            "cannot read none.yaml: No such file or directory",
            "--var-file sub: it is a folder, not a file",
            "a.yaml:1:7: variable 'word': expected text, found a whole number (put it in quotes)",
            "a.yaml:2:1: the spec has no variable 'prot' (did you mean 'port'?)",
            "a.yaml:3:7: variable 'port': expected a whole number, found text",
            "a.yaml:4:6: variable 'flag': expected true or false, found nothing",
            "a.yaml:5:7: variable 'many': expected a list, found a mapping",
            "b.yaml:1:1: expected a mapping of variables, found a list (write 'name: value')",
            "c.yaml:1:7: the tag !x is not known (remove it, or put text that begins with '!' in quotes)",
        ]

    def test_a_variable_that_must_be_given(self, load: Load) -> None:
        message = "4:9: variable 'needed' has no value (give it one with --var needed=...)"
        assert refusals(load, HEAD + self.TEXT % "word") == [message]

    def test_nothing_is_no_value(self, load: Load) -> None:
        found = refusals(load, HEAD + self.TEXT % "word", files={"v.yaml": "needed: ~"}, var_files=["v.yaml"])
        assert found == ["4:9: variable 'needed' has no value (give it one with --var needed=...)"]

    def test_a_spec_without_variables(self, load: Load) -> None:
        message = "--var x: the spec has no variable 'x' (declare it under 'vars:')"
        assert refusals(load, HEAD, x="1") == [message]
