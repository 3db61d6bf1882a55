"""daemon.json, rkt command lines and OCI bundles as specs: what they render to is what was there, or told as lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.imports.bundle import import_bundle
from labspec.imports.daemon import import_daemon
from labspec.imports.report import Imported
from labspec.imports.rkt import import_rkt
from labspec.imports.writing import spec_text
from labspec.kinds.bundle.config import config, default_config
from labspec.kinds.rkt.command import rkt_command, sheet_command
from labspec.spec.formatting import formatted
from labspec.spec.loader import load
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

SETTINGS = {
    "userns-remap": "vagrant",
    "log-opts": {"max-size": "10m", "labels": "${{x"},
    "dns": ["10.0.0.1"],
    "debug": False,
    "default-address-pools": [{"base": "10.1.0.0/16", "size": 24}],
    "max-concurrent-downloads": 3,
    "a-new-key": {"deep": [1, None]},
}


WISHES = {
    "args": ["sleep", "99"],
    "hostname": "there",
    "cwd": "/tmp",
    "readonly": False,
    "network": "host",
    "user": {"uid": 5, "gid": 6},
    "env": {"A": "b=c"},
    "mounts": [
        {"type": "bind", "source": "/srv", "target": "/srv", "read_only": True},
        {"type": "tmpfs", "target": "/scratch", "size": 1048576},
    ],
}


def sections(made: Imported) -> Any:
    """Return what the spec says, read back from its text."""
    text = spec_text(made)
    assert formatted(text.encode(), "lab.yaml").decode() == text
    document = parse(text.encode(), "lab.yaml", Report())
    assert document is not None
    return document.value


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return path


class TestDaemon:
    """labspec import daemon."""

    def test_every_key_is_there(self, tmp_path: Path) -> None:
        made = import_daemon(written(tmp_path, "daemon.json", SETTINGS), "lab")
        (tmp_path / "lab.yaml").write_text(spec_text(made))
        lab = load(tmp_path, variables={}, variable_files=())
        (settings,) = lab.resources
        assert (settings.desired["settings"], made.losses) == (SETTINGS, ())
        assert sections(made)["daemon"]["settings"]["x-unchecked"] == {"a-new-key": {"deep": [1, None]}}

    def test_the_same_twice_is_once(self, tmp_path: Path) -> None:
        made = import_daemon(written(tmp_path, "d.json", '{"dns": ["1.1.1.1"], "dns": ["1.1.1.1"]}'), "lab")
        assert sections(made)["daemon"]["settings"] == {"dns": ["1.1.1.1"]}

    def test_null_is_a_loss(self, tmp_path: Path) -> None:
        made = import_daemon(written(tmp_path, "d.json", '{\n "debug": true,\n "bip": null\n}'), "lab")
        assert [(loss.name, loss.at and loss.at.line) for loss in made.losses] == [("bip", 3)]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ('{"debug": "yes"}', "debug: expected true or false"),
            ('{"dns": "1.1.1.1"}', "dns: expected a list"),
            ('{\n "a": 1,\n}', "d.json:3:1: not JSON"),
            ('{"debug": true, "debug": false}', "the key 'debug' is there twice"),
            ("[]", "is no JSON object"),
        ],
    )
    def test_refusals(self, tmp_path: Path, content: str, said: str) -> None:
        with pytest.raises(LabError) as refused:
            import_daemon(written(tmp_path, "d.json", content), "lab")
        assert said in str(refused.value)


class TestRkt:
    """labspec import rkt."""

    @pytest.mark.parametrize(
        "line",
        [
            "systemd-run rkt --insecure-options=image --stage1-name=coreos.com/rkt/stage1-fly:1.29.0 run "
            "docker://alpine --exec /bin/sleep -- 9999",
            "systemd-run --unit=web rkt run --net=host --hostname=h --dns=1.1.1.1 --dns=host "
            "--hosts-entry=10.1.1.2=x --port=80-tcp:8080 --set-env=A=b --volume v,kind=host,source=/srv,readOnly=true "
            "--volume w,kind=empty example.org/a:1 --name=app --mount volume=v,target=/data --environment=X=y=z "
            "--user=1000 --group=1000 --working-dir=/w --supplementary-gids=1,2 --caps-retain=CAP_KILL,CAP_CHOWN "
            "--cpu=500m --memory=128M --cpu-shares=512 --oom-score-adj=5 --readonly-rootfs=true",
            "rkt run docker://busybox --exec /bin/sh -- -c 'a  b' --not-a-flag",
        ],
    )
    def test_the_line_says_the_same(self, line: str) -> None:
        import shlex

        made = import_rkt([line], "lab")
        assert made.losses == ()
        (pod,) = sections(made)["rkt"].values()
        again = sheet_command(pod) if line.startswith("systemd-run") else rkt_command(pod)
        assert again == shlex.split(line)

    def test_other_spellings(self) -> None:
        first = import_rkt(["sudo rkt run --stage1-name x/y:1 \\\n docker://alpine --exec=/bin/true --user 0"], "lab")
        assert sections(first)["rkt"] == {
            "alpine": {"image": "docker://alpine", "stage1": "x/y:1", "exec": "/bin/true", "user": "0"}
        }
        second = import_rkt(
            ["rkt", "run", "--interactive", "--uuid-file-save=/x", "a.example/b", "--odd=1"], "lab", "n"
        )
        assert [loss.name for loss in second.losses] == ["--interactive", "--odd=1"]
        assert [*sections(second)["rkt"]] == ["n"]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("docker run x", "this is no rkt command line"),
            ("rkt list", "this is 'rkt list', not 'rkt run'"),
            ("rkt run", "names no image"),
            ("rkt run a b", "has several images: a, b"),
            ("rkt run a 'b", "the command line is not whole"),
            ("rkt run a --exec", "--exec has no value"),
            ("rkt run a --exec sleep", "exec"),
            ("rkt run a --cpu-shares=x", "it takes a number"),
        ],
    )
    def test_refusals(self, line: str, said: str) -> None:
        with pytest.raises(LabError) as refused:
            import_rkt([line], "lab")
        assert said in str(refused.value)


class TestBundle:
    """labspec import bundle."""

    def test_what_a_spec_can_say(self, tmp_path: Path) -> None:
        made = import_bundle(written(tmp_path, "config.json", config(WISHES)), "box", "debian", "lab")
        assert made.losses == ()
        assert sections(made)["bundles"]["box"] == {
            "image": "debian",
            "args": ["sleep", "99"],
            "hostname": "there",
            "env": {"A": "b=c"},
            "cwd": "/tmp",
            "user": "5:6",
            "readonly": False,
            "network": "host",
            "mounts": [
                {"source": "/srv", "target": "/srv", "read_only": True},
                {"type": "tmpfs", "target": "/scratch", "size": 1048576},
            ],
        }
        (tmp_path / "lab.yaml").write_text(spec_text(made))
        (bundle,) = load(tmp_path, variables={}, variable_files=()).resources
        assert bundle.desired["config"]["process.args"] == ["sleep", "99"]

    def test_the_default_of_runc(self, tmp_path: Path) -> None:
        made = import_bundle(written(tmp_path, "config.json", default_config()), "runc", "debian", "lab")
        assert (sections(made)["bundles"]["runc"], made.losses) == ({"image": "debian", "args": ["sh"]}, ())
        if shutil.which("runc"):
            (tmp_path / "config.json").unlink()
            subprocess.run(["runc", "spec"], cwd=tmp_path, check=True, timeout=20)
            real = import_bundle(tmp_path / "config.json", "runc", "debian", "lab")
            assert sections(real)["bundles"]["runc"] == {"image": "debian", "args": ["sh"], "terminal": True}

    def test_everything_else_is_told_by_name(self, tmp_path: Path) -> None:
        found = default_config()
        found["linux"]["resources"]["memory"] = {"limit": 1000}
        found["process"]["capabilities"]["bounding"].append("CAP_CHOWN")
        found["mounts"].append({"destination": "/o", "type": "overlay", "source": "x", "options": ["lowerdir=/a"]})
        found["linux"]["namespaces"].append({"type": "user"})
        found["annotations"] = {"a": "b"}
        del found["linux"]["maskedPaths"]
        made = import_bundle(written(tmp_path, "config.json", found), "runc", "debian", "lab")
        assert [loss.name for loss in made.losses] == [
            "annotations.a",
            "linux.maskedPaths",
            "linux.namespaces.user",
            "linux.resources.memory.limit",
            "mounts.[/o].options",
            "mounts.[/o].source",
            "mounts.[/o].type",
            "process.capabilities.bounding",
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("{}", "says nothing of a process"),
            ('{"process": {"args": [1]}}', "args.0: expected text"),
            ('{"process": {"args": ["x"], "env": ["A"]}}', "is not as the OCI's runtime specification has it"),
            ('{"process": {"args": ["x"]}, "mounts": [{}]}', "is not as the OCI's runtime specification has it"),
        ],
    )
    def test_refusals(self, tmp_path: Path, content: str, said: str) -> None:
        with pytest.raises(LabError) as refused:
            import_bundle(written(tmp_path, "config.json", content), "box", "debian", "lab")
        assert said in str(refused.value)
