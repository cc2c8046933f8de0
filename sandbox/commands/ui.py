"""``python -m sandbox ui``: the sandbox and a whole Airflow, with a month to look at."""

import argparse

from rich.console import Console

from sandbox import lifecycle
from sandbox.airflow import airflow
from sandbox.airflow.api import AirflowApi
from sandbox.demo.month import DAG_ID, WINDOW, sample_month, stage, upload_month
from sandbox.parts.processes import wait_until
from sandbox.parts.settings import Settings
from sandbox.terminal.console import say

_RUN_ID = "sample_month"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ui``."""
    parser.add_argument("--no-sample", action="store_true", help="load no sample month, begin no run")


def run(args: argparse.Namespace) -> int:
    """Start everything, begin a run over the sample month, say where to look; return 0.

    Raises:
        SandboxError: Something does not start, or the sample cannot be written or uploaded.
    """
    console, progress = Console(highlight=False), Console(stderr=True, highlight=False)
    settings = Settings.load()
    with stage(console, "Sandbox") as done:
        lifecycle.up(settings)
        address = f"{settings.redshift_host}:{settings.redshift_port}"
        done.append(f"Redshift on {address}, S3 on {settings.aws_endpoint_url}")
    with stage(console, "Airflow") as done:
        lifecycle.up(settings, [airflow.Airflow.name])
        done.append("web server, scheduler, dag processor and triggerer are healthy")
    api = airflow.api(settings)
    if not args.no_sample and not api.has(f"dags/{DAG_ID}/dagRuns/{_RUN_ID}"):
        folder = settings.home / "sample"
        with stage(console, "Sample data") as done:
            done.append(sample_month(progress, folder))
        with stage(console, "Upload") as done:
            done.append(upload_month(settings, folder))
        with stage(console, "Run") as done:
            _begin_run(settings, api)
            done.append(f"{DAG_ID} has begun to load November 2018")
    _tell(settings)
    return 0


def _begin_run(settings: Settings, api: AirflowApi) -> None:
    part = airflow.Airflow(settings)
    wait_until(lambda: api.has(f"dags/{DAG_ID}"), part.find(), f"The DAG {DAG_ID}", part.log, seconds=120)
    api.request("PATCH", f"dags/{DAG_ID}", {"is_paused": False})
    api.request(
        "POST", f"dags/{DAG_ID}/dagRuns", {"dag_run_id": _RUN_ID, "logical_date": None, "conf": WINDOW}
    )


def _tell(settings: Settings) -> None:
    say()
    say(f"Open {airflow.url(settings)}")
    say(f"  user      {airflow.USER}")
    say(f"  password  {airflow.secrets_of(settings).web_password}")
    say()
    say(f"  {airflow.url(settings)}/dags/{DAG_ID}/runs/{_RUN_ID}")
    say("                                         the run that loads the sample month")
    say("  python -m sandbox stream               writes events now, for the hourly schedule to load")
    say('  eval "$(python -m sandbox env --ui)"   airflow commands to this Airflow, such as backfill')
    say("  python -m sandbox psql                 a SQL shell on the warehouse")
    say("  python -m sandbox logs airflow         what its processes say")
    say("  make down                              stop everything; data, runs and logs stay")
