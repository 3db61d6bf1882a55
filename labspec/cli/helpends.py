"""The end of `labspec --help`: what holds for every command."""

from __future__ import annotations

HELP_ENDS = {
    "Exit codes": (
        ("0", "done, or nothing to do"),
        ("1", "refused or failed; what to try is on stderr"),
        ("2", "there are changes, or differences, where a command was asked to tell"),
        ("75", "another process is changing the lab: try again later"),
        ("130", "stopped by Ctrl-C, after the steps that were running"),
    ),
    "Environment": (
        ("DOCKER_HOST, DOCKER_CONTEXT", "the engine, as for the Docker client"),
        ("LABSPEC_STATE_DIR", "labspec's own files: /var/lib/labspec for root, else ~/.local/state/labspec"),
        ("LABSPEC_CACHE_DIR", "validated labs: ~/.cache/labspec; LABSPEC_CACHE=off keeps none"),
        ("LABSPEC_API_SECONDS", "the most that a request to the engine may take: 60"),
        ("LABSPEC_COMMAND_SECONDS", "the most that a build or a pull may take: 1800"),
        ("LABSPEC_DEBUG=1", "show where in labspec an error comes from"),
        ("NO_COLOR", "no colours"),
    ),
}
READ_ON = "Read on: README.md, docs/tutorial.md, docs/how-it-works.md."
