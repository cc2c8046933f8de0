"""StageToRedshiftOperator: files on S3 into a staging table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow.sdk import Context

from sparkify.operators.base import LoadOperator
from sparkify.operators.staging_job import (
    STAGING_ARGUMENTS,
    build_staging_job,
    check_arguments,
)
from sparkify.operators.trace_staging import trace_staging
from sparkify.s3.client import make_s3_client
from sparkify.stage.job import StagingMode
from sparkify.stage.refusals import stage


class StageToRedshiftOperator(LoadOperator):
    """COPY JSON files into a staging table so that running it again changes nothing.

    The staging table has the columns of the files, in the order of the jsonpaths file, and then `load_id`;
    columns with a DEFAULT or IDENTITY are not read from files. Every document is staged, or is an error.
    Every file read is kept in `ops.staged_files`, every load in `ops.loads`, in the transaction of its rows.

    Args:
        table: the staging table.
        bucket: the source bucket.
        work_bucket: another bucket, where manifests and jsonpaths files are written, for Redshift to read.
        key_pattern: key of the files with strftime directives, expanded over the window, for example
            `log_data/%Y/%m/%Y-%m-%d-events.json`. A file that does not exist counts as empty.
        prefix: instead of `key_pattern`: every key that starts with it.
        source_prefix: what identifies the source, where `prefix` names a part of it; by default `prefix`. A
            second source of one table is refused, except in mode `append`.
        allow_empty: whether a prefix under which there is no file is an empty source, and no error.
        mode: `window`: replace the window's rows; `changed_files`: copy new and changed files, replacing rows
            of the same key; `append`: add the rows of files whose key was not copied before; `replace`:
            replace all rows.
        time_column: mode `window`: the column that places a row in a window.
        key_columns: the columns without which a row cannot be told from others; mode `changed_files` replaces
            rows by them. A row in which one of them, or the time, is missing is an error.
        json: `auto`, `auto ignorecase`, or the `s3://` address of a jsonpaths file.
        jsonpaths: instead of `json`: a jsonpaths file below the DAG's template_searchpath.
        iam_role: `default` or the ARN of the role that Redshift reads S3 with.
        region: region of the buckets, if it is not the cluster's.
        gzip: the files are compressed with gzip.
        max_errors: how many rows may be bad, without time or key, or outside the time of their file, before
            the load fails. They are kept in `ops.rejected_rows`.
        keep_strays: whether rows outside the time of their file are kept there without being errors.
        copy_options: COPY options that say how values are read, for example `TIMEFORMAT 'epochmillisecs'`.
        look_back_days: mode `window` with a dated key pattern: files of that many days before the window are
            looked at, too. Windows staged before whose file has changed or come since are staged again and
            handed to the tables that follow this one. A file that has gone is left alone.
        aws_conn_id: the Airflow connection that lists the source and writes manifests.

    Returns:
        Rows, files, bytes and seconds of the load, missing files, and late windows that were staged again.

    Raises:
        ValueError: arguments that do not go together.
        AirflowFailException: bad data, a missing bucket or table, one bucket as source and work bucket: the
            message says where and what to do.
    """

    template_fields: Sequence[str] = (
        "bucket",
        "work_bucket",
        "key_pattern",
        "prefix",
        "source_prefix",
        "json",
        "jsonpaths",
        "iam_role",
        "region",
        "copy_options",
        "allow_empty",
        "keep_strays",
        "look_back_days",
        *LoadOperator.template_fields,
    )

    def __init__(
        self,
        *,
        bucket: str,
        work_bucket: str,
        mode: StagingMode,
        key_pattern: str | None = None,
        prefix: str | None = None,
        source_prefix: str | None = None,
        allow_empty: bool | str = False,
        time_column: str | None = None,
        key_columns: Sequence[str] = (),
        json: str = "auto",
        jsonpaths: str | None = None,
        iam_role: str = "default",
        region: str | None = None,
        gzip: bool = False,
        max_errors: int = 0,
        keep_strays: bool | str = False,
        copy_options: Sequence[str] = (),
        look_back_days: int | str = 0,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket
        self.work_bucket = work_bucket
        self.mode = mode
        self.key_pattern = key_pattern
        self.prefix = prefix
        self.source_prefix = source_prefix
        self.allow_empty = allow_empty
        self.time_column = time_column
        self.key_columns = key_columns
        self.json = json
        self.jsonpaths = jsonpaths
        self.iam_role = iam_role
        self.region = region
        self.gzip = gzip
        self.max_errors = max_errors
        self.keep_strays = keep_strays
        self.copy_options = copy_options
        self.look_back_days = look_back_days
        self.aws_conn_id = aws_conn_id
        check_arguments(self.staging)

    @property
    def staging(self) -> dict[str, Any]:
        """The arguments that say what to stage and how."""
        return {name: getattr(self, name) for name in STAGING_ARGUMENTS}

    def execute(self, context: Context) -> dict[str, Any]:
        """Stage the files of this run."""
        job, s3 = build_staging_job(self, self.staging, context), make_s3_client(self.aws_conn_id)
        staged = self.run_in_warehouse(lambda session: stage(session, job, s3, self.log, context))
        self.trace = lambda: trace_staging(self, job, staged)
        late = [str(window) for window in staged.late]
        record = replace(staged.record, other_windows=staged.late)
        return {**self.report(record, context), "missing_files": len(staged.missing), "late_windows": late}
