"""``python -m sandbox lend``: a sandbox for whoever asks, gone when they are."""

import argparse
import contextlib
import json
import os
import random
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sandbox import lifecycle
from sandbox.parts import environment
from sandbox.parts.parts import PortInUseError
from sandbox.parts.settings import Settings
from sandbox.terminal.console import say

_PORT_VARIABLES = ("SANDBOX_REDSHIFT_PORT", "SANDBOX_AWS_PORT", "SANDBOX_AIRFLOW_PORT")
# Below those that systems give to outgoing connections (Linux: from 32768, macOS and IANA: from 49152).
_PORTS = range(12_000, 32_000)
_TRIES = 5


def add_arguments(_: argparse.ArgumentParser) -> None:
    """It has no options."""


def run(_: argparse.Namespace) -> int:
    """Start a sandbox with a home and ports of its own, print how to reach it, keep it until the input ends.

    What is printed is one line, a JSON object of environment variables. However this process ends but by
    SIGKILL, the sandbox and its data are gone; when its reader dies, the input ends.

    Raises:
        SandboxError: It did not start.
    """
    with _new_home() as home:
        settings = _started(home)
        say(json.dumps(_variables(settings)))
        sys.stdin.buffer.read()
    return 0


@contextlib.contextmanager
def _new_home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="sandbox-"))
    os.environ["SANDBOX_HOME"] = str(home)
    try:
        yield home
    finally:
        lifecycle.down(home)
        shutil.rmtree(home, ignore_errors=True)


def _started(home: Path) -> Settings:
    """A running sandbox; ports that somebody else was faster to take are chosen anew."""
    for tries in range(_TRIES):
        os.environ.update(zip(_PORT_VARIABLES, map(str, _free_ports(len(_PORT_VARIABLES))), strict=True))
        settings = Settings.load()
        try:
            lifecycle.up(settings)
        except PortInUseError:
            lifecycle.down(home)
            if tries == _TRIES - 1:
                raise
        else:
            return settings
    raise AssertionError("unreachable")


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == count:
            break
    return found


def _variables(settings: Settings) -> dict[str, str]:
    """What libpq, boto3, Airflow and this program read; everything is done as the master user."""
    given = environment.variables(replace(settings, loader=settings.user))
    kept = (*settings.environment(), *environment.aws_variables(settings))
    connections = [name for name in given if name.startswith("AIRFLOW_CONN_")]
    # SSL_CERT_FILE holds what is trusted already, too.
    names = (*kept, *connections, "SSL_CERT_FILE", "no_proxy", "NO_PROXY")
    return {
        **{name: given[name] for name in names if name in given},
        **environment.libpq_variables(settings),
    }
