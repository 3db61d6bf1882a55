"""The bytes of a file as text: UTF-8 without control characters, or a mistake at the byte that is none."""

from __future__ import annotations

import re
from functools import cache

from labspec.spec.report import Mark, Report, mark_at

_SHOWN = 10


@cache
def _bad() -> re.Pattern[str]:
    """Return what finds what YAML forbids, and line breaks that only old YAML knows: no editor counts lines by them.

    It takes long to compile, and most files are seen to be good without it.
    """
    return re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def decode(data: bytes, path: str, report: Report) -> tuple[str, Mark] | None:
    """Return the text of a file and the base of the marks in it; None, and a report, where it is no good text."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        _not_utf8(data, error, path, report)
        return None
    base = report.add_file(path, text)
    if not text.replace("\n", "").isprintable() and _bad().search(text):
        _bad_characters(text, base, report)
        return None
    return text, base


def _not_utf8(data: bytes, error: UnicodeDecodeError, path: str, report: Report) -> None:
    text = data.decode("utf-8", "replace")
    before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
    line, column = _line_and_column(before, len(before))
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    mark = mark_at(report.add_file(path, text.removeprefix("\ufeff")), line, column)
    report.error(
        mark, "the file is not in UTF-8", f"save it as UTF-8; it seems to be {'UTF-16' if wide else 'Latin-1'}"
    )


def _bad_characters(text: str, base: Mark, report: Report) -> None:
    for number, match in enumerate(_bad().finditer(text)):
        if number == _SHOWN:
            return
        line, column = _line_and_column(text, match.start())
        hint = f"remove it, or write it as {_escape(match[0])} in double quotes"
        if match[0] == "\0":
            hint = "remove it; this may not be a text file"
        report.error(mark_at(base, line, column), f"control character {match[0]!r}", hint)


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    lines = text[:offset].splitlines(keepends=True) or [""]
    if lines[-1].endswith(("\n", "\r")):
        return len(lines) + 1, 1
    return len(lines), len(lines[-1]) + 1


def _escape(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
