"""The command line: ``python -m sandbox COMMAND``; `_COMMANDS` lists the commands."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from sandbox.terminal.console import reported

# Each command is a module with add_arguments(parser) and run(args) -> exit code; only the one asked for is
# imported.
_COMMANDS = {
    "up": ("sandbox.commands.up", "start the sandbox, or what is missing of it"),
    "run": ("sandbox.commands.run", "run it, or some parts of it, in the foreground until told to end"),
    "lend": ("sandbox.commands.lend", "run a new one, for other projects' tests, until its input ends"),
    "down": ("sandbox.commands.down", "stop it; the data stays on disk"),
    "status": ("sandbox.commands.status", "show each part's process, port and health (exit 3: not healthy)"),
    "load": ("sandbox.commands.load", "upload a folder of *.json and *.json.gz files to S3"),
    "sample": ("sandbox.commands.sample", "write sample data in the format of the real files"),
    "env": ("sandbox.commands.env", "print export lines for Airflow, boto3 and the aws command"),
    "psql": ("sandbox.commands.psql", "a SQL shell on the Redshift endpoint; further words go to psql"),
    "logs": ("sandbox.commands.logs", "show the logs of the parts"),
    "ui": ("sandbox.commands.ui", "start Airflow too, with its web pages, and load the sample month"),
    "stream": ("sandbox.commands.stream", "write today's events as they happen, until interrupted"),
    "demo": ("sandbox.commands.demo", "sample data, one month loaded, the warehouse on the screen"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 not healthy (``status``)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["psql"]:
        words.insert(1, "--")  # options after it are psql's, not ours
    try:
        return reported(lambda: _run(words))
    except BrokenPipeError:  # the reader, head or less, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(words: Sequence[str]) -> int:
    parsed = _parser(words).parse_args(words)
    exit_code: int = _implementation(parsed.command).run(parsed)
    sys.stdout.flush()
    return exit_code


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="AWS on this machine: S3, IAM and a Redshift endpoint, without an account or Docker.",
        epilog="Environment: SANDBOX_HOME (default .sandbox), SANDBOX_REDSHIFT_PORT (5439), "
        "SANDBOX_AWS_PORT (4566), SANDBOX_AIRFLOW_PORT (8080). Sandboxes with different homes and ports "
        "run side by side.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, (_, summary) in _COMMANDS.items():
        subparser = commands.add_parser(name, help=summary, description=summary)
        if words[:1] == [name]:
            _implementation(name).add_arguments(subparser)
    return parser


def _implementation(command: str) -> ModuleType:
    return importlib.import_module(_COMMANDS[command][0])
