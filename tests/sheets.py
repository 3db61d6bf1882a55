"""A lab with a sheet that has everything a sheet can have, and what was captured for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labspec.core.resource import Lab
from labspec.sheet.captures import Capture, Captures, Origin
from labspec.spec.loader import load

SECRET = "zebra-solution"
"""It is in everything that only the teacher may see."""
SPEC = """
labspec: 1
lab: {name: tp1, title: {fr: "Conteneurs et isolation", en: "Containers and isolation"}, language: fr, languages: [en]}
images:
  nagini:
    from: debian:latest
    steps:
      - arg: {PYTHON_PORC: "8888"}
      - env: {PORT: "${PYTHON_PORC}"}
      - run: apt-get update && apt-get install -y --no-install-recommends python3 && useradd -r nagini
      - workdir: /web
      - expose: $PORT
      - user: nagini
      - entrypoint: /usr/bin/python3 -m http.server $PORT
volumes:
  foo: {tmpfs: {size: 100m, uid: 1000}}
services:
  web: {image: nagini, ports: ["1010:9999"], volumes: ["foo:/app"]}
"""
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NAMESPACES = "\n".join(
    f"lrwxrwxrwx 1 root root 0 Nov 24 22:05 {name} -> '{name}:[{number}]'"
    for number, name in enumerate(("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"), 4026532126)
)
PS = (
    "CONTAINER ID   IMAGE          COMMAND                  CREATED         STATUS         PORTS"
    "                                       NAMES\n"
    'ca8dadf7ab9e   nagini:latest  "/bin/sh -c \'/usr/bi…"   5 seconds ago   Up 4 seconds   0.0.0.0:1010->9999/tcp, '
    ":::1010->9999/tcp   tp1-web-1\n"
)
LIMITS = "LIMIT        SERVICE.WEB  HOST\nmemory.max   128.0M       max\npids.max     100          max\n"
INSPECT = json.dumps(
    [
        {
            "Id": "ca8dadf7ab9e3d26dd388a947ded6fd5356018cd0217173d5397acea1d0904fd",
            "Names": ["/tp1-web-1"],
            "Ports": [{"IP": "127.0.0.1", "PrivatePort": 9999, "PublicPort": 1010, "Type": "tcp"}],
            "Labels": {f"io.labspec.number{number}": "value" for number in range(30)},
            "State": "running",
        }
    ],
    indent=2,
)


def both(french: str, english: str) -> dict[str, str]:
    return {"fr": french, "en": english}


def block(kind: str, name: str, **values: Any) -> dict[str, Any]:
    return {"kind": kind, "id": name, "audience": "both", "title": "", **values}


def section(name: str, title: Any, *blocks: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": name, "title": title, "blocks": list(blocks)}


SECTIONS = [
    section(
        "docker",
        both("Pourquoi pas en root ?", "Why not as root?"),
        block(
            "text",
            "groups",
            text=both(
                "Pour autoriser quelqu'un à se servir de Docker sans être root, on l'ajoute au groupe `docker`. "
                "Voyez la [documentation](https://docs.docker.com/engine/security/) et la partie "
                "[suivante](#isolation).\n\n- le démon tourne en root ;\n- qui parle à son socket **est** root.\n\n"
                "| ressource | chemin |\n| --- | --- |\n| socket | `/run/docker.sock` |\n"
                "| images | `/var/lib/docker` |\n",
                "To let somebody use Docker without being root, add them to the group `docker`. See the "
                "[documentation](https://docs.docker.com/engine/security/) and the [next](#isolation) part.\n"
                "\n- the daemon runs as root;\n- who talks to its socket **is** root.\n\n"
                "| resource | path |\n| --- | --- |\n| socket | `/run/docker.sock` |\n| images | `/var/lib/docker` |\n",
            ),
        ),
        block("run", "member", command="usermod -aG docker vagrant\nsu - vagrant", place="host", exit=[0]),
        block("run", "ps", command=["docker", "ps"], place="host", user="vagrant", exit=[0]),
        block(
            "question",
            "why",
            text=both(
                "Que risque-t-on en donnant le groupe `docker` à un utilisateur ?",
                "What is the risk of giving somebody the group `docker`?",
            ),
            answer_lines=4,
        ),
        block(
            "hint",
            "why-hint",
            text=both(
                "Que fait `docker run -v /:/host -it debian` ?",
                "What does `docker run -v /:/host -it debian` do?",
            ),
        ),
        block(
            "solution",
            "why-solution",
            audience="teacher",
            text=both(f"Il devient root : {SECRET}.", f"They become root: {SECRET}."),
        ),
    ),
    section(
        "isolation",
        both("Espaces de noms et `cgroups`", "Namespaces and `cgroups`"),
        block(
            "text",
            "about-namespaces",
            text=both(
                "### Espaces de noms\n\nUn conteneur est un processus qui voit *autre chose* que les autres.",
                "### Namespaces\n\nA container is a process that sees *something else* than the others.",
            ),
        ),
        block(
            "run",
            "namespaces",
            title=both("Les espaces de noms du conteneur", "The container's namespaces"),
            command=["ls", "-l", "/proc/1/ns"],
            place="service.web",
            exit=[0],
        ),
        block("show", "limits", view="cgroups", address="service.web"),
        block(
            "run",
            "inspect",
            command="curl -s --unix-socket /var/run/docker.sock http://localhost/containers/json | jq",
            place="host",
            exit=[0],
        ),
        block(
            "run",
            "fails",
            command=["cat", "/etc/shadow"],
            place="host",
            user="vagrant",
            exit=[1],
        ),
        block(
            "run",
            "rkt",
            title=both("Le même avec rkt", "The same with rkt"),
            command="systemd-run rkt --insecure-options=image --stage1-name=coreos.com/rkt/stage1-fly:1.29.0 "
            "run docker://alpine --exec /bin/sleep -- 9999",
            place="host",
            exit=[0],
            recorded={
                "host": "CentOS 7",
                "date": "2018-09-24",
                "why": both("rkt n'est plus distribué depuis 2020.", "rkt has not been distributed since 2020."),
                "output": "Running as unit run-4217.service.\n",
            },
        ),
    ),
    section(
        "image",
        both("Une image à soi", "An image of your own"),
        block("artifact", "dockerfile", address="image.nagini", form="dockerfile"),
        block("artifact", "compose", title=both("La pile", "The stack"), address="lab", form="compose"),
        block("figure", "topology", figure="topology", file="", alt=""),
        block(
            "figure",
            "picture",
            title=both("Un pixel", "One pixel"),
            figure="pixel.png",
            file="pixel.png",
            alt=both("Un point gris", "A grey dot"),
        ),
        block("check", "check-web", check="web"),
        block("check", "check-volume", check="volume"),
        block(
            "run",
            "teacher-only",
            audience="teacher",
            command=["echo", f"{SECRET}-command"],
            place="host",
            exit=[0],
        ),
    ),
    section(
        "correction",
        both(f"Corrigé {SECRET}", f"Answers {SECRET}"),
        block("text", "whole-answer", audience="teacher", text=both(f"Tout : {SECRET}", f"All of it: {SECRET}")),
    ),
]
CHECKS = [
    {
        "id": "web",
        "title": both("Le serveur répond sur le port 1010", "The server answers on port 1010"),
        "hint": both(f"voir {SECRET}", f"see {SECRET}"),
        "kind": "http",
        "points": 2,
        "audience": ["student", "teacher"],
        "what": {"url": f"http://127.0.0.1:1010/{SECRET}", "status": {"equals": 200}},
    },
    {
        "id": "volume",
        "title": both("Le volume est en mémoire", "The volume is in memory"),
        "kind": "mount",
        "points": 1.5,
        "audience": ["student", "teacher"],
        "what": {"in": "service.web", "path": "/app", "type": {"equals": f"tmpfs-{SECRET}"}},
    },
]
ORIGIN = Origin(
    date="2026-11-24T22:05:00Z",
    spec="0" * 64,
    labspec="0.1",
    system="Debian GNU/Linux 12",
    kernel="6.18.5",
    docker="26.1.5",
)


def sheet(sections: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": "",
        "subtitle": both("Ce qu'un conteneur partage avec la machine", "What a container shares with the machine"),
        "intro": both(
            "Ce TP se fait sur une machine à jeter. Chaque sortie de ce sujet a été **vraiment** obtenue.",
            "Do this lab on a machine to throw away. Every output of this sheet was **really** captured.",
        ),
        "sections": sections,
    }


def lab_with(folder: Path, sections: list[dict[str, Any]], checks: list[dict[str, Any]] | None = None) -> Lab:
    """Return the lab with other sections on its sheet."""
    (folder / "lab.yaml").write_text(SPEC)
    (folder / "pixel.png").write_bytes(PIXEL)
    lab = load(folder, variables={}, variable_files=[])
    return lab._replace(parts={"checks": CHECKS if checks is None else checks, "handout": sheet(sections)})


def sample(folder: Path) -> Lab:
    """Return the lab with its whole sheet."""
    return lab_with(folder, SECTIONS)


def capture(stdout: str, stderr: str = "", *, exit: int = 0, user: str = "root") -> Capture:
    """Return what a command did; the sheet prints the command of the spec."""
    return Capture((), "host", user, ".", exit, stdout, stderr, 0.42, "0" * 64)


def captures(blocks: Mapping[str, Capture]) -> Captures:
    return Captures(ORIGIN, blocks)


SAMPLE_CAPTURES = captures(
    {
        "member": capture(""),
        "ps": capture(PS, user="vagrant"),
        "namespaces": capture(f"total 0\n{NAMESPACES}\n", user=""),
        "limits": capture(
            "LIMIT        SERVICE.WEB  HOST\nmemory.max   128.0M       max\npids.max     100          max\n"
        ),
        "inspect": capture(INSPECT, stderr="  % Total    % Received % Xferd  Average Speed\n100   907  100   907\n"),
        "fails": capture("", "cat: /etc/shadow: Permission denied\n", exit=1, user="vagrant"),
        "check-web": capture(f"ok  web  status 200 {SECRET}\n"),
        "check-volume": capture(f"ok  volume  tmpfs {SECRET}\n"),
        "teacher-only": capture(f"{SECRET}-command\n"),
    }
)
