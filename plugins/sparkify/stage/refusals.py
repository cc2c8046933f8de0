"""Loads that fail because of rows: which rows, in which files, is kept for people to read and to correct."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparkify.source import find_keys
from sparkify.stage.copying import RowsError
from sparkify.stage.job import Staged, StagingJob
from sparkify.stage.stager import Stager
from sparkify.warehouse.open_rows import Refusal, record_refusal
from sparkify.warehouse.rejected_rows import RejectedRow
from sparkify.warehouse.session import Log, Session
from sparkify.window import Window, WindowError, resolve_window

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# A file that is written otherwise has as many of them as it has rows.
_MOST_ROWS = 1000


def stage(session: Session, job: StagingJob, s3: "S3Client", log: Log, context: Mapping[str, Any]) -> Staged:
    """Stage as Stager does; keep the rows in `ops.refused_rows` because of which that fails.

    Args:
        session: a fresh session.
        job: what to load.
        s3: a client of the source and the work bucket.
        log: progress and everything unusual.
        context: of the run, which has a window also where the job has none.

    Raises:
        FatalError: rows could not be staged; every table is as it was.
        SourceChanged: the files changed, or another load staged other versions of them, meanwhile.
    """
    stager = Stager(session, job, s3, log)
    try:
        return stager.stage()
    except RowsError as error:
        session.rollback()
        rows = error.rows[:_MOST_ROWS]
        if rows:
            _keep(session, s3, stager, rows, job.window or _window_of(context))
        raise


def _keep(
    session: Session, s3: "S3Client", stager: Stager, rows: Sequence[RejectedRow], window: Window | None
) -> None:
    job = stager.job
    try:
        keys = {row.file.removeprefix(f"s3://{job.bucket}/") for row in rows}
        files, _ = find_keys(s3, job.bucket, sorted(keys))
        etags = {file.url: file.etag for file in files}
        refusal = Refusal(stager.record.load_id, job.run, job.table, window, rows, etags)
        record_refusal(session, refusal)
    except Exception as error:
        # What matters is why the load failed.
        stager.log.warning("The rows could not be kept in ops.refused_rows: %s", error)


def _window_of(context: Mapping[str, Any]) -> Window | None:
    try:
        return resolve_window(context)
    except WindowError:
        return None
