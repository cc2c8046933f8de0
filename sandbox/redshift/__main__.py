"""The endpoint's process: ``python -m sandbox.redshift``."""

import asyncio
import gc
import os
import resource
import signal
import sys

from sandbox.errors import SandboxError
from sandbox.parts import tls
from sandbox.parts.settings import Settings
from sandbox.redshift.catalog import install, wait_for_postgres
from sandbox.redshift.relay.server import Server

_OPEN_FILES = 4096


def main() -> int:
    """Run the endpoint until SIGTERM or SIGINT; the exit code is 1 when it cannot start."""
    try:
        settings = Settings.load()
        wait_for_postgres(settings)
        install(settings)
        tls.trust_file(settings)
        _allow_open_files()
        gc.freeze()  # what is loaded stays: looking for garbage takes no time
        asyncio.run(_serve(settings))
    except SandboxError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a process speaks through its output
        return 1
    return 0


def _allow_open_files() -> None:
    """Every session has two sockets and some a file; shells often allow only 256 or 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = Server(settings)
    address = f"{settings.host}:{settings.redshift_port}"
    try:
        await server.start()
    except OSError as error:
        raise SandboxError(
            f"The Redshift endpoint cannot listen on {address}: {error.strerror}. "
            "Stop what uses the port, or set SANDBOX_REDSHIFT_PORT to a free one."
        ) from error
    print(f"Redshift endpoint ready on {address}", flush=True)  # noqa: T201 - the ready line
    await stopped.wait()
    await server.stop()
    os._exit(0)  # a thread that still waits for S3 cannot be interrupted, and would keep the process alive


if __name__ == "__main__":
    sys.exit(main())
