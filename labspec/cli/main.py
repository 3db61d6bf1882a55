"""The command line: its own options, and the last word on every error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from labspec import __version__
from labspec.cli.commands import HELP, SANDBOX, Commands
from labspec.core.diagnostic import LabError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labspec.core.change import Plan

COMPLETE_VARIABLE = "_LABSPEC_COMPLETE"
"""Set by the completion script, with the shell's name; the words typed so far are in COMP_WORDS."""

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""What a shell reports of a program that ended on SIGPIPE."""


@click.group(
    cls=Commands,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="[-C DIR] [--sandbox NAME] [--no-color]",
    invoke_without_command=True,
)
@click.option(
    "-C",
    "working_folder",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Work as if started in DIR, as git -C does.",
    is_eager=True,
    expose_value=False,
    callback=lambda _context, _option, folder: enter(folder),
)
@click.option(
    "--sandbox",
    metavar="NAME",
    help="Run the command in this sandbox, on a copy of the lab's folder.",
    expose_value=False,
    callback=lambda context, _option, name: name is not None and context.meta.update({SANDBOX: name}),
)
@click.option(
    "--no-color", is_flag=True, expose_value=False, help="No colours; NO_COLOR in the environment does it too."
)
@click.version_option(__version__, prog_name="labspec", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(EXIT_ERROR)


def enter(folder: str | None) -> None:
    """Go to a folder. Raises LabError where there is none."""
    if folder is None:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise LabError(f"-C {folder}: {error.strerror}") from error


def colour_wanted(arguments: Iterable[str]) -> bool | None:
    """Return False where the user or the terminal wants no colours, else None: click asks the stream."""
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or "--no-color" in arguments
    return False if unwanted else None


def run(arguments: Sequence[str], early: Plan | LabError | None = None) -> int:
    """Run the command line and return its exit code; every error has been printed.

    `early` is the plan that it asks for, or what stood in the way, where labspec.cli.unchanged has looked already.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A spec may hold what the terminal's encoding has not.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments, early)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer cannot be written; the interpreter must not try again while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return EXIT_BROKEN_PIPE
        return _fail(_refused(error), arguments)
    return code


def _run(arguments: Sequence[str], early: Plan | LabError | None) -> int:
    try:
        if isinstance(early, LabError):
            raise early  # noqa: TRY301  told as every other error
        if COMPLETE_VARIABLE in os.environ:
            cli.main(list(arguments), prog_name="labspec", complete_var=COMPLETE_VARIABLE)
        with cli.make_context("labspec", list(arguments), color=colour_wanted(arguments), obj=early) as context:
            result = cli.invoke(context)
            return result if isinstance(result, int) else 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.UsageError as error:
        return _fail(usage_error(error), arguments)
    except LabError as error:
        return _fail(error, arguments)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        return _fail(_unexpected(error), arguments)


def usage_error(error: click.UsageError) -> LabError:
    """Return click's complaint in labspec's form, with the nearest option where one is near.

    Its exit code is 1 as for every other error: 2 is plan's 'there are changes'.
    """
    message = error.format_message().rstrip(".")
    command = error.ctx.command_path if error.ctx else "labspec"
    hint = f"'{command} -h' explains it"
    if isinstance(error, click.NoSuchOption) and error.ctx:
        options = [name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts]
        message = f"'{command}' has no option {error.option_name}"
        hint = did_you_mean(error.option_name, options) or hint
    return LabError(message[:1].lower() + message[1:], hint=hint)


def _fail(error: LabError, arguments: Sequence[str]) -> int:
    if "--json" in arguments:
        import json

        from labspec.report.diagnostics import diagnostics_json

        click.echo(json.dumps(diagnostics_json(error.diagnostics)))
    else:
        from labspec.report.diagnostics import print_diagnostics

        print_diagnostics(error.diagnostics, colour_wanted(arguments))
    return error.exit_code


def _unexpected(error: Exception) -> LabError:
    if os.environ.get("LABSPEC_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OSError) and error.strerror:
        return _refused(error)
    return LabError(
        f"internal error: {type(error).__name__}: {error} (labspec {__version__}); "
        "please report it, with what LABSPEC_DEBUG=1 adds"
    )


def _refused(error: OSError) -> LabError:
    """Return what the system refused: a full disk, a folder without permission."""
    where = f"{error.filename}: " if error.filename else ""
    return LabError(f"{where}{error.strerror}", hint="LABSPEC_DEBUG=1 shows where it happened")
