"""One run of every task of the DAG, in this process, and what each asked of the database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

from airflow.sdk.execution_time.context import VariableAccessor

from dags.sparkify_etl import dag
from sparkify.warehouse.session import Connection, Cursor, Log, Session

Result = TypeVar("Result")

HOUR = timedelta(hours=1)
TASKS = tuple(task.task_id for task in dag.topological_sort())  # type: ignore[no-untyped-call]
"""In an order in which they can run."""


@dataclass
class Cost:
    """What one task took.

    Attributes:
        statements: sent to the database, COMMIT and ROLLBACK among them.
        database: seconds from sending them until their rows had arrived.
        wall: seconds in all: Python, S3 and opening the connection, too.
    """

    statements: int = 0
    database: float = 0.0
    wall: float = 0.0

    def time(self, call: Callable[..., Result], *values: object, statements: int = 0) -> Result:
        """Call something that waits for the database."""
        self.statements += statements
        started = time.perf_counter()
        try:
            return call(*values)
        finally:
            self.database += time.perf_counter() - started


class MeteredCursor:
    """A cursor that tells a cost what it waits for."""

    def __init__(self, cursor: Cursor, cost: Cost) -> None:
        self._cursor, self._cost = cursor, cost

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the driver's cursor has
        return getattr(self._cursor, name)

    def execute(self, *words: object) -> object:
        """Send one statement."""
        return self._cost.time(self._cursor.execute, *words, statements=1)

    def fetchall(self) -> object:
        """Fetch the rows that have not been fetched."""
        return self._cost.time(self._cursor.fetchall)


class MeteredConnection:
    """A connection that tells a cost what it waits for."""

    def __init__(self, connection: Connection, cost: Cost) -> None:
        self._connection, self._cost = connection, cost

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the driver's connection has
        return getattr(self._connection, name)

    def cursor(self) -> MeteredCursor:
        """Open a cursor."""
        return MeteredCursor(self._connection.cursor(), self._cost)

    def commit(self) -> None:
        """Commit."""
        self._cost.time(self._connection.commit, statements=1)

    def rollback(self) -> None:
        """Roll back."""
        self._cost.time(self._connection.rollback, statements=1)


@contextmanager
def metered(cost: Cost) -> Iterator[None]:
    """Let every session that is opened meanwhile tell what it waits for; the pipeline knows nothing of it."""
    plain = Session.__init__

    def init(session: Session, connection: Connection, log: Log, journal: list[str] | None = None) -> None:
        plain(session, MeteredConnection(connection, cost), log, journal)

    Session.__init__ = init  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        Session.__init__ = plain  # type: ignore[method-assign]


def run(start: datetime, end: datetime) -> dict[str, Cost]:
    """Run every task over a window (UTC) as a worker would; return what each took.

    Raises:
        AirflowException: a task failed.
    """
    return {task_id: _run_task(task_id, start, end) for task_id in TASKS}


def run_hour(start: datetime) -> dict[str, Cost]:
    """Run every task over one hour."""
    return run(start, start + HOUR)


def _run_task(task_id: str, start: datetime, end: datetime) -> Cost:
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
