"""Results kept in `ops.quality_results`, one row a check, so that quality can be followed over time."""

from collections.abc import Sequence
from dataclasses import asdict

from sparkify.checks.anomaly import Anomaly
from sparkify.checks.history import keep_measures
from sparkify.checks.run import CheckResult
from sparkify.text import cut
from sparkify.warehouse.ledger import TaskRun
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value
from sparkify.window import Window

QUALITY_RESULTS = "ops.quality_results"
_COLUMNS = (
    "checked_at",
    "dag_id",
    "run_id",
    "task_id",
    "check_name",
    "check_kind",
    "table_name",
    "severity",
    "status",
    "observed",
    "expected",
    "detail",
    "window_start",
    "window_end",
)


def keep_results(
    session: Session, results: Sequence[CheckResult], run: TaskRun, window: Window | None = None
) -> None:
    """Keep the results of a task's run in `ops.quality_results`, in place of an earlier try's.

    What checks measured over the window goes with them into `ops.quality_measures`.
    """
    measured = [
        (result.check, result.value)
        for result in results
        if isinstance(result.check, Anomaly) and result.value is not None
    ]
    with session.publishing(QUALITY_RESULTS):
        session.execute(
            """
            DELETE FROM ops.quality_results
            WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s
            """,
            {name: cut(value, 250) for name, value in asdict(run).items()},
        )
        session.insert_rows(QUALITY_RESULTS, _COLUMNS, [_row(result, run, window) for result in results])
        if window:
            keep_measures(session, measured, window)


def _row(result: CheckResult, run: TaskRun, window: Window | None) -> tuple[Value, ...]:
    check = result.check
    ends = window.values if window else {"window_start": None, "window_end": None}
    return (
        result.checked_at,
        cut(run.dag_id, 250),
        cut(run.run_id, 250),
        cut(run.task_id, 250),
        cut(check.title, 250),
        check.kind,
        cut(check.table, 250),
        check.severity,
        result.status,
        cut(result.observed, 1000),
        cut(result.expected, 1000),
        cut("; ".join(result.examples) or result.error, 4000),
        ends["window_start"],
        ends["window_end"],
    )
