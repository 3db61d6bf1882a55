"""What a spec says of its sheet: read into blocks, and every mistake at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.sheet.sheet import Artifact, Check, Figure, Run, Sheet, Solution, Text, View, sheet_of
from labspec.spec.loader import load, schema

HEAD = """labspec: 1
lab: {name: t, title: {fr: T, en: T}, language: fr, languages: [fr, en]}
services: {web: {image: "debian:latest"}}
checks: [{id: up, container: {in: service.web, field: State.Running, is: true}}]
handout:
"""
ONE = HEAD + "  sections:\n    - title: One\n      blocks:\n"
LINE = ONE.count("\n") + 1


def loaded(text: str, folder: Path) -> Lab:
    (folder / "lab.yaml").write_text(text)
    return load(folder, variables={}, variable_files=())


def sheet(blocks: str, folder: Path) -> Sheet:
    text = ONE + "".join(f"        {line}\n" for line in blocks.splitlines())
    lab = loaded(text, folder)
    assert json.loads(json.dumps(lab.parts["handout"])) == lab.parts["handout"]
    errors = list(jsonschema_rs.Draft202012Validator(schema()).iter_errors(yaml.safe_load(text)))
    assert [error.message for error in errors] == []
    return sheet_of(lab.parts["handout"])


def mistakes(text: str, folder: Path) -> list[str]:
    with pytest.raises(LabError) as refused:
        loaded(text, folder)
    return [
        f"{found.at.line if found.at else 0}:{found.at.column if found.at else 0} {found.message}"
        + (f" = {found.hint}" if found.hint else "")
        for found in refused.value.diagnostics
    ]


def test_every_kind_of_block(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg/>")
    found = sheet(
        """- text: {fr: Bonjour, en: Hello}
- run: [id]
  in: service.web
  exit: [0, 1]
- artifact: service.web
- show: namespaces
  of: service.web
- question: Why?
- hint: Look
- solution: Because
- check: up
- figure: topology
- figure: a.svg
  alt: A picture
- show: api
  of: /containers/json
  query: length(@)
- show: mounts
  of: host
""",
        tmp_path,
    )
    kinds = [block.kind for block in found.blocks()]
    wanted = "text run artifact show question hint solution check figure figure show show"
    assert " ".join(kinds) == wanted
    run = next(block for block in found.blocks() if isinstance(block, Run))
    assert (run.command, run.place, run.exit, run.timeout) == (("id",), "service.web", (0, 1), 60)
    artifact = next(block for block in found.blocks() if isinstance(block, Artifact))
    assert artifact.form == "compose"
    assert [block.query for block in found.blocks() if isinstance(block, View)] == [None, "length(@)", None]
    assert [block.file for block in found.blocks() if isinstance(block, Figure)] == ["", str(tmp_path / "a.svg")]
    assert next(block.check for block in found.blocks() if isinstance(block, Check)) == "up"


def test_editions(tmp_path: Path) -> None:
    found = sheet(
        """- text: both
- text: pupils
  audience: student
- run: [id]
  audience: teacher
- solution: secret
""",
        tmp_path,
    )
    assert [block.kind for block in found.edition("student").blocks()] == ["text", "text"]
    assert [block.kind for block in found.edition("teacher").blocks()] == ["text", "run", "solution"]
    assert [type(block) for block in found.edition("teacher").blocks()][-1] is Solution


def test_a_section_that_is_the_teachers_alone_leaves_nothing(tmp_path: Path) -> None:
    found = sheet("- solution: secret\n", tmp_path)
    assert found.edition("student").sections == ()


def test_ids_follow_from_contents_and_not_from_places(tmp_path: Path) -> None:
    before = sheet("- run: [id]\n- run: docker ps\n- run: docker ps\n", tmp_path)
    after = sheet("- text: new\n- run: [uptime]\n- run: docker ps\n- run: docker ps\n- run: [id]\n", tmp_path)
    old = {block.id for block in before.blocks()}
    assert old < {block.id for block in after.blocks()}
    assert len(old) == 3


def test_what_only_lays_out_changes_no_id(tmp_path: Path) -> None:
    plain = sheet("- run: [id]\n", tmp_path)
    more = sheet('- run: [id]\n  lines: 3\n  volatile: ["[0-9]+"]\n  title: X\n  exit: 1\n', tmp_path)
    assert [block.id for block in plain.blocks()] == [block.id for block in more.blocks()]
    other = sheet("- run: [id]\n  user: vagrant\n", tmp_path)
    assert [block.id for block in plain.blocks()] != [block.id for block in other.blocks()]


def test_no_id_tells_a_text(tmp_path: Path) -> None:
    found = sheet("- solution: verysecret\n- question: alsohidden\n- text: words\n", tmp_path)
    assert not any(word in block.id for block in found.blocks() for word in ("verysecret", "alsohidden", "words"))


def test_an_id_of_the_specs_goes_before_one_of_ours(tmp_path: Path) -> None:
    (made,) = sheet("- run: [id]\n", tmp_path).blocks()
    found = sheet(f"- run: [id]\n- run: [date]\n  id: {made.id}\n", tmp_path)
    assert [block.id for block in found.blocks()] == [f"{made.id}-2", made.id]


def test_recorded_output_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("printed\n")
    found = sheet('- run: [reboot]\n  recorded: {host: X, date: "2018", why: Y, file: out.txt}\n', tmp_path)
    (run,) = (block for block in found.blocks() if isinstance(block, Run))
    assert run.recorded is not None
    assert (run.recorded.output, run.recorded.date) == ("printed\n", "2018")


def test_a_block_knows_its_place(tmp_path: Path) -> None:
    found = sheet("- text: a\n- text: b\n", tmp_path)
    assert [(block.at.line, block.at.column) for block in found.blocks() if block.at] == [(LINE, 11), (LINE + 1, 11)]
    assert all(isinstance(block, Text) for block in found.blocks())


WRONG = {
    "- {}": "the block does not say what it is = it has one of the keys text, run,",
    "- txt: a": "the block does not say what it is = did you mean 'text'?",
    "- just text": "a block is a mapping = write - KIND: ...",
    "- {text: a, run: [id]}": "the block is both text and run = make two blocks of it",
    "- {text: a, tilte: b}": "unknown key 'tilte' in block 'text' = did you mean 'title'?",
    "- text: {fr: a}": "the text is not there in en = add it,",
    "- {text: a, title: {en: b}}": "the text is not there in fr = add it,",
    "- text: 3": "expected",
    "- run: []": "expected at least 1 item(s), found a list",
    "- run: ''": "the command is empty",
    "- {run: [id], in: service.wb}": "the lab has no 'service.wb' = did you mean 'service.web'?",
    "- {run: [id], in: network.default}": "a command runs on the host or in a service = there are service.web",
    "- {run: [id], exit: 300}": "expected at most 255, found the number 300",
    "- {run: [id], timeout: 0}": "expected at least 1, found the number 0",
    "- {run: [id], cwd: a}": "'a' is not absolute: begin with '/'",
    "- {run: [id], user: '-x'}": "expected text of the form",
    "- {run: [id], volatile: ['(']}": "'(' is no regular expression:",
    "- {run: [id], volatile: ['x*']}": "'x*' matches the empty text too:",
    "- {run: [id], needs: [volume.x]}": "the lab has no 'volume.x' =",
    "- {run: [id], recorded: {host: a, why: b}}": "'recorded' of block 'run' lacks the key 'date'",
    "- {run: [id], recorded: {host: a, why: b, date: gestern}}": "expected text of the form",
    "- {run: [id], recorded: {host: {fr: a}, why: b, date: '2018'}}": "the text is not there in en",
    "- {run: [id], recorded: {host: a, why: b, date: '2018', file: no.txt}}": "there is no file 'no.txt'",
    "- {artifact: service.web, as: dockerfil}": "service.web cannot be printed as 'dockerfil' = it can be",
    "- artifact: service.we": "the lab has no 'service.we' = did you mean 'service.web'?",
    "- {show: namespace, of: service.web}": "expected namespaces, cgroups,",
    "- {show: namespaces, of: service.w}": "the lab has no 'service.w' = did you mean 'service.web'?",
    "- {show: namespaces, of: service.web, query: x}": "the view namespaces takes no query = only 'api' does",
    "- {solution: a, audience: student}": "a solution is for the teacher alone = remove 'audience'",
    "- {question: a, answer_lines: -1}": "expected at least 0, found the number -1",
    "- check: upp": "there is no check 'upp' = did you mean 'up'?",
    "- figure: topolgy": "'topolgy' is no picture = did you mean 'topology'?",
    "- {figure: a.png, alt: x}": "there is no file 'a.png' in the lab's folder",
    "- {figure: ../a.png, alt: x}": "'../a.png' is outside of the lab's folder",
    "- {text: a, id: A B}": "'A B' is no id: use up to 64 small letters",
    "- {text: a, id: x}\n        - {text: b, id: x}": "there is another block with the id 'x' = an id is there once",
}


@pytest.mark.parametrize(("block", "said"), WRONG.items(), ids=list(WRONG))
def test_a_mistake_in_a_block(block: str, said: str, tmp_path: Path) -> None:
    found = mistakes(f"{ONE}        {block}\n", tmp_path)
    assert any(said in line for line in found), found
    line = LINE + block.count("\n")
    assert all(place.startswith(f"{line}:") for place in found), found


@pytest.mark.parametrize(
    ("handout", "said"),
    [
        ("  title: x\n", "6:3 the handout lacks the key 'sections'"),
        ("  sections: 3\n", "6:13 expected a list of sections"),
        ("  sections: [3]\n", "6:14 expected a mapping, found the number 3"),
        ("  sections: [{blocks: []}]\n", "6:14 the section lacks the key 'title'"),
        ("  sections: [{title: {fr: a}}]\n", "6:22 the text is not there in en"),
        ("  sections: [{title: a, blocks: 3}]\n", "6:33 expected a list of blocks"),
        ("  sections: [{title: a, id: x}, {title: b, id: x}]\n", "6:48 there is another section with the id 'x'"),
        ("  subtitle: {fr: a}\n  sections: []\n", "6:13 the text is not there in en"),
        ("  sektions: []\n", "6:3 unknown key 'sektions' in the handout = did you mean 'sections'?"),
    ],
)
def test_a_mistake_in_the_sheet(handout: str, said: str, tmp_path: Path) -> None:
    found = mistakes(HEAD + handout, tmp_path)
    assert any(line.startswith(said) for line in found), found


def test_too_many_blocks(tmp_path: Path) -> None:
    found = mistakes(ONE + "        - {text: a}\n" * 1001, tmp_path)
    assert found == ["7:5 the sheet has more than 1000 blocks = make two labs of it"]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes(ONE + "        - {text: {fr: a}}\n        - {check: x}\n        - {run: [id], in: x}\n", tmp_path)
    assert len(found) == 3


def test_a_control_character_is_refused(tmp_path: Path) -> None:
    found = mistakes(ONE + '        - text: "a\\u001b[31mred"\n', tmp_path)
    assert any("control character" in line for line in found)


def test_where_the_checks_are_wrong_a_block_says_nothing_of_them(tmp_path: Path) -> None:
    found = mistakes((ONE + "        - check: up\n").replace("id: up,", "id: up, x: 1,"), tmp_path)
    assert len(found) == 1
    assert "unknown key 'x'" in found[0]


def test_sections_are_named_by_their_titles(tmp_path: Path) -> None:
    text = HEAD + "  sections:\n    - title: {fr: Été, en: Summer}\n    - title: Été\n    - title: '!'\n"
    value: Any = loaded(text, tmp_path).parts["handout"]
    assert [section["id"] for section in value["sections"]] == ["ete", "ete-2", "section"]
