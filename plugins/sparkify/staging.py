"""Staging: the files of a window or a prefix, copied into a temp table, then published in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from posixpath import commonprefix
from typing import TYPE_CHECKING, Any, Literal

from sparkify import history
from sparkify.copy_command import CopyCommand
from sparkify.failures import LoadError, SourceChanged, describe
from sparkify.history import LoadRecord, StagedVersion, TaskRun
from sparkify.load_errors import RejectedRow, is_data_error, read_rejected_rows, summarize
from sparkify.manifest import write_jsonpaths, write_manifest
from sparkify.source import SourceFile, find_keys, list_prefix
from sparkify.sql import quote_columns, quote_identifier, quote_table
from sparkify.transaction import Log, Session
from sparkify.window import Window

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

StagingMode = Literal["window", "changed_files", "append", "replace"]

LOAD_ID = "load_id"
# Temp tables shadow permanent ones of the same name.
INCOMING = "sparkify_incoming"


@dataclass(frozen=True, slots=True)
class StagingJob:
    """What one staging task loads; see StageToRedshiftOperator for the meaning of each field."""

    table: str
    mode: StagingMode
    bucket: str
    work_bucket: str
    run: TaskRun
    window: Window | None = None
    key_pattern: str | None = None
    prefix: str | None = None
    time_column: str | None = None
    key_columns: Sequence[str] = ()
    json: str = "auto"
    jsonpaths: str | None = None
    iam_role: str = "default"
    region: str | None = None
    gzip: bool = False
    max_errors: int = 0
    copy_options: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Staged:
    """The outcome of a staging load: its record, the files it read, and the keys it did not find."""

    record: LoadRecord
    files: Sequence[SourceFile]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class Source:
    """What a try of a load found: files, keys that do not exist, and what the ledger knew of them before."""

    files: Sequence[SourceFile]
    missing: Sequence[str]
    ledger: Mapping[str, StagedVersion]


def stage(session: Session, job: StagingJob, s3: "S3Client", log: Log) -> Staged:
    """Bring the staging table up to date with the job's files and return what was done.

    Args:
        session: a fresh session.
        job: what to load.
        s3: a boto3 client that lists the source and writes to the work bucket.
        log: progress and everything unusual.

    Raises:
        LoadError: COPY refused the data; every table is as it was.
        SourceChanged: the files changed, or another load staged other versions of them, meanwhile.
    """
    record = LoadRecord(history.new_load_id(), job.run, job.table, history.utc_now(), job.window)
    source = _find_source(session, job, s3)
    _report_missing(job, source, log)
    files = _files_to_copy(job, source)
    if not files and job.mode in ("changed_files", "append"):
        session.rollback()
        log.info("No new or changed file: %s stays as it is.", job.table)
        return Staged(record, (), source.missing)
    columns = [name for name in session.columns(job.table) if name != LOAD_ID]
    session.execute(f"CREATE TEMP TABLE {INCOMING} (LIKE {quote_table(job.table)})")
    session.commit()
    size = sum(file.size for file in files)
    rejected: Sequence[RejectedRow] = ()
    if files:
        log.info("Copying %d files, %.1f MB, for %s", len(files), size / 1e6, job.table)
        rejected = _copy(session, _copy_command(job, s3, record.load_id, files, columns), job, log)
    lost = _count_lost(session, job, log)
    history.prepare_files(session, job.table, record.load_id, files)
    session.commit()
    _check_files(job, s3, files)

    session.lock(job.table, history.STAGED_FILES)
    _check_ledger(session, job, source, files)
    record = replace(
        record,
        rows_deleted=_delete(session, job),
        rows_inserted=_insert(session, job, record.load_id, columns),
        rows_rejected=len(rejected) + lost,
        files=len(files),
        bytes=size,
    )
    history.record_files(session, job.table)
    history.record_rejected(session, record.load_id, rejected)
    history.record_load(session, record)
    session.commit()
    return Staged(record, files, source.missing)


def _find_source(session: Session, job: StagingJob, s3: "S3Client") -> Source:
    """List the source, after reading what is staged of it, so that what others commit later is noticed."""
    if job.key_pattern is not None:
        keys = job.window.expand(job.key_pattern) if job.window else [job.key_pattern]
        ledger = _read_ledger(session, job, commonprefix(keys))
        return Source(*find_keys(s3, job.bucket, keys), ledger)
    ledger = _read_ledger(session, job, job.prefix or "")
    files = list_prefix(s3, job.bucket, job.prefix or "")
    if not files and job.mode == "replace":
        raise LoadError(
            f"s3://{job.bucket}/{job.prefix} holds no file: {job.table} is not emptied. Check the prefix."
        )
    return Source(files, [] if files else [job.prefix or ""], ledger)


def _read_ledger(session: Session, job: StagingJob, prefix: str) -> dict[str, StagedVersion]:
    return history.staged_versions(session, job.table, job.bucket, prefix)


def _files_to_copy(job: StagingJob, source: Source) -> list[SourceFile]:
    if job.mode in ("window", "replace"):
        return list(source.files)
    staged = {key: version.etag for key, version in source.ledger.items()}
    return [file for file in source.files if staged.get(file.key) != file.etag]


def _check_files(job: StagingJob, s3: "S3Client", files: Sequence[SourceFile]) -> None:
    """Refuse to go on if a file was replaced since it was listed: COPY may have read either version."""
    if job.key_pattern is not None:
        found, _ = find_keys(s3, job.bucket, [file.key for file in files])
    else:
        found = list_prefix(s3, job.bucket, job.prefix or "") if files else []
    if changed := set(files) - set(found):
        raise SourceChanged(
            f"{len(changed)} files changed while they were copied, among them {changed.pop().url}"
        )


def _check_ledger(session: Session, job: StagingJob, source: Source, files: Sequence[SourceFile]) -> None:
    """Refuse to go on, under the lock, if another load staged other versions of the same files meanwhile."""
    ours: dict[str, str | None] = {**dict.fromkeys(source.missing), **{file.key: file.etag for file in files}}
    for key, now in _read_ledger(session, job, commonprefix(list(ours))).items():
        before = source.ledger.get(key)
        if key not in ours or now == before:
            continue
        # The same version staged twice is no conflict, unless its rows would be appended twice.
        if now.etag != ours[key] or job.mode == "append":
            session.rollback()
            raise SourceChanged(f"Another load staged s3://{job.bucket}/{key} meanwhile")


def _report_missing(job: StagingJob, source: Source, log: Log) -> None:
    if missing := source.missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        log.warning(
            "%d keys or prefixes do not exist in s3://%s and count as empty: %s",
            len(missing),
            job.bucket,
            shown,
        )


def _copy(session: Session, command: CopyCommand, job: StagingJob, log: Log) -> Sequence[RejectedRow]:
    backend_pid = session.scalar("SELECT pg_backend_pid()")
    try:
        session.execute(command.sql)
    except Exception as error:
        if not is_data_error(error):
            raise
        session.rollback()
        reasons = summarize(read_rejected_rows(session, backend_pid)) or f"  {describe(error)}"
        raise LoadError(
            f"COPY into {job.table} was refused by its data:\n{reasons}\n"
            f"Mend the file or raise max_errors (now {job.max_errors}), then clear the task. "
            "Every table is as it was."
        ) from error
    copied = session.scalar("SELECT pg_last_copy_count()")
    held = session.scalar(f"SELECT COUNT(*) FROM {INCOMING}")
    if copied != held:
        raise LoadError(
            f"COPY says it loaded {copied} rows for {job.table}, but {held} arrived; nothing was staged."
        )
    if not job.max_errors:
        return ()
    rejected = read_rejected_rows(session, backend_pid, session.scalar("SELECT pg_last_copy_id()"))
    if rejected:
        log.warning("COPY passed over %d rows:\n%s", len(rejected), summarize(rejected))
    return rejected


def _copy_command(
    job: StagingJob,
    s3: "S3Client",
    load_id: str,
    files: Sequence[SourceFile],
    columns: Sequence[str],
) -> CopyCommand:
    json = job.json
    if job.jsonpaths is not None:
        json = write_jsonpaths(s3, job.work_bucket, f"{job.table}.json", job.jsonpaths)
    return CopyCommand(
        INCOMING,
        columns,
        write_manifest(s3, job.work_bucket, load_id, files),
        json,
        job.iam_role,
        job.region,
        job.gzip,
        job.max_errors,
        job.copy_options,
    )


def _count_lost(session: Session, job: StagingJob, log: Log) -> int:
    """Count the copied rows that no window or key can ever hold, so that nothing disappears unseen."""
    columns = [job.time_column] if job.mode == "window" else job.key_columns
    if job.mode not in ("window", "changed_files"):
        return 0
    missing = " OR ".join(f"{quote_identifier(name or '')} IS NULL" for name in columns)
    lost = int(session.scalar(f"SELECT COUNT(*) FROM {INCOMING} WHERE {missing}"))
    if lost:
        log.warning("%d rows have no %s and cannot be staged.", lost, " or ".join(map(str, columns)))
    return lost


def _delete(session: Session, job: StagingJob) -> int:
    target = quote_table(job.table)
    match job.mode:
        case "append":
            return 0
        case "replace":
            return session.execute(f"DELETE FROM {target}")
        case "window":
            return session.execute(f"DELETE FROM {target} WHERE {_in_window(job)}", _window_values(job))
        case "changed_files":
            same = " AND ".join(
                f"{target}.{quote_identifier(name)} = {INCOMING}.{quote_identifier(name)}"
                for name in job.key_columns
            )
            return session.execute(f"DELETE FROM {target} USING {INCOMING} WHERE {same}")


def _insert(session: Session, job: StagingJob, load_id: str, columns: Sequence[str]) -> int:
    names = quote_columns(columns)
    rows = f"SELECT {names}, CAST(%(load_id)s AS VARCHAR(64)) AS {LOAD_ID} FROM {INCOMING}"
    if job.mode == "window":
        rows += f" WHERE {_in_window(job)}"
    elif job.mode == "changed_files":
        # Two files may hold the same key; which one stays depends on what they say, never on their order.
        has_key = " AND ".join(f"{quote_identifier(name)} IS NOT NULL" for name in job.key_columns)
        rows = f"""
SELECT {names}, CAST(%(load_id)s AS VARCHAR(64)) AS {LOAD_ID}
FROM (
    SELECT
        {names},
        ROW_NUMBER() OVER (PARTITION BY {quote_columns(job.key_columns)} ORDER BY {names}) AS copy_number
    FROM {INCOMING}
    WHERE {has_key}
) AS numbered
WHERE copy_number = 1"""
    sql = f"INSERT INTO {quote_table(job.table)} ({names}, {LOAD_ID}) {rows}"
    return session.execute(sql, {"load_id": load_id, **_window_values(job)})


def _in_window(job: StagingJob) -> str:
    column = quote_identifier(job.time_column or "")
    return f"{column} >= %(window_start)s AND {column} < %(window_end)s"


def _window_values(job: StagingJob) -> dict[str, Any]:
    return dict(job.window.values) if job.window else {}
