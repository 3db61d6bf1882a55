"""labspec completion: print the script that makes a shell complete labspec's commands, options and addresses."""

from __future__ import annotations

import click

from labspec.cli import options

SHELLS = ("bash", "zsh", "fish")

EPILOG = """Commands and options are completed, and after --target and --replace the addresses of your lab.

\b
Exit codes:
  0  printed
  1  no such shell

\b
To have it in every new shell:
  bash    echo 'eval "$(labspec completion bash)"' >> ~/.bashrc
  zsh     echo 'eval "$(labspec completion zsh)"' >> ~/.zshrc
  fish    labspec completion fish > ~/.config/fish/completions/labspec.fish

Read on: docs/commands.md."""


@click.command("completion", epilog=EPILOG, short_help="Print the script that completes commands in your shell")
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
@options.everywhere
def command(shell: str) -> None:
    """Print the script that makes SHELL (bash, zsh or fish) complete labspec's command lines."""
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    from labspec.cli.main import COMPLETE_VARIABLE, cli

    completers = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    # Not `source()`: for bash it starts a bash to ask for its version, which the script does not depend on.
    made = completers[shell](cli, {}, "labspec", COMPLETE_VARIABLE)
    click.echo(made.source_template % made.source_vars(), nl=False)
