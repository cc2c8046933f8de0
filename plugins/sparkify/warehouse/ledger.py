"""The ledger, in the schema `ops`: which file versions are staged, from which source, by which loads."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sparkify.source import SourceFile
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, named_values
from sparkify.window import Window, merge

STAGED_FILES = "ops.staged_files"
INCOMING_FILES = "sparkify_incoming_files"
NEWEST_VERSIONS = """
    SELECT
        key, etag, load_id, staged_at,
        ROW_NUMBER() OVER (PARTITION BY key ORDER BY staged_at DESC) AS newest
    FROM ops.staged_files
    WHERE dataset = %(dataset)s AND bucket = %(bucket)s AND {condition}
"""
_VERSIONS = f"""
SELECT 'version' AS kind, key AS name, etag, load_id, staged_at AS since, CAST(NULL AS TIMESTAMP) AS until
FROM ({NEWEST_VERSIONS}) AS versions
WHERE newest = 1
"""
_SOURCES = """
UNION ALL
SELECT 'source', source, NULL, load_id, NULL, NULL
FROM ops.sources
WHERE dataset = %(dataset)s
"""
_WINDOWS = """
UNION ALL
SELECT DISTINCT 'window', NULL, NULL, NULL, window_start, window_end
FROM ops.loads
WHERE target_table = %(dataset)s AND window_end > %(window_start)s AND window_start < %(window_end)s
"""
FILE_COLUMNS = ("dataset", "bucket", "key", "etag", "size", "last_modified", "load_id", "staged_at")


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
        # Of a mapped task every index is a task of its own: what it records replaces nobody else's.
        index = getattr(instance, "map_index", -1)
        task_id = instance.task_id if index < 0 else f"{instance.task_id}[{index}]"
        return cls(instance.dag_id, instance.run_id, task_id)


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One committed load as `ops.loads` keeps it; sizes in bytes, times naive UTC.

    Beside that: how many rows that were there were completed, and the time outside of its window whose rows
    are other ones now, too.
    """

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
    rows_updated: int = 0
    other_windows: Sequence[Window] = ()

    @property
    def rows_changed(self) -> int:
        """How many rows came or went."""
        return self.rows_inserted + self.rows_deleted


def utc_now() -> datetime:
    """Return the present as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_load_id() -> str:
    """Return a load id: its time, so that ids sort as loads began, and a random part."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}"


def began_at(load_id: str) -> datetime:
    """Return when a load began, naive UTC, as its id says."""
    return datetime.strptime(load_id.partition("Z")[0], "%Y%m%dT%H%M%S%f")  # noqa: DTZ007 - naive UTC


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


def other_loads(session: Session, run: TaskRun, since: datetime) -> bool:
    """Tell whether another run of any DAG committed a load since a time (naive UTC)."""
    return bool(
        session.scalar(
            """
            SELECT COUNT(*)
            FROM ops.loads
            WHERE finished_at >= %(since)s AND NOT (dag_id = %(dag_id)s AND run_id = %(run_id)s)
            """,
            {"since": since, "dag_id": run.dag_id, "run_id": run.run_id},
        )
    )


@dataclass(frozen=True, slots=True)
class StagedVersion:
    """The version of a file that was staged last, the load that did it, and when (naive UTC)."""

    etag: str
    load_id: str
    staged_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a staging table.

    Args:
        versions: what was staged last of each key that was asked for.
        sources: the sources whose rows the table holds.
        windows: the time that committed loads have covered, around what was asked for, oldest first.
    """

    versions: Mapping[str, StagedVersion]
    sources: Sequence[str]
    windows: Sequence[Window]


def look_up(
    session: Session,
    dataset: str,
    bucket: str,
    *,
    prefix: str = "",
    keys: Sequence[str] = (),
    parts: Sequence[str] = (),
    until: datetime | None = None,
    prepared: bool = False,
    within: Window | None = None,
) -> Known:
    """Return what the ledger says of a staging table, in one query.

    Of keys only the range from the first to the last is read, so that the question costs the same however
    long the ledger has grown.

    Args:
        session: with or without a transaction open.
        dataset: the staging table.
        bucket: of the keys.
        prefix: which keys to tell of: those that start with it.
        keys: or these, if there are any.
        parts: with a prefix: which parts of its keys (see `digests`), as it was at the time `until`.
        until: naive UTC.
        prepared: or those of `prepare_files`.
        within: around which time to tell of windows; without it none are.
    """
    first, last = (min(keys), max(keys)) if keys else (prefix, None)
    places, part_values = named_values("part", parts)
    condition = "key >= %(first)s AND key <= %(last)s"
    if prepared:
        condition = f"key IN (SELECT key FROM {INCOMING_FILES})"
    elif not keys:
        condition = "key >= %(first)s AND LEFT(key, %(length)s) = %(first)s"
    if parts:
        condition += f" AND staged_at <= %(until)s AND SUBSTRING(MD5(key), 1, 2) IN ({places})"
    values = {"dataset": dataset, "bucket": bucket, "first": first, "last": last, "length": len(prefix)}
    rows = session.ask(
        _VERSIONS.format(condition=condition) + _SOURCES + (_WINDOWS if within else ""),
        {**values, "until": until, **part_values, **(within.values if within else {})},
    )
    return _read(rows, set(keys))


def _read(rows: Iterable[Sequence[Any]], wanted: Collection[str]) -> Known:
    told: dict[str, list[Sequence[Any]]] = {"version": [], "source": [], "window": []}
    for kind, *row in rows:
        told[kind].append(row)
    versions = {
        key: StagedVersion(etag, load_id, staged_at)
        for key, etag, load_id, staged_at, _ in told["version"]
        if not wanted or key in wanted
    }
    windows = [(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) for *_, start, end in told["window"]]
    return Known(versions, [name for name, *_ in told["source"]], merge(Window(*ends) for ends in windows))


def record_source(session: Session, dataset: str, source: str, load_id: str) -> None:
    """Keep a source of a staging table that is not known yet; under the table's lock."""
    session.insert_rows("ops.sources", ("dataset", "source", "load_id"), [(dataset, source, load_id)])


def make_incoming_files(session: Session) -> None:
    """Make the temp table of ledger rows that are not in the ledger yet, before any lock is taken."""
    session.execute(f"CREATE TEMP TABLE {INCOMING_FILES} (LIKE {STAGED_FILES})")


def prepare_files(session: Session, dataset: str, load_id: str, files: Sequence[SourceFile]) -> None:
    """Put the ledger rows of `files` into a temp table, before any lock is taken."""
    make_incoming_files(session)
    session.insert_rows(INCOMING_FILES, FILE_COLUMNS, file_rows(dataset, load_id, files))


def file_rows(dataset: str, load_id: str, files: Sequence[SourceFile]) -> list[tuple[Value, ...]]:
    """Return the ledger rows of files."""
    now = utc_now()
    return [(dataset, f.bucket, f.key, f.etag, f.size, f.last_modified, load_id, now) for f in files]


def record_files(session: Session, staged_before: Iterable[StagedVersion]) -> None:
    """Move the prepared rows into the ledger, under its lock; the row of a version staged before is replaced.

    Args:
        session: inside the transaction of the load.
        staged_before: what was staged of the same keys. `staged_at` tells which version of a key was staged
            last, so it only ever grows, whatever the clocks of two workers say.
    """
    later = (version.staged_at + timedelta(microseconds=1) for version in staged_before)
    now = max([utc_now(), *later])
    session.execute(
        f"""
        DELETE FROM ops.staged_files
        USING {INCOMING_FILES}
        WHERE
            staged_files.dataset = {INCOMING_FILES}.dataset
            AND staged_files.bucket = {INCOMING_FILES}.bucket
            AND staged_files.key = {INCOMING_FILES}.key
            AND staged_files.etag = {INCOMING_FILES}.etag
        """
    )
    columns = ", ".join(FILE_COLUMNS)
    values = columns.replace("staged_at", "CAST(%(now)s AS TIMESTAMP)")
    session.execute(
        f"INSERT INTO {STAGED_FILES} ({columns}) SELECT {values} FROM {INCOMING_FILES}", {"now": now}
    )
