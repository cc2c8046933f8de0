"""Where a measurement takes place."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox import lifecycle
from sandbox.parts.settings import Settings


@contextmanager
def temporary_sandbox() -> Iterator[Settings]:
    """A sandbox with free ports and a temporary home, which is gone afterwards, whatever happens."""
    home = Path(tempfile.mkdtemp(prefix="sparkify-bench-"))
    try:
        os.environ.update(
            SANDBOX_HOME=str(home),
            SANDBOX_REDSHIFT_PORT=free_port(),
            SANDBOX_AWS_PORT=free_port(),
            SANDBOX_AIRFLOW_PORT=free_port(),
        )
        settings = Settings.load()
        lifecycle.up(settings)
        yield settings
    finally:
        lifecycle.down(home)
        shutil.rmtree(home, ignore_errors=True)


def free_port() -> str:
    """Return a TCP port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])
