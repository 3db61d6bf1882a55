"""Labs kept from run to run: the same lab as without, and never one that does not hold any more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labspec import kinds
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab, Resource
from labspec.spec import cache
from labspec.spec.loader import load as load_anew

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(path.parent for parent in ("specs", "examples") for path in ROOT.glob(f"{parent}/*/lab.yaml"))
HEAD = "labspec: 1\nlab: {name: tp}\n"
SERVICE = HEAD + "services:\n  web:\n    image: debian:latest\n"


@pytest.fixture(autouse=True)
def all_kinds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  it sets others
    monkeypatch.setattr("labspec.spec.loader.sections", kinds.sections)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list with one item for each lab that was loaded anew."""
    seen: list[object] = []

    def counted(path: Path | None, **options: object) -> Lab:
        seen.append(path)
        return load_anew(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("labspec.spec.loader.load", counted)
    return seen


def load(path: Path | None = None, files: tuple[Path, ...] = (), **variables: str) -> Lab:
    return cache.load(path, variables=variables, variable_files=files)


def entry_of(place: Path) -> Path:
    (entry,) = place.glob("*.lab")
    return entry


@pytest.mark.parametrize("lab", LABS, ids=lambda path: path.name)
def test_every_lab_is_the_same_with_and_without(lab: Path, tmp_path: Path, loads: list[object]) -> None:
    home = shutil.copytree(lab, tmp_path / "copy")
    try:
        first = load(home)
    except LabError:
        pytest.skip("needs a file that only a person can make")
    again = load(home)
    assert again == first == load_anew(home, variables={}, variable_files=[])
    assert list(again.by_address) == list(first.by_address)
    assert len(loads) == 1 or any(
        resource.kind == "stack" or "stack." in resource.address for resource in again.resources
    )


def test_the_starter_is_the_same(loads: list[object]) -> None:
    subprocess.run([sys.executable, "-m", "labspec", "init"], check=True)
    assert load() == load() == load_anew(None, variables={}, variable_files=[])
    assert len(loads) == 1


def test_every_field_of_a_lab_is_kept() -> None:
    assert {*cache._LAB, "resources", "files"} == set(Lab._fields)  # noqa: SLF001
    assert {*cache._RESOURCE, "at"} == set(Resource._fields)  # noqa: SLF001


def test_places_are_told_from_where_the_user_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, loads: list[object]
) -> None:
    (folder / "lab.yaml").write_text(SERVICE)
    assert str(load().by_address["service.web"].at) == "lab.yaml:4:3"
    monkeypatch.chdir(folder.parent)
    assert str(load(folder).by_address["service.web"].at) == "lab/lab.yaml:4:3"
    assert len(loads) == 1


Change = Callable[[Path, pytest.MonkeyPatch], object]
CHANGES: dict[str, tuple[str, Change]] = {
    "the spec": ("", lambda home, _: (home / "lab.yaml").write_text(SERVICE + "    user: root\n")),
    "a file of variables": (
        "    env_file: [a.env]\n",
        lambda home, _: (home / "a.env").write_text("A=2"),
    ),
    "an optional file that comes": (
        "    env_file: [{path: b.env, required: false}]\n",
        lambda home, _: (home / "b.env").write_text("B=1"),
    ),
    "a variable of the environment": (
        "    environment: {SEAT: }\n",
        lambda _, patch: patch.setenv("SEAT", "7"),
    ),
    "a variable that goes": (
        "    environment: {THERE: }\n",
        lambda _, patch: patch.delenv("THERE"),
    ),
    "a mounted folder that becomes a file": (
        "    volumes: [./data:/data]\n",
        lambda home, _: ((home / "data").rmdir(), (home / "data").write_text("")),
    ),
    "a symlink that leads elsewhere": (
        "    env_file: [link.env]\n",
        lambda home, _: ((home / "link.env").unlink(), (home / "link.env").symlink_to("c.env")),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_seen(what: str, folder: Path, monkeypatch: pytest.MonkeyPatch, loads: list[object]) -> None:
    monkeypatch.setenv("THERE", "1")
    monkeypatch.delenv("SEAT", raising=False)
    more, change = CHANGES[what]
    (folder / "lab.yaml").write_text(SERVICE + more)
    (folder / "a.env").write_text("A=1")
    (folder / "c.env").write_text("A=3")
    (folder / "link.env").symlink_to("a.env")
    (folder / "data").mkdir()
    before = load()
    assert load() == before
    assert len(loads) == 1
    change(folder, monkeypatch)
    assert load() == load_anew(None, variables={}, variable_files=[])
    assert len(loads) == 2


def test_each_set_of_variables_has_its_own_lab(folder: Path, loads: list[object]) -> None:
    (folder / "lab.yaml").write_text(
        HEAD + "vars: {user: root}\nservices: {web: {image: debian, user: '${{ vars.user }}'}}\n"
    )
    (folder / "set.yaml").write_text("user: other\n")
    users = [load(), load(user="me"), load(None, (Path("set.yaml"),)), load(user="me"), load()]
    assert [lab.by_address["service.web"].desired["user"] for lab in users] == ["root", "me", "other", "me", "root"]
    assert len(loads) == 3


def test_a_copied_file_is_hashed_anew_only_where_it_was_touched(folder: Path, loads: list[object]) -> None:
    (folder / "lab.yaml").write_text(
        HEAD + "images: {box: {from: debian, steps: [{copy: {src: page.html, dest: /}}]}}\n"
    )
    page = folder / "page.html"
    page.write_text("one")
    os.utime(page, (1, 1))
    first = load().by_address["image.box"].desired["context"]
    assert load().by_address["image.box"].desired["context"] == first
    page.write_text("two")
    assert load().by_address["image.box"].desired["context"] != first
    assert load() == load_anew(None, variables={}, variable_files=[])
    assert len(loads) == 1
    page.unlink()
    with pytest.raises(LabError, match=r"page\.html"):
        load()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: entry.write_bytes(entry.read_bytes()[:-9]),
        lambda entry: entry.write_bytes(b""),
        lambda entry: entry.write_bytes(entry.read_bytes().replace(b"debian:latest", b"stranger:evil")),
        lambda entry: entry.chmod(0o644),
        lambda entry: (entry.rename(entry.with_suffix(".moved")), entry.symlink_to(entry.with_suffix(".moved"))),
        lambda entry: entry.parent.chmod(0o777),
    ],
    ids=["cut short", "empty", "altered", "readable by others", "a symlink", "in a folder of everybody"],
)
def test_an_entry_that_cannot_be_trusted_is_none(
    spoil: Callable[[Path], object], folder: Path, cache_folder: Path, loads: list[object]
) -> None:
    (folder / "lab.yaml").write_text(SERVICE)
    first = load()
    spoil(entry_of(cache_folder))
    assert load() == first
    assert len(loads) == 2


def test_entries_are_the_users_alone(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LABSPEC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    (folder / "lab.yaml").write_text(SERVICE)
    load()
    place = tmp_path / "xdg" / "labspec"
    assert place.stat().st_mode & 0o777 == 0o700
    assert entry_of(place).stat().st_mode & 0o777 == 0o600


def test_off_keeps_nothing(folder: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABSPEC_CACHE", "off")
    (folder / "lab.yaml").write_text(SERVICE)
    load()
    assert not list(cache_folder.iterdir())


def test_a_folder_that_cannot_be_written_is_no_mistake(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("LABSPEC_CACHE_DIR", str(folder / "file" / "below"))
    (folder / "lab.yaml").write_text(SERVICE)
    assert load().name == "tp"


def test_secrets_are_kept_nowhere(folder: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2")
    (folder / "secret.env").write_text("TOKEN=hunter2\n")
    (folder / "stack.yaml").write_text("services: {web: {image: debian, command: [run, $PASSWORD]}}\n")
    for more in (
        "    environment: {PASSWORD: }\n    env_file: secret.env\n",
        "stacks: {other: {file: stack.yaml, env_from: [PASSWORD]}}\n",
    ):
        (folder / "lab.yaml").write_text(SERVICE + more)
        load()
    kept = b"".join(entry.read_bytes() for entry in cache_folder.iterdir())
    assert b"debian" in kept
    assert b"hunter2" not in kept


def test_the_folder_does_not_grow_without_end(
    folder: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch, loads: list[object]
) -> None:
    monkeypatch.setattr(cache, "MOST_ENTRIES", 3)
    stranger = cache_folder / "notes.txt"
    stranger.write_text("mine")
    os.utime(stranger, (1, 1))
    for number in range(6):
        (folder / "lab.yaml").write_text(SERVICE + f"    hostname: h{number}\n")
        load()
    assert len(list(cache_folder.glob("*.lab"))) == 3
    assert stranger.exists()
    load()
    assert len(loads) == 6


def test_a_hit_imports_neither_parser_nor_checkers(folder: Path) -> None:
    (folder / "lab.yaml").write_text(
        HEAD + "images: {box: {from: debian, steps: [{run: 'true'}]}}\nservices: {web: {image: box}}\n"
    )
    load()
    heavy = ["yaml", "pydantic", "jsonschema_rs", "jinja2", "rich", "docker", "python_on_whales", "difflib"]
    code = f"""
import sys
from labspec.spec.cache import load
assert len(load(None, variables={{}}, variable_files=[]).resources) == 3
print([name for name in {heavy} if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
