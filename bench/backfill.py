"""``python -m bench.backfill``: a day backfilled in 24 hourly runs, beside a DAG of the same shape.

The other DAG's tasks do nothing. Both run under the same scheduler, in turns, first with Airflow's own
settings and then with those of `make ui`. Each time it is another day: of runs that are made again Airflow
deletes what the first have left, a request for each task that says something.
"""

import itertools
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import mean
from typing import Any

from bench.place import temporary_sandbox
from sandbox.airflow import airflow
from sandbox.airflow.api import AirflowApi, AirflowApiError
from sandbox.demo.sample import Request, generate
from sandbox.demo.upload import upload
from sandbox.errors import SandboxError
from sandbox.parts.parts import Part, all_parts
from sandbox.parts.settings import REPOSITORY, Settings
from sandbox.terminal.console import note, reported, say

REAL, EMPTY = "sparkify_etl", "empty_etl"
# Working days, of about as many events each.
FIRST_DAY, *DAYS = "2018-11-15", "2018-11-20", "2018-11-21", "2018-11-27", "2018-11-28"
HOURS, ACTIVE_RUNS = 24, 4
_PATIENCE_SECONDS = 1800
_CONFLICT = 409
# What `make ui` changes for speed, undone.
AIRFLOWS_OWN = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1.0",
    "AIRFLOW__SCHEDULER__MP_START_METHOD": "fork",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "5",
}


@dataclass(frozen=True)
class Backfill:
    """What one backfill took.

    Attributes:
        seconds: from the start of its first run to the end of its last.
        tasks: mean seconds of each task, from its start to its end.
        processor: seconds of processor time by part.
    """

    seconds: float
    tasks: dict[str, float]
    processor: dict[str, float]


def main() -> int:
    """Measure and print; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return reported(_compare)


def _compare() -> int:
    with temporary_sandbox() as settings:
        _load_source(settings)
        own = _measure(settings, "Airflow's own settings", AIRFLOWS_OWN, [FIRST_DAY])
        ours = _measure(settings, "the settings of make ui", {}, DAYS)
    _print(own, ours)
    return 0


def _load_source(settings: Settings) -> None:
    folder = settings.home / "sample"
    generate(folder, **Request().arguments())
    upload(settings, folder)


def _measure(
    settings: Settings, title: str, changes: Mapping[str, str], days: Sequence[str]
) -> dict[str, list[Backfill]]:
    """Backfill each day with both DAGs, in turns."""
    note(f"Starting Airflow with {title} …")
    folder = _dags(settings)
    part = airflow.Airflow(settings, {**changes, "AIRFLOW__CORE__DAGS_FOLDER": str(folder)})
    part.start()
    try:
        part.wait()
        api = airflow.api(settings)
        parts = [*all_parts(settings), part]
        for dag_id in (REAL, EMPTY):
            _warm_up(api, dag_id)
        found: dict[str, list[Backfill]] = {EMPTY: [], REAL: []}
        for day, dag_id in itertools.product(days, found):
            found[dag_id].append(_backfill(api, dag_id, day, parts))
            note(f"  {dag_id}: {found[dag_id][-1].seconds:.1f} s")
    finally:
        part.stop()
    return found


def _dags(settings: Settings) -> Path:
    """A folder with the two DAGs, what they share, and no other."""
    folder = settings.home / "dags"
    folder.mkdir(exist_ok=True)
    dags = REPOSITORY / "dags"
    shared = (dags / "definitions", dags / ".airflowignore")
    for file in (dags / f"{REAL}.py", REPOSITORY / "bench" / "dags" / f"{EMPTY}.py", *shared):
        if not (link := folder / file.name).exists():
            link.symlink_to(file)
    return folder


def _warm_up(api: AirflowApi, dag_id: str) -> None:
    """Run the DAG once, so that what is imported or made only once is there."""
    _wait(lambda: any(dag["dag_id"] == dag_id for dag in api.request("GET", "dags")["dags"]))
    api.request("PATCH", f"dags/{dag_id}", {"is_paused": False})
    window = {"window_start": "2018-11-14T00:00:00Z", "window_end": "2018-11-15T00:00:00Z"}
    run = api.request("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": window})
    path = f"dags/{dag_id}/dagRuns/{run['dag_run_id']}"
    _wait(lambda: api.request("GET", path)["state"] in {"success", "failed"})


def _backfill(api: AirflowApi, dag_id: str, day: str, parts: list[Part]) -> Backfill:
    before = _processor_seconds(parts)
    wish = {
        "dag_id": dag_id,
        "from_date": f"{day}T00:00:00Z",
        "to_date": f"{day}T23:00:00Z",
        "max_active_runs": ACTIVE_RUNS,
    }
    made = api.request("POST", "backfills", wish)
    # Airflow calls it completed only up to half a minute later.
    _wait(lambda: _ended(api, dag_id, day))
    after = _processor_seconds(parts)
    _cancel(api, made["id"])
    runs = _runs(api, dag_id, day)
    if failed := [run["dag_run_id"] for run in runs if run["state"] != "success"]:
        raise SandboxError(f"These runs of {dag_id} failed, which measures nothing: {', '.join(failed)}")
    began, ended = min(_time(run, "start_date") for run in runs), max(_time(run, "end_date") for run in runs)
    return Backfill(
        ended - began,
        _task_seconds(api, dag_id, runs),
        {name: after[name] - before[name] for name in before},
    )


def _cancel(api: AirflowApi, backfill_id: int) -> None:
    """Let the next one begin, unless Airflow has seen by now that this one is complete."""
    try:
        api.request("PUT", f"backfills/{backfill_id}/cancel")
    except AirflowApiError as error:
        if error.status != _CONFLICT:
            raise


def _runs(api: AirflowApi, dag_id: str, day: str) -> list[dict[str, Any]]:
    of_day = f"logical_date_gte={day}T00:00:00Z&logical_date_lte={day}T23:00:00Z"
    found = api.request("GET", f"dags/{dag_id}/dagRuns?run_type=backfill&{of_day}")["dag_runs"]
    return [dict(run) for run in found]


def _ended(api: AirflowApi, dag_id: str, day: str) -> bool:
    states = [run["state"] for run in _runs(api, dag_id, day)]
    return len(states) == HOURS and set(states) <= {"success", "failed"}


def _task_seconds(api: AirflowApi, dag_id: str, runs: list[dict[str, Any]]) -> dict[str, float]:
    seconds: dict[str, list[float]] = {}
    for run in runs:
        path = f"dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances"
        for task in api.request("GET", path)["task_instances"]:
            seconds.setdefault(task["task_id"], []).append(
                _time(task, "end_date") - _time(task, "start_date")
            )
    return {task_id: mean(values) for task_id, values in seconds.items()}


def _time(record: Mapping[str, Any], field: str) -> float:
    return datetime.fromisoformat(record[field]).timestamp()


def _processor_seconds(parts: list[Part]) -> dict[str, float]:
    """Processor time by part; that of a process that has ended is its parent's children's."""
    return {
        part.name: sum(sum(process.cpu_times()[:4]) for process in part.find() if process.is_running())
        for part in parts
    }


def _wait(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise SandboxError(f"Airflow was not done after {_PATIENCE_SECONDS} seconds.")
        time.sleep(2)  # looking is work for the web server, too


def _print(own: Mapping[str, list[Backfill]], ours: Mapping[str, list[Backfill]]) -> None:
    say(f"{HOURS} hourly runs of a day, {ACTIVE_RUNS} at once: seconds, and runs a minute")
    say()
    say(f"{'':<26}{'empty tasks':>18}{'sparkify_etl':>18}{'ratio':>8}")
    for title, found in (("Airflow's own settings", own), ("settings of make ui", ours)):
        empty, real = (mean(one.seconds for one in found[dag_id]) for dag_id in (EMPTY, REAL))
        cells = "".join(f"{f'{value:.0f} s  {60 * HOURS / value:.0f}/min':>18}" for value in (empty, real))
        say(f"{title:<26}{cells}{real / empty:>8.2f}")
    say()
    say("Where the time goes, with the settings of make ui")
    say()
    say(f"{'seconds of a task':<26}{'empty tasks':>18}{'sparkify_etl':>18}")
    empties, reals = (ours[dag_id] for dag_id in (EMPTY, REAL))
    for task_id in reals[0].tasks:
        values = [mean(one.tasks[task_id] for one in found) for found in (empties, reals)]
        say(f"{task_id:<26}{values[0]:>18.2f}{values[1]:>18.2f}")
    say()
    say(f"{'processor seconds of':<26}{'empty tasks':>18}{'sparkify_etl':>18}")
    for name in reals[0].processor:
        values = [mean(one.processor[name] for one in found) for found in (empties, reals)]
        say(f"{name:<26}{values[0]:>18.1f}{values[1]:>18.1f}")


if __name__ == "__main__":
    sys.exit(main())
