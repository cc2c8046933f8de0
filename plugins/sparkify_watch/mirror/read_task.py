"""What pages ask the mirror about one task of one run."""

import sqlite3
from dataclasses import dataclass, fields

from sparkify_watch.mirror.read import Load, made, places
from sparkify_watch.mirror.read_files import REJECTED, RejectedRow
from sparkify_watch.mirror.read_quality import Result

_LOAD = ", ".join(field.name for field in fields(Load))
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


def rejected_by(db: sqlite3.Connection, owner: str, task: TaskKey, limit: int = 50) -> list[RejectedRow]:
    """Return rows that the loads of a task have left out, or failed because of, those of the newest first."""
    ids = db.execute(
        """
        SELECT load_id FROM loads WHERE dag_id = :dag AND run_id = :run AND task_id = :task
        UNION
        SELECT load_id FROM refused_rows WHERE dag_id = :dag AND run_id = :run AND task_id = :task
        """,
        {"dag": task.dag_id, "run": task.run_id, "task": task.task_id},
    )
    load_ids = [load_id for (load_id,) in ids]
    sql = f"{REJECTED.format(condition=f'owner = ? AND load_id IN ({places(load_ids)})')} LIMIT ?"
    rows = db.execute(sql, (*(owner, *load_ids) * 2, limit))
    return [made(RejectedRow, row) for row in rows]
