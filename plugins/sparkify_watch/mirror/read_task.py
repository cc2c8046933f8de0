"""What pages ask the mirror about one task of one run."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields

from sparkify_watch.mirror.read import Load, made, places
from sparkify_watch.mirror.read_files import RejectedRow
from sparkify_watch.mirror.read_quality import Result

_LOAD = ", ".join(field.name for field in fields(Load))
_REJECTED = ", ".join(field.name for field in fields(RejectedRow))
_RESULT = ", ".join(field.name for field in fields(Result))


@dataclass(frozen=True, slots=True)
class TaskKey:
    """A task of a run as the records name it; of a mapped task, with the index in brackets."""

    dag_id: str
    run_id: str
    task_id: str


def loads_of_task(db: sqlite3.Connection, owner: str, task: TaskKey, limit: int = 100) -> list[Load]:
    """Return the loads of a dataset that a task has committed, the newest first."""
    rows = db.execute(
        f"""
        SELECT {_LOAD} FROM loads
        WHERE owner = ? AND dag_id = ? AND run_id = ? AND task_id = ?
        ORDER BY load_id DESC LIMIT ?
        """,
        (owner, task.dag_id, task.run_id, task.task_id, limit),
    )
    return [made(Load, row) for row in rows]


def results_of_task(db: sqlite3.Connection, owner: str, task: TaskKey, limit: int = 500) -> list[Result]:
    """Return the results of the checks of a task over a dataset, those that did not pass first."""
    rows = db.execute(
        f"""
        SELECT {_RESULT} FROM quality_results
        WHERE owner = ? AND dag_id = ? AND run_id = ? AND task_id = ?
        ORDER BY status = 'passed', check_key LIMIT ?
        """,
        (owner, task.dag_id, task.run_id, task.task_id, limit),
    )
    return [made(Result, row) for row in rows]


def rejected_by(
    db: sqlite3.Connection, owner: str, task: TaskKey, load_ids: Sequence[str], limit: int = 50
) -> list[RejectedRow]:
    """Return rows that some loads have rejected, and those over which loads of a task failed, as files go."""
    rows = db.execute(
        f"""
        SELECT {_REJECTED} FROM rejected_rows
        WHERE owner = ? AND (
            load_id IN ({places(load_ids)}) OR (dag_id = ? AND run_id = ? AND task_id = ?)
        )
        ORDER BY load_id DESC, file, line LIMIT ?
        """,
        (owner, *load_ids, task.dag_id, task.run_id, task.task_id, limit),
    )
    return [made(RejectedRow, row) for row in rows]
