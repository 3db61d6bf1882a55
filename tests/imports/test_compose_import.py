"""What an import of compose files looks like: variables, comments, refusals with their places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.host import inputs
from labspec.imports.compose import ComposeFiles, import_compose
from labspec.imports.report import Imported
from labspec.imports.writing import spec_text
from labspec.outputs.render import render
from labspec.spec.loader import load

Import = Callable[..., Imported]


@pytest.fixture
def importing(tmp_path: Path) -> Import:
    """Import files, given as keyword=content, the first of them with what it includes."""

    def made(first: str, *others: str, beside: dict[str, str] | None = None, **wish: Any) -> Imported:
        files = []
        for number, content in enumerate((first, *others)):
            path = tmp_path / f"compose{number or ''}.yaml"
            path.write_text(content)
            files.append(path)
        for name, content in (beside or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        given: dict[str, Any] = {"name": "shop", "environment": {}, "compare": False, **wish}
        return import_compose(ComposeFiles(tuple(files), tmp_path, **given))

    return made


def test_variables_become_vars(importing: Import) -> None:
    made = importing(
        "services:\n  web:\n    image: nginx:${TAG:-1}\n    ports: ['${PORT}:80']\n"
        "    environment: {A: $$5, B: '${TAG:-1}', C: '${TAG:-2}', D: '$NONE'}\n",
        beside={".env": "PORT=8080\n"},
    )
    assert spec_text(made).split("\n\n", 1)[1] == (
        "vars:\n"
        '  tag: "1"\n'
        '  port: "8080"\n'
        '  tag_2: "2"\n'
        '  none: "" # nothing gives NONE a value\n'
        "\n"
        "services:\n"
        "  web:\n"
        "    image: nginx:${{ vars.tag }}\n"
        '    ports: ["${{ vars.port }}:80"]\n'
        "    environment:\n"
        "      A: $5\n"
        "      B: ${{ vars.tag }}\n"
        "      C: ${{ vars.tag_2 }}\n"
        "      D: ${{ vars.none }}\n"
    )


def test_a_dollar_that_begins_no_variable_stays(importing: Import) -> None:
    made = importing("services: {a: {image: a, command: ['$(date) ${TAG:-1}', $1, '$$${TAG:-1}', '$${{ x }}']}}\n")
    assert made.sections["services"]["a"]["command"] == ["$(date) ${{ vars.tag }}", "$1", "$1", "$${{ x }}"]


def test_without_the_values_of_this_host(importing: Import) -> None:
    made = importing(
        "services: {web: {image: 'a:${TAG:-1}', environment: {P: '${PASSWORD}'}}}",
        beside={".env": "PASSWORD=secret\nTAG=9\n"},
        interpolate=False,
    )
    assert dict(made.sections["vars"]) == {"tag": "1", "password": None}
    assert "secret" not in spec_text(made)


def test_comments_stay(importing: Import) -> None:
    text = spec_text(
        importing(
            "# The shop.\n#\n# Front and back.\n\nservices:\n  # Serves pages.\n  web:\n    image: a   # pinned\n"
            "    # Who listens.\n    ports:\n      - 80:80  # people\n      # machines\n      - 81:81\n"
        )
    )
    assert text == (
        "# yaml-language-server: $schema=./labspec.schema.json\n"
        "# The shop.\n#\n# Front and back.\n"
        "labspec: 1\nlab:\n  name: shop\n\n"
        "services:\n  # Serves pages.\n  web:\n    image: a # pinned\n"
        '    # Who listens.\n    ports:\n      - "80:80" # people\n      # machines\n      - "81:81"\n'
    )


def test_a_later_file_overrides_and_resets(importing: Import) -> None:
    made = importing(
        "services: {web: {image: a, ports: ['80:80'], environment: [A=1, B=2], command: [x]}, old: {image: o}}",
        "services:\n  web: {ports: !override ['81:81'], environment: {B: '3'}, command: !reset null}\n"
        "  old: !reset null\n",
    )
    assert made.sections["services"] == {"web": {"image": "a", "ports": ["81:81"], "environment": {"A": "1", "B": "3"}}}


def test_as_a_stack(importing: Import) -> None:
    made = importing("x-a: 1\nservices: {web: {image: a, volumes: ['data:/d']}}\nvolumes: {data: }", stack="front")
    stack = made.sections["stacks"]["front"]
    assert (made.lab, stack["volumes"]) == ("shop", {"data": {}})
    assert stack["services"] == {"web": {"image": "a", "volumes": ["data:/d"]}}
    assert [loss.name for loss in made.losses] == ["x-a"]


def test_what_dotenv_says_is_said_where_it_is_only_named(importing: Import) -> None:
    made = importing(
        "services:\n  a: {image: a, environment: [GIVEN, OWN=1, NOWHERE], build: {context: b, args: {GIVEN: }}}\n"
        "  b: {image: b, env_file: b.env, environment: {GIVEN: }}\n",
        beside={".env": "GIVEN=x\nIN_FILE=y\n", "b.env": "IN_FILE\nMORE=z\n"},
    )
    services = made.sections["services"]
    assert dict(made.sections["vars"]) == {"given": "x", "in_file": "y"}
    assert services["a"]["environment"] == ["GIVEN=${{ vars.given }}", "OWN=1", "NOWHERE"]
    assert services["a"]["build"]["args"] == {"GIVEN": "${{ vars.given }}"}
    assert services["b"]["environment"] == {"GIVEN": "${{ vars.given }}", "IN_FILE": "${{ vars.in_file }}"}


def test_the_environment_goes_before_dotenv(importing: Import) -> None:
    made = importing(
        "services: {a: {image: a, environment: [GIVEN]}}\n",
        beside={".env": "GIVEN=x\n"},
        environment={"GIVEN": "of the shell"},
    )
    assert made.sections["services"]["a"]["environment"] == ["GIVEN"]
    assert "vars" not in made.sections


def test_nothing_of_this_host_is_said_where_that_is_not_wanted(importing: Import) -> None:
    made = importing(
        "include: [sub/compose.yaml]\nservices: {a: {image: a, environment: [GIVEN]}}\n",
        beside={
            ".env": "GIVEN=secret\n",
            "sub/.env": "SUB=secret\n",
            "sub/compose.yaml": "services: {b: {image: b, environment: [SUB]}}\n",
        },
        interpolate=False,
    )
    assert "secret" not in spec_text(made)


def test_a_build_that_says_nothing_is_of_this_folder(importing: Import) -> None:
    made = importing("services: {a: {build: {}}}\n", beside={"Dockerfile": "FROM scratch\n"})
    assert made.sections["services"]["a"]["build"] == {"context": "."}


def test_a_long_name_is_told(importing: Import) -> None:
    made = importing("name: the-project-of-all-the-shops-in-the-world-and-more\nservices: {a: {image: a}}\n", name=None)
    assert made.lab == "the-project-of-all-the-shops-in-the-worl"
    assert [loss.name for loss in made.losses] == ["name"]


def test_a_volume_of_one_letter_is_told(importing: Import) -> None:
    made = importing("services: {a: {image: a, volumes: ['d:/d']}}\nvolumes: {d: }\n")
    assert [loss.name for loss in made.losses] == ["services.a.volumes.0"]


def test_active_profiles_go_along_where_dotenv_does_not(importing: Import, tmp_path: Path) -> None:
    imported = importing("services: {a: {image: a, profiles: [p]}}\n", beside={".env": "COMPOSE_PROFILES=p\nOTHER=1\n"})
    (tmp_path / "lab.yaml").write_text(spec_text(imported))
    render(load(tmp_path, variables={}, variable_files=()), tmp_path / "out")
    assert (tmp_path / "out" / ".env").read_text() == "COMPOSE_PROFILES=p\n"


REFUSED = {
    "services:\n  web: {imge: a}\n": (2, "unknown key 'imge'"),
    "services:\n  web:\n    image: a\n    image: b\n": (4, "the key 'image' is here twice"),
    "services:\n  web: {image: a, ports: [80:80:80:80:80]}\n": (2, ""),
    "services:\n  web: {image: a}\n   bad: 1\n": (3, "not YAML"),
    "services:\n  web: {image: a, networks: [none-such]}\n": (2, "there is no network 'none-such'"),
    "services:\n  web: {image: a, volumes: ['data:/d']}\n": (2, "there is no volume 'data'"),
    "services:\n  web: {image: a, depends_on: [db]}\n": (2, "there is no service 'db'"),
    "services:\n  web: {image: '${TAG:?which one}'}\n": (2, "the variable TAG has no value: which one"),
    "services:\n  web: {image: 'a${'}\n": (2, "a ${ is not closed"),
    "services:\n  web: {image: 'a${1}'}\n": (2, "is no variable"),
    "services:\n  web: {image: a, extends: {service: no}}\n": (2, "there is no service 'no'"),
    "services:\n  a: {extends: b}\n  b: {extends: a}\n": (2, "extends itself"),
    "include: [nowhere.yaml]\nservices: {a: {image: a}}\n": (1, "there is no file nowhere.yaml"),
    "services:\n  web: {image: a, restart: sometimes}\n": (2, "no restart policy"),
    "services:\n  web:\n    image: a\n    healthcheck: {interval: 5 minutes}\n": (4, "not a duration"),
    "services:\n  web: {image: a, env_file: none.env}\n": (2, "none.env"),
    "services: [a]\n": (1, "'services' is a mapping"),
    "- a\n": (1, "a compose file is a mapping"),
    "services:\n  a: &a {image: a, labels: *a}\n": (2, ""),
    "services: {a: {image: !secret x}}\n": (1, "the tag !secret"),
    "version: '2'\nweb:\n  image: a\n": (2, "unknown key 'web' in a compose file = a file whose services stand at its"),
    "services: {a: {image: a}}\nmodels: {m: {model: ai/m}}\n": (2, "unknown key 'models'"),
    "version: 3\nservices: {a: {image: a}}\n": (1, "expected text as 'version'"),
    "services:\n  a:\n    image: a\n    environment:\n      1: b\n": (5, "the key 1 is no text"),
    "services:\n  a:\n    image: a\n    environment:\n      T: 2024-02-29 10:00:00\n": (5, "a point in time"),
    "x-a: &a {image: a}\nservices:\n  a:\n    <<: *a\n    <<: *a\n": (5, "the key '<<' is here twice"),
    "services:\n  a:\n    image: a\n    links: [a]\n": (4, "service 'a' needs itself"),
    "services:\n  a:\n    image: a\n    depends_on:\n      b: {condition: service_started, required: false}\n": (
        5,
        "there is no service 'b'",
    ),
}


@pytest.mark.parametrize("content", REFUSED, ids=range(len(REFUSED)))
def test_refusals_have_their_line(importing: Import, content: str) -> None:
    line, words = REFUSED[content]
    with pytest.raises(LabError) as raised:
        importing(content)
    (first, *_) = raised.value.diagnostics
    assert words in f"{first.message} = {first.hint}"
    assert first.at is not None
    assert (Path(first.at.file).name, first.at.line) == ("compose.yaml", line)
    assert first.source == content.splitlines()[line - 1]


def test_what_is_built_elsewhere_is_written_all_the_same(importing: Import, tmp_path: Path) -> None:
    made = importing("services:\n  web:\n    build: {context: ./nowhere, args: [TOKEN]}\n    image: a\n")
    assert made.sections["services"]["web"]["build"] == {"context": "./nowhere", "args": ["TOKEN"]}
    (loss,) = made.losses
    assert loss.name == "services.web.build"
    assert "there is no folder './nowhere'" in loss.reason
    assert loss.at is not None
    assert loss.at.line == 3
    (tmp_path / "lab.yaml").write_text(spec_text(made))
    with pytest.raises(LabError, match="there is no folder"):
        load(tmp_path, variables={}, variable_files=())
    with inputs.without_builds():
        lab = load(tmp_path, variables={}, variable_files=())
    (compose,) = render(lab, tmp_path / "out")
    assert "context: ./nowhere" in compose.read_text()


def test_a_secret_of_what_is_built_elsewhere_is_defined_all_the_same(importing: Import, tmp_path: Path) -> None:
    made = importing(
        "services: {a: {build: {context: ./nowhere, secrets: [token]}}}\nsecrets: {token: {file: ./token}}\n",
        beside={"token": "t"},
    )
    (tmp_path / "lab.yaml").write_text(spec_text(made))
    with inputs.without_builds():
        lab = load(tmp_path, variables={}, variable_files=())
    render(lab, tmp_path / "out")
    assert "token:\n    file:" in (tmp_path / "out" / "compose.yaml").read_text()


def test_the_line_in_a_file_of_variables(importing: Import) -> None:
    with pytest.raises(LabError) as raised:
        importing("services: {a: {image: a}}\n", beside={".env": "A=secret\nB C=secret\n"})
    (found,) = raised.value.diagnostics
    assert found.at is not None
    assert (Path(found.at.file).name, found.at.line) == (".env", 2)
    assert "secret" not in str(raised.value)


def test_the_line_in_an_included_file(importing: Import) -> None:
    with pytest.raises(LabError) as raised:
        importing(
            "include: [parts/db.yaml]\nservices: {a: {image: a}}\n",
            beside={"parts/db.yaml": "services:\n  db:\n    image: b\n    prts: []\n"},
        )
    (found,) = raised.value.diagnostics
    assert found.at is not None
    assert found.at.file.endswith("parts/db.yaml")
    assert found.at.line == 4
