"""``python -m bench.catalogue``: what a catalogue of so many files costs an hour in which none has changed.

Each task runs in a process of its own, as a worker's does, so that its memory can be told.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from botocore.client import BaseClient

from bench.__main__ import run_in_sandbox
from bench.listing import serve
from bench.options import NOW
from sandbox.parts.postgres import admin_dsn
from sandbox.parts.settings import Settings
from sandbox.terminal.console import note

_HEAD = (
    f"{'files':>10}{'listing s':>12}{'task s':>10}{'beyond s':>10}{'db s':>8}{'statements':>12}{'peak MB':>9}"
)


def main() -> int:
    """Measure and print; return the exit code."""
    words = _parse()
    if words.child:
        print(json.dumps(_run(words.child)))
        return 0
    if not os.environ.get("AIRFLOW_CONN_REDSHIFT_DEFAULT"):
        return run_in_sandbox("bench.catalogue")
    _child("create_tables", "")
    rows = [_measure(Settings.load(), files) for files in words.files]
    print("\n".join([_HEAD, *rows]))
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.catalogue", description=__doc__)
    sizes = [15_000, 100_000, 1_000_000]
    parser.add_argument("--files", type=int, nargs="+", default=sizes, metavar="N", help="song files")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(settings: Settings, files: int) -> str:
    note(f"A ledger of {files:,} files …")
    fill = Path(__file__).parent / "sql" / "catalogue.sql"
    with psycopg.connect(
        admin_dsn(settings), autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as connection:
        connection.execute(b"TRUNCATE ops.staged_files")
        connection.execute(fill.read_text().encode(), {"files": files})
        connection.execute(b"VACUUM ANALYZE ops.staged_files")
    with serve(files) as address:
        ran = _child("stage_songs", address)
    beyond = ran["seconds"] - ran["listing"]
    return (
        f"{files:>10,}{ran['listing']:>12.1f}{ran['seconds']:>10.1f}{beyond:>10.1f}"
        f"{ran['database']:>8.1f}{ran['statements']:>12}{ran['peak']:>9.0f}"
    )


def _child(task: str, address: str) -> Mapping[str, Any]:
    note(f"  {task} …")
    aws = {"conn_type": "aws", "login": "none", "password": "none"}
    aws["extra"] = json.dumps({"endpoint_url": address, "region_name": "us-east-1"})
    environment = {**os.environ, "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws)} if address else os.environ
    command: Sequence[str] = [sys.executable, "-m", "bench.catalogue", "--child", task]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _timed_s3(cost: dict[str, float]) -> Iterator[None]:
    """Add up the seconds that boto3 takes to list, its reading of the answers included."""
    client_type: Any = BaseClient
    plain = client_type._make_api_call

    def call(client: BaseClient, *words: Any) -> Any:  # noqa: ANN401 - boto3's
        started = time.perf_counter()
        try:
            return plain(client, *words)
        finally:
            cost["listing"] = cost.get("listing", 0.0) + time.perf_counter() - started

    client_type._make_api_call = call
    try:
        yield
    finally:
        client_type._make_api_call = plain


def _run(task: str) -> Mapping[str, float]:
    from bench import tasks  # noqa: PLC0415 - Airflow, in a child

    spent = {"listing": 0.0}
    with _timed_s3(spent):
        cost = tasks.run_task(task, NOW, NOW + tasks.HOUR)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        **spent,
        "seconds": cost.wall,
        "database": cost.database,
        "statements": cost.statements,
        "peak": peak,
    }


if __name__ == "__main__":
    sys.exit(main())
