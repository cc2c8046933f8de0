"""Staging: the files of a window or a prefix, copied into a temp table, then published in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sparkify.failures import FatalError, SourceChanged
from sparkify.source import SourceFile, find_keys, list_prefix
from sparkify.stage.copying import FileCopier
from sparkify.stage.job import INCOMING, LOAD_ID, MISSING, Source, Staged, StagingJob
from sparkify.warehouse import ledger
from sparkify.warehouse.differences import differing_hours
from sparkify.warehouse.ledger import LoadRecord
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table
from sparkify.window import ALL_TIME, Window, common, merge, without

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def stage(session: Session, job: StagingJob, s3: "S3Client", log: Log) -> Staged:
    """Bring the staging table up to date with the job's files and return what was done.

    Args:
        session: a fresh session.
        job: what to load.
        s3: a boto3 client that lists the source and writes to the work bucket.
        log: progress and everything unusual.

    Raises:
        FatalError: COPY refused the data; every table is as it was.
        SourceChanged: the files changed, or another load staged other versions of them, meanwhile.
    """
    record = LoadRecord(ledger.new_load_id(), job.run, job.table, ledger.utc_now(), job.window)
    source = _find_source(session, job, s3)
    # A reader of the ledger that asks for another table next would meet a writer that asks the other way.
    session.commit()
    # Now that the bucket was found: a mistyped one is no second source.
    _check_source(session, job)
    session.commit()
    _report_missing(job, source, log)
    files = _files_to_copy(job, source)
    if not files and job.mode in ("changed_files", "append"):
        log.info("No new or changed file: %s stays as it is.", job.table)
        return Staged(record, (), source.missing)
    columns = _columns(session, job.table)
    session.execute(f"CREATE TEMP TABLE {INCOMING} (LIKE {quote_table(job.table)})")
    session.commit()
    copier = FileCopier(session, job, s3, record.load_id, columns, source.periods, log)
    try:
        copied = copier.copy(files)
    except FatalError as error:
        files = [file for file in files if file.key not in source.earlier]
        if len(files) == len(source.files):
            raise
        # A bad file of an earlier day must not keep new hours out; the next run looks at it again.
        log.warning("The files of earlier days are left for later: %s", error)
        session.rollback()
        copied = copier.copy(files)
    lost = _count_lost(session, job, log)
    late = _find_late_windows(session, job, source, files, columns)
    others = late if job.window is None else without(late, job.window)
    if others:
        log.info("Late data, staged again, too: %s", ", ".join(map(str, others)))
    ledger.prepare_files(session, job.table, record.load_id, [*files, *_missing_files(job, source)])
    session.commit()
    _check_files(job, s3, files)

    session.lock(job.table, ledger.STAGED_FILES)
    _check_source(session, job)
    _check_ledger(session, job, source, files)
    record = replace(
        record,
        rows_rejected=len(copied.rejected) + copied.strays + lost,
        files=len(files),
        bytes=sum(file.size for file in files),
    )
    record = _publish(session, job, record, columns)
    for window in others:
        again = LoadRecord(ledger.new_load_id(), job.run, job.table, record.started_at, window)
        _publish(session, replace(job, window=window), again, columns)
        ledger.record_late_window(session, job.table, again.load_id, window)
    # Should this run die before it has loaded what it staged, another one knows what to do.
    for window in [] if job.window is None else common(late, [job.window]):
        ledger.record_late_window(session, job.table, record.load_id, window)
    ledger.record_files(session, job.table)
    ledger.record_source(session, job.table, job.source, record.load_id)
    ledger.record_rejected(session, record.load_id, copied.rejected)
    session.commit()
    return Staged(record, files, source.missing, others)


def _columns(session: Session, table: str) -> list[str]:
    """Return the columns that the files fill."""
    columns = session.columns(table)
    if LOAD_ID not in columns:
        raise FatalError(
            f"{table} has no column {LOAD_ID}, in which every row of a staging table names its load. Add it "
            f"to the table and to its DDL: ALTER TABLE {table} ADD COLUMN {LOAD_ID} VARCHAR(64)"
        )
    return [name for name in columns if name != LOAD_ID]


def _publish(session: Session, job: StagingJob, record: LoadRecord, columns: Sequence[str]) -> LoadRecord:
    deleted = _delete(session, job)
    inserted = _insert(session, job, record.load_id, columns)
    record = replace(record, rows_deleted=deleted, rows_inserted=inserted)
    ledger.record_load(session, record)
    return record


def _find_source(session: Session, job: StagingJob, s3: "S3Client") -> Source:
    """List the source, after reading what is staged of it, so that what others commit later is noticed."""
    if job.key_pattern is not None:
        return _find_keys(session, job, s3, job.key_pattern)
    known = ledger.staged_versions(session, job.table, job.bucket, prefix=job.prefix or "")
    files = list_prefix(s3, job.bucket, job.prefix or "")
    if not files and job.mode == "replace":
        raise FatalError(
            f"s3://{job.bucket}/{job.prefix} holds no file: {job.table} is not emptied. Check the prefix."
        )
    return Source(files, [] if files else [job.prefix or ""], known, {})


def _find_keys(session: Session, job: StagingJob, s3: "S3Client", pattern: str) -> Source:
    """Find the files of the window and, among those of the days before it, the ones that changed."""
    periods = job.window.periods(pattern) if job.window else {pattern: ALL_TIME}
    if job.mode != "window" or job.window is None or ALL_TIME in periods.values():
        known = ledger.staged_versions(session, job.table, job.bucket, keys=list(periods))
        return Source(*find_keys(s3, job.bucket, periods), known, {})
    start = job.window.start - timedelta(days=job.look_back_days)
    earlier = Window(start, job.window.end).periods(pattern)
    around = merge([*periods.values(), *earlier.values()])
    staged = ledger.staged_windows(session, job.table, Window(around[0].start, around[-1].end))
    before = {
        key: period for key, period in earlier.items() if key not in periods and common([period], staged)
    }
    known = ledger.staged_versions(session, job.table, job.bucket, keys=[*before, *periods])
    files, missing = find_keys(s3, job.bucket, periods)
    etags = {key: version.etag for key, version in known.items()}
    late = [file for file in find_keys(s3, job.bucket, before)[0] if etags.get(file.key) != file.etag]
    return Source([*late, *files], missing, known, before | periods, staged, [file.key for file in late])


def _find_late_windows(
    session: Session, job: StagingJob, source: Source, files: Sequence[SourceFile], columns: Sequence[str]
) -> list[Window]:
    """Return the time that was staged before and is no longer what the copied files say.

    A file may grow or be mended after some of its hours were staged. Because every load that copies a file
    looks at all of it, whatever is staged of a file always agrees with the version that the ledger names.
    """
    around = common([source.periods[file.key] for file in files if file.key in source.periods], source.staged)
    if not around:
        return []
    hours = differing_hours(
        session, INCOMING, job.table, columns=columns, time_column=job.time_column or "", windows=around
    )
    return common([Window.of_hour(hour) for hour in hours], around)


def _missing_files(job: StagingJob, source: Source) -> list[SourceFile]:
    """Return what the ledger keeps of missing files: an empty version, so that one that comes is new."""
    if job.mode != "window" or job.key_pattern is None:
        return []
    return [SourceFile(job.bucket, key, MISSING, 0, ledger.utc_now()) for key in source.missing]


def _check_source(session: Session, job: StagingJob) -> None:
    """Refuse a second source of a table: it would take the rows of the first for old ones of its own."""
    other = "" if job.mode == "append" else ledger.other_source(session, job.table, job.source)
    if other:
        session.rollback()
        raise FatalError(
            f"{job.table} holds the rows of {other}; those of {job.source} would replace them in mode "
            f"{job.mode}. Nothing was staged. Give each source a staging table of its own, or stage both in "
            f"mode append; if the source has moved, empty {job.table} with warehouse_reset first."
        )


def _files_to_copy(job: StagingJob, source: Source) -> list[SourceFile]:
    if job.mode in ("window", "replace"):
        return list(source.files)
    staged = {key: version.etag for key, version in source.ledger.items()}
    changed = [file for file in source.files if staged.get(file.key) != file.etag]
    if job.mode == "append" and (again := [file for file in changed if file.key in staged]):
        before = source.ledger[again[0].key].load_id
        raise FatalError(
            f"{again[0].url} was appended to {job.table} before, with another content (load {before}): its "
            f"rows would be there twice. {len(again)} files are like that; nothing was staged. Put new rows "
            "under a new key, or use mode changed_files, window or replace, which replace rows."
        )
    return changed


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
    ours = dict.fromkeys(source.missing, MISSING) | {file.key: file.etag for file in files}
    for key, now in ledger.staged_versions(session, job.table, job.bucket, keys=list(ours)).items():
        before = source.ledger.get(key)
        if now == before:
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
