"""``python -m sandbox env``: the variables that point Airflow, boto3 and the aws command at the sandbox."""

import argparse

from sandbox.airflow import airflow
from sandbox.airflow.metadata import prepare_airflow
from sandbox.errors import SandboxError
from sandbox.parts.environment import quote, variables
from sandbox.parts.parts import require_up
from sandbox.parts.settings import Settings
from sandbox.terminal.console import note, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``env``."""
    parser.add_argument(
        "--ui",
        action="store_true",
        help="for commands to the Airflow that `ui` started, such as `airflow backfill create`",
    )


def run(args: argparse.Namespace) -> int:
    """Print export lines for ``eval "$(python -m sandbox env)"``; return 0.

    Anything else goes to standard error: a sandbox that is not up is a warning, not an error.
    """
    settings = Settings.load()
    try:
        require_up(settings)
    except SandboxError as error:
        note(f"Warning: {error}")
    prepare_airflow(settings)
    chosen = airflow.service_variables(settings) if args.ui else variables(settings)
    for name, value in chosen.items():
        say(f"export {name}={quote(value)}")
    return 0
