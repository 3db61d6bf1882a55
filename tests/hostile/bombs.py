"""Files that cost more than they look: each kind of bomb as the files of a lab's folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

HEAD = "labspec: 1\nlab: {name: bomb}\n"
Bomb = Callable[[Path], None]


def _spec(text: str | bytes) -> Bomb:
    def write(folder: Path) -> None:
        content = text if isinstance(text, bytes) else (HEAD + text).encode()
        (folder / "lab.yaml").write_bytes(content)

    return write


def _laughs(kind: str) -> str:
    lines = ["vars:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        items = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(
            f"  a{level}: &a{level} [{items}]" if kind == "list" else f"  a{level}: &a{level} {{k: [{items}]}}"
        )
    return "\n".join(lines) + "\n"


def _merges() -> str:
    lines = ["x-a0: &a0 {k: v}"]
    lines += [f"x-a{now}: &a{now}\n  <<: [*a{now - 1}, *a{now - 1}]\n  k{now}: *a{now - 1}" for now in range(1, 30)]
    return "\n".join(lines) + "\n"


def _lookups() -> str:
    lines = ["vars:", "  v0: xxxxxxxxxx"]
    lines += [f'  v{level}: "{"".join(["${{ vars.v", str(level - 1), " }}"]) * 10}"' for level in range(1, 20)]
    return "\n".join(lines) + '\nservices: {a: {image: "x:1", hostname: "${{ vars.v19 }}"}}\n'


def _include_cycle(folder: Path) -> None:
    (folder / "lab.yaml").write_text(HEAD + "include: [a.yaml]\n")
    (folder / "a.yaml").write_text("include: [b.yaml]\n")
    (folder / "b.yaml").write_text("include: [a.yaml]\n")


def _include_fifo(folder: Path) -> None:
    (folder / "lab.yaml").write_text(HEAD + "include: [pipe.yaml]\n")
    os.mkfifo(folder / "pipe.yaml")


def _include_device(folder: Path) -> None:
    (folder / "lab.yaml").write_text(HEAD + "include: [zero.yaml]\n")
    (folder / "zero.yaml").symlink_to("/dev/zero")


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "lab.yaml")


def _sparse(folder: Path) -> None:
    with (folder / "lab.yaml").open("wb") as file:
        file.write(HEAD.encode())
        file.truncate(8 * 2**30)


def _file_sparse(folder: Path) -> None:
    (folder / "lab.yaml").write_text(HEAD + "host: {files: {/etc/big: {src: big}}}\n")
    with (folder / "big").open("wb") as file:
        file.truncate(8 * 2**30)


def _stack_defaults(folder: Path) -> None:
    (folder / "lab.yaml").write_text(HEAD + "stacks: {s: {file: c.yml}}\n")
    (folder / "c.yml").write_text("services: {a: {image: '" + "${A:-" * 20000 + "}" * 20000 + "'}}\n")


def _extends(folder: Path) -> None:
    (folder / "lab.yaml").write_text(HEAD + "stacks: {s: {file: c.yml}}\n")
    services = ["  a0: {image: x, extends: {service: a400}}"]
    services += [f"  a{number}: {{extends: {{service: a{number - 1}}}}}" for number in range(1, 401)]
    (folder / "c.yml").write_text("services:\n" + "\n".join(services) + "\n")


BOMBS: dict[str, Bomb] = {
    "aliases of lists": _spec(_laughs("list")),
    "aliases of mappings": _spec(_laughs("mapping")),
    "aliases of one long text": _spec(f"x-a: &a {'y' * 10000}\nvars: {{b: [{', '.join(['*a'] * 100000)}]}}\n"),
    "an alias of itself": _spec("vars: &a {b: *a}\n"),
    "deep lists": _spec("vars: {a: " + "[" * 100000 + "]" * 100000 + "}\n"),
    "deep mappings": _spec("vars: {a: " + "{b: " * 50000 + "c" + "}" * 50000 + "}\n"),
    "deep blocks": _spec("\n".join(f"{' ' * level}a:" for level in range(2000)) + "\n"),
    "unclosed lists": _spec("vars: {a: " + "[" * 500000),
    "merge keys": _spec(_merges()),
    "a great file": _sparse,
    "a great file to copy": _file_sparse,
    "a pipe": _fifo,
    "an included pipe": _include_fifo,
    "an included device": _include_device,
    "an include of itself": _include_cycle,
    "lookups of lookups": _spec(_lookups()),
    "Python's tags": _spec("vars: !!python/object/apply:os.system ['touch pwned']\n"),
    "unknown tags": _spec("vars: {a: !!binary " + "A" * 100000 + "}\n"),
    "many documents": _spec("---\n" * 200000),
    "one key many times": _spec("vars:\n" + "  a: 1\n" * 50000),
    "a number of many digits": _spec("services: {a: {image: 'x:1', scale: " + "9" * 100000 + "}}\n"),
    "a great many containers": _spec("services: {a: {image: 'x:1', scale: 1000000000}}\n"),
    "a duration of many parts": _spec("services: {a: {image: 'x:1', stop_grace_period: " + "1h" * 50000 + "x}}\n"),
    "nested defaults of variables": _stack_defaults,
    "services that extend each other": _extends,
    "no text": _spec(os.urandom(10**6)),
    "zero bytes": _spec(b"\0" * 10**6),
    "UTF-16": _spec((HEAD * 1000).encode("utf-16")),
    "control characters": _spec('lab: "\\x1b[2J\\x07"\n'),
}
