"""The schema `ops`: which file versions are staged, which loads were committed, which rows were rejected."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sparkify.load_errors import RejectedRow
from sparkify.source import SourceFile
from sparkify.transaction import Session
from sparkify.window import Window

STAGED_FILES = "ops.staged_files"
_FILE_COLUMNS = ("dataset", "bucket", "key", "etag", "size", "last_modified", "load_id", "staged_at")


@dataclass(frozen=True, slots=True)
class TaskRun:
    """The Airflow task instance on whose behalf a load runs."""

    dag_id: str
    run_id: str
    task_id: str

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> "TaskRun":
        """Return the task run of an Airflow context."""
        instance = context["ti"]
        return cls(instance.dag_id, instance.run_id, instance.task_id)


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One committed load as `ops.loads` keeps it; sizes in bytes, times naive UTC."""

    load_id: str
    run: TaskRun
    target_table: str
    started_at: datetime
    window: Window | None = None
    rows_deleted: int = 0
    rows_inserted: int = 0
    rows_rejected: int = 0
    files: int = 0
    bytes: int = 0


def utc_now() -> datetime:
    """Return the present as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_load_id() -> str:
    """Return a load id: its time, so that ids sort as loads began, and a random part."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}"


def record_load(session: Session, record: LoadRecord) -> None:
    """Write a load into `ops.loads`; it counts once the surrounding transaction commits."""
    window = record.window.values if record.window else {"window_start": None, "window_end": None}
    row = {
        "load_id": record.load_id,
        "dag_id": record.run.dag_id,
        "run_id": record.run.run_id,
        "task_id": record.run.task_id,
        "target_table": record.target_table,
        **window,
        "rows_deleted": record.rows_deleted,
        "rows_inserted": record.rows_inserted,
        "rows_rejected": record.rows_rejected,
        "files": record.files,
        "bytes": record.bytes,
        "started_at": record.started_at,
        "finished_at": utc_now(),
    }
    places = ", ".join(f"%({name})s" for name in row)
    session.execute(f"INSERT INTO ops.loads ({', '.join(row)}) VALUES ({places})", row)


def staged_etags(session: Session, dataset: str, bucket: str, prefix: str) -> dict[str, str]:
    """Return key → etag of the newest staged version of every file under `prefix`."""
    rows = session.query(
        """
        SELECT key, etag
        FROM (
            SELECT
                key, etag,
                ROW_NUMBER() OVER (PARTITION BY key ORDER BY last_modified DESC, staged_at DESC) AS newest
            FROM ops.staged_files
            WHERE dataset = %(dataset)s AND bucket = %(bucket)s AND LEFT(key, %(length)s) = %(prefix)s
        ) AS versions
        WHERE newest = 1
        """,
        {"dataset": dataset, "bucket": bucket, "prefix": prefix, "length": len(prefix)},
    )
    return dict(rows)


def prepare_files(session: Session, dataset: str, load_id: str, files: Sequence[SourceFile]) -> None:
    """Put the ledger rows of `files` into the temp table `incoming_files`, before any lock is taken."""
    session.execute(f"CREATE TEMP TABLE incoming_files (LIKE {STAGED_FILES})")
    now = utc_now()
    rows = [(dataset, f.bucket, f.key, f.etag, f.size, f.last_modified, load_id, now) for f in files]
    session.insert_rows("incoming_files", _FILE_COLUMNS, rows)


def newer_versions(session: Session) -> list[str]:
    """Return the keys in `incoming_files` of which the ledger already holds a newer version."""
    rows = session.query(
        """
        SELECT DISTINCT incoming_files.key
        FROM incoming_files
        INNER JOIN ops.staged_files
            ON
                incoming_files.dataset = staged_files.dataset
                AND incoming_files.bucket = staged_files.bucket
                AND incoming_files.key = staged_files.key
        WHERE staged_files.last_modified > incoming_files.last_modified
        ORDER BY incoming_files.key
        """
    )
    return [row[0] for row in rows]


def record_files(session: Session) -> None:
    """Move `incoming_files` into the ledger; the row of a version staged before is replaced."""
    session.execute(
        """
        DELETE FROM ops.staged_files
        USING incoming_files
        WHERE
            staged_files.dataset = incoming_files.dataset
            AND staged_files.bucket = incoming_files.bucket
            AND staged_files.key = incoming_files.key
            AND staged_files.etag = incoming_files.etag
        """
    )
    columns = ", ".join(_FILE_COLUMNS)
    session.execute(f"INSERT INTO {STAGED_FILES} ({columns}) SELECT {columns} FROM incoming_files")


def record_rejected(session: Session, load_id: str, rejected: Sequence[RejectedRow]) -> None:
    """Keep the rejected rows of a load in place of those that earlier loads of the same files left."""
    for file in sorted({row.file for row in rejected}):
        session.execute("DELETE FROM ops.rejected_rows WHERE file = %(file)s", {"file": file})
    rows = [(r.file, r.line, r.column, r.reason, r.raw_line, load_id) for r in rejected]
    session.insert_rows(
        "ops.rejected_rows", ("file", "line", '"column"', "reason", "raw_text", "load_id"), rows
    )
