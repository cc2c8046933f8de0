"""``python -m bench``: measure in a sandbox of its own, which is gone afterwards, whatever happens."""

import os
import signal
import subprocess
import sys

from bench import options
from bench.place import temporary_sandbox
from sandbox.parts import environment
from sandbox.parts.settings import REPOSITORY, Settings
from sandbox.terminal.console import reported


def main() -> int:
    """Measure and print; return the exit code."""
    options.parse()
    return run_in_sandbox("bench.measure")


def run_in_sandbox(module: str) -> int:
    """Run a module, with this command line, beside a sandbox of its own; return the exit code."""
    # What ends the process lets it stop what it has started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return reported(lambda: _run(module))


def _run(module: str) -> int:
    with temporary_sandbox() as settings:
        # A process of its own: Airflow reads its configuration from the environment as it is imported.
        command = [sys.executable, "-m", module, *sys.argv[1:]]
        return subprocess.run(command, env=_variables(settings), check=False, cwd=REPOSITORY).returncode


def _variables(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        **environment.variables(settings),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": os.pathsep.join(str(REPOSITORY / name) for name in ("dags", "plugins")),
    }


if __name__ == "__main__":
    sys.exit(main())
