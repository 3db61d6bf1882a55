"""What apply is doing, while it does it: live on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

import click

from labspec.report.text import printable, seconds

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from labspec.engine.executor import Event

FORMAT = 1


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
    """A spinner and a clock for each step that runs, a bar for all; what is done scrolls up and stays."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rich: RichProgress | None = None
        self._tasks: dict[int, TaskID] = {}
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rich:
            self._rich.stop()

    def __call__(self, event: Event) -> None:
        from rich.text import Text

        with self._lock:
            # Opened by the first event: before it the terminal belongs to the question whether to go on.
            rich = self._rich = self._rich or _open()
            if event.kind == "start":
                self._tasks[event.index] = rich.add_task(_what(event), total=None)
                return
            task = self._tasks.pop(event.index, None)
            if task is not None:
                rich.remove_task(task)
            self._done += event.kind == "done"
            colour = {"done": "green", "fail": "red"}.get(event.kind, "yellow")
            line = Text(f"{_what(event)} ").append(_outcome(event, self._done), style=colour)
            rich.console.print(line, soft_wrap=True)


def _open() -> RichProgress:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
    progress.start()
    return progress


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
