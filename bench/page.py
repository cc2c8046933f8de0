"""``python -m bench.page``: how long each page of the Warehouse takes, with five people looking."""

import os
import signal
import subprocess
import sys

from sandbox.parts.settings import REPOSITORY
from sandbox.terminal.console import reported


def main() -> int:
    """Measure and print; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return reported(_run)


def _run() -> int:
    """Measure in a process that finds what Airflow would."""
    path = os.pathsep.join(str(REPOSITORY / name) for name in ("dags", "plugins"))
    command = [sys.executable, "-m", "bench.looking", *sys.argv[1:]]
    variables = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=variables, check=False, cwd=REPOSITORY).returncode


if __name__ == "__main__":
    sys.exit(main())
