"""What the endpoint's relay adds to one statement: ``python -m bench.relay`` beside a running sandbox.

Each statement runs through the endpoint and on PostgreSQL's own socket in turn, so that both meet the same
machine; what is shown is the median.
"""

import statistics
import sys
import time

import psycopg

from bench.connections import connect, connect_directly
from sandbox.errors import SandboxError
from sandbox.parts.settings import Settings

_REPETITIONS = 2_000
_STATEMENTS = {"Query": False, "Parse, Bind, Execute": True}


def main() -> int:
    """Print the figures."""
    settings = Settings.load()
    try:
        with (
            connect(settings) as relayed,
            connect_directly(settings) as direct,
        ):
            for name, prepared in _STATEMENTS.items():
                _compare(name, relayed, direct, prepared=prepared)
    except (psycopg.OperationalError, SandboxError) as error:
        print(f"{error}Start the sandbox first: python -m sandbox up", file=sys.stderr)
        return 1
    return 0


def _compare(name: str, relayed: psycopg.Connection, direct: psycopg.Connection, *, prepared: bool) -> None:
    seconds: dict[psycopg.Connection, list[float]] = {relayed: [], direct: []}
    for _ in range(_REPETITIONS):
        for connection, measured in seconds.items():
            measured.append(_seconds(connection, prepared=prepared))
    medians = [statistics.median(measured) * 1000 for measured in seconds.values()]
    print(
        f"{name}: {medians[0]:.3f} ms through the relay, {medians[1]:.3f} ms without, "
        f"{medians[0] - medians[1]:.3f} ms more"
    )


def _seconds(connection: psycopg.Connection, *, prepared: bool) -> float:
    begun = time.perf_counter()
    if prepared:
        connection.execute("SELECT %s::int", [1], prepare=False).fetchone()
    else:
        connection.execute("SELECT 1").fetchone()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
