"""What apply is doing, while it does it: live on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

import click

from labspec.report.text import printable, seconds

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live as RichLive

    from labspec.engine.executor import Event

FORMAT = 1
MOST_SHOWN = 8
"""Steps that run and are drawn: a hundred would take the processor from the engine that they wait for."""
FRAMES_A_SECOND = 5
SPINNER, PLAIN_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"


class Display(Protocol):
    """Where events go; called from the threads that run steps. A context: leaving it puts the terminal right."""

    def __call__(self, event: Event) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def display(*, as_json: bool, colour: bool | None) -> Display:
    """Return the display that suits: JSON lines on stdout, or on stderr a live one where that is a terminal."""
    if as_json:
        return JsonLines(sys.stdout)
    if sys.stderr.isatty() and colour is not False:
        return Live()
    return PlainLines(sys.stderr)


class PlainLines:
    """One line when a step starts and one when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._done += event.kind == "done"
            # A reader of the progress that went away is no reason to leave a lab half made.
            with suppress(OSError):
                click.echo(f"{_what(event)} {_outcome(event, self._done)}", file=self._stream)


class JsonLines:
    """One JSON object a line for every event."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def __call__(self, event: Event) -> None:
        """Raises BrokenPipeError when nobody reads any more."""
        with self._lock:
            click.echo(json.dumps(_event_json(event)), file=self._stream)
            self._stream.flush()


class Live:
    """A spinner and a clock for the steps that run, of many for the first; what is done scrolls up and stays."""

    def __init__(self) -> None:
        self._rich: RichLive | None = None
        self._running: Mapping[int, tuple[str, float]] = {}
        """Index -> what runs and since when, the longest first; never changed but replaced, since a thread draws it."""
        self._done = 0
        self._frames = PLAIN_SPINNER

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rich:
            self._rich.stop()

    def __call__(self, event: Event) -> None:
        from rich.text import Text

        # Opened by the first event: before it the terminal belongs to the question whether to go on.
        rich = self._rich = self._rich or self._open()
        if event.kind == "start":
            self._running = {**self._running, event.index: (_what(event), time.monotonic())}
            return
        self._running = {index: entry for index, entry in self._running.items() if index != event.index}
        self._done += event.kind == "done"
        colour = {"done": "green", "fail": "red"}.get(event.kind, "yellow")
        line = Text(f"{_what(event)} ").append(_outcome(event, self._done), style=colour)
        rich.console.print(line, soft_wrap=True)

    def _open(self) -> RichLive:
        from rich.console import Console
        from rich.live import Live as Opened

        console = Console(stderr=True, highlight=False)
        if console.encoding.startswith("utf"):
            self._frames = SPINNER
        opened = Opened(get_renderable=self._drawn, console=console, transient=True, refresh_per_second=FRAMES_A_SECOND)
        opened.start()
        return opened

    def _drawn(self) -> RenderableType:
        from rich.text import Text

        now = time.monotonic()
        shown = list(self._running.values())
        frame = self._frames[int(now * FRAMES_A_SECOND) % len(self._frames)]
        lines = [f"{frame} {what}  {seconds(now - since)}" for what, since in shown[:MOST_SHOWN]]
        if len(shown) > MOST_SHOWN:
            lines.append(f"  and {len(shown) - MOST_SHOWN} more")
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def _what(event: Event) -> str:
    return f"{printable(event.address)}: {printable(event.text)}" if event.address else printable(event.text)


def _outcome(event: Event, done: int) -> str:
    if event.kind == "start":
        return "..."
    if event.kind == "done":
        return f"done in {seconds(event.seconds)} [{done}/{event.total}]"
    return f"failed after {seconds(event.seconds)}" if event.kind == "fail" else "skipped"


def _event_json(event: Event) -> dict[str, object]:
    return {
        "format": FORMAT,
        "type": "step",
        "event": event.kind,
        "index": event.index,
        "total": event.total,
        "address": event.address,
        "step": event.text,
        "seconds": round(event.seconds, 3),
        "diagnostics": [diagnostic.as_json() for diagnostic in event.error.diagnostics] if event.error else [],
    }
