"""One run of every task of the DAG, in this process, and what each asked of the database."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from airflow.sdk.execution_time.context import VariableAccessor
from redshift_connector.core import Connection as DriverConnection

from dags.sparkify_etl import dag

_COMMENT = re.compile(r"^\s*--[^\n]*\n", re.MULTILINE)
HOUR = timedelta(hours=1)
TASKS = tuple(task.task_id for task in dag.topological_sort())  # type: ignore[no-untyped-call]
"""In an order in which they can run."""


@dataclass
class Cost:
    """What one task took.

    Attributes:
        sent: the statements that the database got, the driver's own BEGIN, COMMIT and ROLLBACK among them.
        database: seconds from sending them until their rows had arrived.
        wall: seconds in all: Python, S3 and opening the connection, too.
    """

    sent: Sequence[str] = ()
    database: float = 0.0
    wall: float = 0.0

    @property
    def statements(self) -> int:
        """How many statements the database got."""
        return len(self.sent)

    @property
    def commits(self) -> int:
        """How many of its transactions wrote something, temp tables included, and were committed."""
        count, writes = 0, False
        for words in (sql.split(None, 1)[0].upper() for sql in self.sent if sql.strip()):
            if words in {"BEGIN", "COMMIT", "ROLLBACK"}:
                count += words == "COMMIT" and writes
                writes = False
            else:
                writes = writes or words not in {"SELECT", "LOCK", "SET"}
        return count


@contextmanager
def metered(cost: Cost) -> Iterator[None]:
    """Let the driver tell what is sent meanwhile and how long it waits; the pipeline knows nothing of it."""
    plain, sent = DriverConnection.execute, list[str]()

    def execute(connection: DriverConnection, cursor: Any, sql: str, values: object) -> None:  # noqa: ANN401
        sent.append(_COMMENT.sub("", sql).strip())
        started = time.perf_counter()
        try:
            plain(connection, cursor, sql, values)
        finally:
            cost.database += time.perf_counter() - started

    DriverConnection.execute = execute  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        DriverConnection.execute = plain  # type: ignore[method-assign]
        cost.sent = sent


def run(start: datetime, end: datetime) -> dict[str, Cost]:
    """Run every task over a window (UTC) as a worker would; return what each took.

    Raises:
        AirflowException: a task failed.
    """
    return {task_id: run_task(task_id, start, end) for task_id in TASKS}


def run_hour(start: datetime) -> dict[str, Cost]:
    """Run every task over one hour."""
    return run(start, start + HOUR)


def run_task(task_id: str, start: datetime, end: datetime) -> Cost:
    """Run one task over a window (UTC); return what it took."""
    cost = Cost()
    # A copy, because rendering replaces the templates of an operator.
    operator: Any = dag.get_task(task_id).prepare_for_execution()
    context = _context(task_id, start, end)
    operator.render_template_fields(context)
    started = time.perf_counter()
    with metered(cost):
        operator.execute(context)
    cost.wall = time.perf_counter() - started
    return cost


def _context(task_id: str, start: datetime, end: datetime) -> Any:  # noqa: ANN401 - a part of Airflow's
    run_id = f"scheduled__{start.isoformat()}"
    return {
        "ti": SimpleNamespace(dag_id=dag.dag_id, run_id=run_id, task_id=task_id),
        "params": {**dag.params.dump(), "window_start": None, "window_end": None},
        "data_interval_start": start,
        "data_interval_end": end,
        "var": {"value": VariableAccessor(deserialize_json=False)},
    }
