"""Copying: files on S3 into the temp table INCOMING; each row that does not arrive is accounted for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sparkify.failures import FatalError, TransientError, describe
from sparkify.source import SourceFile
from sparkify.stage.copy_command import REPLACING, SILENT, CopyCommand
from sparkify.stage.job import INCOMING, StagingJob
from sparkify.stage.manifest import write_jsonpaths, write_manifest
from sparkify.stage.strays import RawRow, StrayFinder, stray_row
from sparkify.warehouse.copy_history import CopyRecord, find_copy
from sparkify.warehouse.rejected_rows import (
    RejectedRow,
    count_passed_over,
    is_data_error,
    read_rejected_rows,
    summarize,
)
from sparkify.warehouse.replacements import describe_replacements
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table
from sparkify.window import Window

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ONE_FILE = "sparkify_one_file"


class RowsError(FatalError):
    """Rows that keep files from being staged."""

    def __init__(self, rows: Sequence[RejectedRow], message: str) -> None:
        super().__init__(message)
        self.rows = rows


@dataclass(frozen=True, slots=True)
class FileCopier:
    """Copies files into INCOMING, keeping of each only the rows of its own period.

    A day's file may hold an event of another day. Whether that day's window stages it must not depend on
    which files happen to be copied together, so such strays are left out, and are errors unless the job keeps
    them aside.

    Args:
        session: a session with an empty INCOMING.
        job: how to copy.
        s3: writes the manifests.
        load_id: the load, named in them.
        columns: the files' columns.
        periods: the time of each key; empty where files are not named by time.
        log: tells of rows that are not staged.
    """

    session: Session
    job: StagingJob
    s3: "S3Client"
    load_id: str
    columns: Sequence[str]
    periods: Mapping[str, Window]
    log: Log

    def copy(self, files: Sequence[SourceFile]) -> Sequence[RejectedRow]:
        """Copy `files`, of which there may be none; return the rows that are not staged.

        Raises:
            FatalError: there are more of them than the job's max_errors; the message says where and why.
        """
        if not files:
            return ()
        size = sum(file.size for file in files)
        self.log.info("Copying %d files, %.1f MB, for %s", len(files), size / 1e6, self.job.table)
        paths = self._write_paths()
        left_out = self._copy_dated(files, paths) if self.periods else self._copy(self._command(files, paths))
        self._name_silent_changes()
        if left_out:
            self.log.warning("%d rows are not staged:\n%s", len(left_out), summarize(left_out))
        return left_out

    def _copy_dated(self, files: Sequence[SourceFile], paths: str) -> list[RejectedRow]:
        """Copy each file by itself: COPY does not say which file a row came from.

        Neither do numbers of rows and lines: two files may hold equally many rows of each other's time, and a
        line two documents.
        """
        if len(files) == 1:
            return self._copy_file(self._command(files, paths), files[0], ())
        session, names = self.session, quote_columns(self.columns)
        session.execute(f"CREATE TEMP TABLE IF NOT EXISTS {ONE_FILE} (LIKE {INCOMING})")
        left_out: list[RejectedRow] = []
        for file in files:
            session.execute(f"DELETE FROM {ONE_FILE}")
            command = replace(self._command([file], paths), table=ONE_FILE)
            left_out += self._copy_file(command, file, left_out)
            session.execute(f"INSERT INTO {INCOMING} ({names}) SELECT {names} FROM {ONE_FILE}")
        return left_out

    def _copy_file(
        self, command: CopyCommand, file: SourceFile, before: Sequence[RejectedRow]
    ) -> list[RejectedRow]:
        """Copy one file into an empty table; return its rows that are not staged.

        Raises:
            FatalError: with those `before` there are more errors than the job allows.
        """
        rejected = self._copy(command)
        left_out = [*rejected, *self._delete_strays(command.table, file, rejected)]
        errors = [row for row in [*before, *left_out] if row.code is not None or not self.job.keep_strays]
        if len(errors) > self.job.max_errors:
            raise self._refusal(errors)
        return left_out

    def _name_silent_changes(self) -> None:
        if silent := [name for name in SILENT if name in self._options]:
            self.log.warning(
                "Values may have been changed without a word, by COPY's %s: Redshift does not say how many.",
                ", ".join(silent),
            )

    def _report_replacements(self, copy: CopyRecord) -> None:
        if REPLACING in self._options and (replaced := describe_replacements(self.session, copy)):
            self.log.warning("COPY's %s replaced characters in %s", REPLACING, replaced)

    @property
    def _options(self) -> str:
        return " ".join(self.job.copy_options).upper()

    def _write_paths(self) -> str:
        """Return how COPY finds values in documents; a jsonpaths file is written once, for all files."""
        job = self.job
        if job.jsonpaths is None:
            return job.json
        return write_jsonpaths(self.s3, job.work_bucket, f"{job.table}.json", job.jsonpaths)

    def _command(self, files: Sequence[SourceFile], paths: str) -> CopyCommand:
        job = self.job
        return CopyCommand(
            INCOMING,
            self.columns,
            write_manifest(self.s3, job.work_bucket, self.load_id, files),
            paths,
            job.iam_role,
            job.region,
            job.gzip,
            job.max_errors,
            job.copy_options,
        )

    def _copy(self, command: CopyCommand) -> Sequence[RejectedRow]:
        """Run one COPY and return the rows that it passed over."""
        self.session.take_notices()
        try:
            self.session.execute(command.sql)
        except Exception as error:
            if not is_data_error(error):
                raise
            self.session.rollback()
            raise self._refusal(self._read_reasons(command), str(describe(error))) from error
        passed_over = count_passed_over(self.session.take_notices())
        self._check_count(command.table)
        if not (self.job.max_errors or REPLACING in self._options):
            return ()
        # Reading the reasons may end in a rollback, which must not take the rows with it.
        self.session.commit()
        copy = find_copy(self.session, command.manifest)
        self._report_replacements(copy)
        rows = read_rejected_rows(self.session, copy)
        if len(rows) < max(passed_over, copy.errors):
            raise FatalError(
                f"COPY passed over {max(passed_over, copy.errors)} rows for {self.job.table}, and the load "
                f"errors name {len(rows)} of them: nothing was staged, because the others could not be kept. "
                "Set max_errors to 0 to stop at the first bad row, or mend the files."
            )
        return rows

    def _read_reasons(self, command: CopyCommand) -> Sequence[RejectedRow]:
        """Return the rows that a COPY failed over; none where Redshift does not tell: it failed anyway."""
        try:
            return read_rejected_rows(self.session, find_copy(self.session, command.manifest))
        except TransientError as late:
            self.log.warning("%s.", late)
            return ()

    def _check_count(self, table: str) -> None:
        copied = self.session.scalar("SELECT pg_last_copy_count()")
        held = self.session.scalar(f"SELECT COUNT(*) FROM {quote_table(table)}")
        if copied != held:
            raise FatalError(
                f"COPY says it loaded {copied} rows for {self.job.table}, but {held} arrived; nothing was "
                "staged."
            )

    def _refusal(self, rows: Sequence[RejectedRow], otherwise: str = "") -> "RowsError":
        """Return the error that says which rows keep the load from being staged."""
        has_strays = any(row.code is None for row in rows)
        aside = ", or set rows of other times aside by keep_strays" if has_strays else ""
        return RowsError(
            rows,
            f"{self.job.table}: rows of its files cannot be staged (max_errors is {self.job.max_errors}):\n"
            f"{summarize(rows) or f'  {otherwise}'}\n"
            f"Mend the file or raise max_errors{aside}, then clear the task. Every table is as it was.",
        )

    def _delete_strays(
        self, table: str, file: SourceFile, rejected: Sequence[RejectedRow]
    ) -> list[RejectedRow]:
        """Take the strays of one file out of a table that holds nothing else, and return them."""
        period = self.periods[file.key]
        outside = f"{self._time} < %(window_start)s OR {self._time} >= %(window_end)s"
        rows = self.session.query(f"SELECT {self._shown} FROM {table} WHERE {outside}", period.values)
        if not rows:
            return []
        self.session.execute(f"DELETE FROM {table} WHERE {outside}", period.values)
        strays = StrayFinder(self.s3, self.job, self.columns).find(file, period, len(rows), rejected)
        return strays or [self._without_line(file, row) for row in rows]

    def _without_line(self, file: SourceFile, row: Sequence[object]) -> RejectedRow:
        document = dict(zip(self.columns, row, strict=True))
        value = str(document[(self.job.time_column or "").lower()])
        text = json.dumps(document, default=str, ensure_ascii=False)
        return stray_row(file, self.job, self.periods[file.key], RawRow(None, value, text))

    @property
    def _shown(self) -> str:
        """The columns, the time as text: Redshift holds years that Python does not."""
        names = map(quote_identifier, self.columns)
        return ", ".join(f"CAST({name} AS VARCHAR)" if name == self._time else name for name in names)

    @property
    def _time(self) -> str:
        return quote_identifier(self.job.time_column or "")
