"""``python -m bench``: measure in a sandbox of its own, which is gone afterwards, whatever happens."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import options
from sandbox import environment, lifecycle
from sandbox.console import note
from sandbox.errors import SandboxError
from sandbox.settings import REPOSITORY, Settings


def main() -> int:
    """Measure and print; return the exit code."""
    options.parse()
    # What ends the process lets it stop what it has started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with _sandbox() as settings:
            # A process of its own: Airflow reads its configuration from the environment as it is imported.
            command = [sys.executable, "-m", "bench.measure", *sys.argv[1:]]
            return subprocess.run(command, env=_variables(settings), check=False, cwd=REPOSITORY).returncode
    except SandboxError as error:
        note(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        note("Interrupted.")
        return 130


@contextmanager
def _sandbox() -> Iterator[Settings]:
    home = Path(tempfile.mkdtemp(prefix="sparkify-bench-"))
    try:
        os.environ.update(
            SANDBOX_HOME=str(home), SANDBOX_REDSHIFT_PORT=_free_port(), SANDBOX_AWS_PORT=_free_port()
        )
        settings = Settings.load()
        lifecycle.up(settings)
        yield settings
    finally:
        lifecycle.down(home)
        shutil.rmtree(home, ignore_errors=True)


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def _variables(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        **environment.variables(settings),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": str(REPOSITORY / "plugins"),
    }


if __name__ == "__main__":
    sys.exit(main())
