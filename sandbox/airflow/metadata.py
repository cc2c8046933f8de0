"""Airflow's metadata database: made, or brought up to this version of Airflow."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Mapping

from sandbox.errors import SandboxError
from sandbox.parts import environment, processes
from sandbox.parts.settings import Settings
from sandbox.terminal.console import note, step


def prepare_airflow(settings: Settings) -> None:
    """Make the metadata of the `airflow` command in the sandbox's folder, once for each version of Airflow.

    Raises:
        SandboxError: Airflow's migration failed; the message holds the end of its output.
    """
    home = settings.home / "airflow"
    home.mkdir(mode=0o700, exist_ok=True)
    stamp = home / "migrated"
    version = importlib.metadata.version("apache-airflow-core")
    with processes.lock(
        home / "migrated.lock", lambda: note("Waiting for another `python -m sandbox env` …")
    ):
        if not (stamp.exists() and stamp.read_text() == version):
            with step("Preparing Airflow's own database (once)", seconds=0):
                migrate({**os.environ, **environment.variables(settings)}, f"in {home}")
            stamp.write_text(version)


def migrate(variables: Mapping[str, str], where: str) -> None:
    """Bring a metadata database up to this version of Airflow.

    Args:
        variables: all of the process's, which name the database.
        where: what the error calls the place.

    Raises:
        SandboxError: The migration failed; the message holds the end of its output.
    """
    # Without byte code every later start of Airflow would take twice as long.
    environ = {name: value for name, value in variables.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise SandboxError(f"`airflow db migrate` failed {where}:\n{end}")
