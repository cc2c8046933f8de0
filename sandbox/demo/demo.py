"""``make demo``: a sandbox, a month of sample data, one run of the DAG, and the warehouse on the screen."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redshift_connector
from rich.console import Console

from sandbox import lifecycle
from sandbox.airflow.dag_run import TaskProgress, run_dag
from sandbox.airflow.metadata import prepare_airflow
from sandbox.demo import report
from sandbox.demo.month import DAG_ID, WINDOW, sample_month, stage, upload_month
from sandbox.parts.processes import tail
from sandbox.parts.settings import Settings
from sandbox.terminal.console import printable

LOGICAL_DATE = "2018-12-01T00:00:00+00:00"

_NEXT = """\
Look further
  python -m sandbox psql            a SQL shell on the warehouse; the questions above are in
                                    include/sparkify/analytics: \\i include/sparkify/analytics/user_agents.sql
  eval "$(python -m sandbox env)"   points airflow, aws and Python at this sandbox; after it
  airflow dags test sparkify_etl 2018-11-15T10:00:00+00:00
                                    loads one hour again, 09:00 to 10:00
  make ui                           the same in the browser: Airflow's web pages and its scheduler
  python -m sandbox load DIR        brings your own log_data/ and song_data/ to S3
  README.md and docs/               how it works, and how to run it on AWS
Stop
  make down                         the data stays for the next make up or make demo
"""


def main(settings: Settings) -> int:
    """Run the demo; return 0, or 1 if the DAG run failed.

    Raises:
        SandboxError: the sandbox does not start, or a file cannot be written or uploaded.
    """
    console, progress = Console(highlight=False), Console(stderr=True, highlight=False)
    folder = settings.home / "sample"
    with stage(console, "Sandbox") as done:
        lifecycle.up(settings)
        prepare_airflow(settings)
        address = f"{settings.redshift_host}:{settings.redshift_port}"
        done.append(f"Redshift on {address}, S3 on {settings.aws_endpoint_url}")
    with stage(console, "Sample data") as done:
        done.append(sample_month(progress, folder))
    with stage(console, "Upload") as done:
        done.append(upload_month(settings, folder))
    since = datetime.now(UTC).replace(tzinfo=None)
    with stage(console, "Load") as done:
        code, errors = _load(settings, progress)
        done.append("November 2018 in one run of sparkify_etl" if code == 0 else "failed")
    if code != 0:
        _explain(console, errors, _log(settings))
        return 1
    _report(console, settings, since)
    console.print(_NEXT, markup=False, soft_wrap=True)
    return 0


def _load(settings: Settings, progress: Console) -> tuple[int, list[str]]:
    with TaskProgress(progress) as tasks:
        return run_dag(
            settings, DAG_ID, logical_date=LOGICAL_DATE, conf=WINDOW, log=_log(settings), watch=tasks.watch
        )


def _log(settings: Settings) -> Path:
    return settings.logs_dir / "demo.log"


def _explain(console: Console, errors: list[str], log: Path) -> None:
    """Print what went wrong, each message once, and where the rest is."""
    for message in dict.fromkeys(errors or [f"Airflow's last words:\n{tail(log)}"]):
        console.print(printable(f"\n{message}", keep="\n"), markup=False, soft_wrap=True)
    console.print(
        f"\nThe run failed; a task that fails leaves its table as it was. The log: {log}", soft_wrap=True
    )


def _report(console: Console, settings: Settings, since: datetime) -> None:
    connection = connect(settings)
    try:
        console.print()
        report.show_counts(console, connection)
        report.show_loads(console, connection, since)
        report.show_quality(console, connection, since)
        report.show_answers(console, connection)
    finally:
        connection.close()


def connect(settings: Settings) -> Any:  # noqa: ANN401 — redshift_connector has no types
    """Open a connection to the sandbox's warehouse with the driver that production uses."""
    connection = redshift_connector.connect(
        host=settings.redshift_host,
        port=settings.redshift_port,
        database=settings.database,
        user=settings.loader,
        password=settings.password,
        ssl=False,
    )
    connection.autocommit = True
    return connection
