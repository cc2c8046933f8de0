"""``python -m sandbox psql``: a SQL shell on the Redshift endpoint."""

import argparse
import os
import shutil
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.parts import environment, postgres
from sandbox.parts.parts import require_up
from sandbox.parts.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take every word: they are psql's."""
    parser.add_argument("words", nargs="*", metavar="PSQL_ARGUMENT", help="see psql --help")


def run(args: argparse.Namespace) -> int:
    """Become psql, logged in through the endpoint; the password goes by the environment.

    Raises:
        SandboxError: The sandbox is not up, or there is no psql.
    """
    settings = Settings.load()
    require_up(settings)
    program = _program()
    os.execve(program, [program, *args.words], {**os.environ, **_connection(settings)})  # noqa: S606 # no shell


def _program() -> str:
    """The wheel's psql, or the machine's."""
    inside: Path = postgres.programs() / "psql"
    program = str(inside) if inside.exists() else shutil.which("psql")
    if program is None:
        raise SandboxError("There is no psql on this machine: install the package postgresql-client.")
    return program


def _connection(settings: Settings) -> dict[str, str]:
    return {**environment.libpq_variables(settings), "PGSSLMODE": "disable"}
