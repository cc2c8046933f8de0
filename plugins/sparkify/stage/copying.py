"""Copying: files on S3 into the temp table INCOMING; each row that does not arrive is accounted for."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sparkify.failures import FatalError, describe
from sparkify.source import SourceFile
from sparkify.stage.copy_command import SILENT, CopyCommand
from sparkify.stage.job import INCOMING, StagingJob
from sparkify.stage.manifest import write_jsonpaths, write_manifest
from sparkify.stage.strays import RawRow, StrayFinder, stray_row
from sparkify.warehouse.rejected_rows import RejectedRow, is_data_error, read_rejected_rows, summarize
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table
from sparkify.window import Window, in_any, merge

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ONE_FILE = "sparkify_one_file"


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
        load_id: names them.
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
        rejected = self._copy(self._command(files))
        self._name_silent_changes()
        strays = self._take_out_strays(files, rejected) if self.periods else []
        if rejected or strays:
            left_out = [*rejected, *strays]
            self.log.warning("%d rows are not staged:\n%s", len(left_out), summarize(left_out))
        return [*rejected, *strays]

    def _take_out_strays(
        self, files: Sequence[SourceFile], rejected: Sequence[RejectedRow]
    ) -> list[RejectedRow]:
        if len(files) == 1:
            return self._delete_strays(INCOMING, files[0], rejected)
        if not (doubtful := self._doubtful(files)):
            return []
        self.log.info("%d files may hold rows of other days: copying them one by one.", len(doubtful))
        return self._copy_again(doubtful, [file for file in files if file not in doubtful], rejected)

    def _name_silent_changes(self) -> None:
        given = " ".join(self.job.copy_options).upper()
        if silent := [name for name in SILENT if name in given]:
            self.log.warning(
                "Values may have been changed without a word, by COPY's %s: Redshift does not say how many.",
                ", ".join(silent),
            )

    def _command(self, files: Sequence[SourceFile]) -> CopyCommand:
        job, paths = self.job, self.job.json
        if job.jsonpaths is not None:
            paths = write_jsonpaths(self.s3, job.work_bucket, f"{job.table}.json", job.jsonpaths)
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
        backend_pid = self.session.scalar("SELECT pg_backend_pid()")
        try:
            self.session.execute(command.sql)
        except Exception as error:
            if not is_data_error(error):
                raise
            self.session.rollback()
            rows = read_rejected_rows(self.session, backend_pid)
            raise self._refusal(rows, str(describe(error))) from error
        self._check_count(command.table)
        if not self.job.max_errors:
            return ()
        copy_id = self.session.scalar("SELECT pg_last_copy_id()")
        # Reading the reasons may end in a rollback, which must not take the rows with it.
        self.session.commit()
        return read_rejected_rows(self.session, backend_pid, copy_id)

    def _check_count(self, table: str) -> None:
        copied = self.session.scalar("SELECT pg_last_copy_count()")
        held = self.session.scalar(f"SELECT COUNT(*) FROM {quote_table(table)}")
        if copied != held:
            raise FatalError(
                f"COPY says it loaded {copied} rows for {self.job.table}, but {held} arrived; nothing was "
                "staged."
            )

    def _refusal(self, rows: Sequence[RejectedRow], otherwise: str = "") -> FatalError:
        """Return the error that says which rows keep the load from being staged."""
        return FatalError(
            f"{self.job.table}: rows of its files cannot be staged (max_errors is {self.job.max_errors}):\n"
            f"{summarize(rows) or f'  {otherwise}'}\n"
            f"Mend the file or raise max_errors, then clear the task. Every table is as it was."
        )

    def _doubtful(self, files: Sequence[SourceFile]) -> list[SourceFile]:
        """Return the files of which the last COPY read more or fewer lines than there are rows of their time.

        COPY does not say which file a row came from, but how many lines each file had. A file with a record
        over several lines is doubtful, too: copied by itself it takes longer and is as right.
        """
        scanned = self.session.query(
            """
            SELECT TRIM(file_name), SUM(lines_scanned)
            FROM sys_load_detail
            WHERE query_id = %(copy_id)s
            GROUP BY file_name
            """,
            {"copy_id": self.session.scalar("SELECT pg_last_copy_id()")},
        )
        hour = f"DATE_TRUNC('hour', {self._time})"
        within, values = in_any(self._time, merge(self.periods[file.key] for file in files))
        counts = self.session.query(
            f"SELECT {hour}, COUNT(*) FROM {INCOMING} WHERE {within} GROUP BY {hour}", values
        )
        rows = Counter[datetime](dict(counts))
        lines: dict[str, int] = dict(scanned)
        return [f for f in files if lines.get(f.url) != _count_within(rows, self.periods[f.key])]

    def _copy_again(
        self, doubtful: Sequence[SourceFile], trusted: Sequence[SourceFile], rejected: Sequence[RejectedRow]
    ) -> list[RejectedRow]:
        """Copy files one by one, in place of all rows that are not of a trusted file's time."""
        session, names = self.session, quote_columns(self.columns)
        session.execute(f"CREATE TEMP TABLE {ONE_FILE} (LIKE {INCOMING})")
        keep, values = in_any(self._time, [self.periods[file.key] for file in trusted])
        session.execute(f"DELETE FROM {INCOMING} WHERE NOT ({keep})", values)
        strays: list[RejectedRow] = []
        for file in doubtful:
            self._copy(replace(self._command([file]), table=ONE_FILE))
            strays += self._delete_strays(ONE_FILE, file, [*rejected, *strays])
            session.execute(f"INSERT INTO {INCOMING} ({names}) SELECT {names} FROM {ONE_FILE}")
            session.execute(f"DELETE FROM {ONE_FILE}")
        return strays

    def _delete_strays(
        self, table: str, file: SourceFile, before: Sequence[RejectedRow]
    ) -> list[RejectedRow]:
        """Take the strays of one file out of a table that holds nothing else, and return them.

        Raises:
            FatalError: with those `before` there are more errors than the job allows.
        """
        period = self.periods[file.key]
        outside = f"{self._time} < %(window_start)s OR {self._time} >= %(window_end)s"
        rows = self.session.query(f"SELECT {self._shown} FROM {table} WHERE {outside}", period.values)
        if not rows:
            return []
        strays = StrayFinder(self.s3, self.job, self.columns).find(file, period, len(rows), before)
        strays = strays or [self._without_line(file, row) for row in rows]
        if not self.job.keep_strays and len(before) + len(strays) > self.job.max_errors:
            raise self._refusal([*before, *strays])
        self.session.execute(f"DELETE FROM {table} WHERE {outside}", period.values)
        return strays

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


def _count_within(rows: Counter[datetime], period: Window) -> int:
    """Count the rows of a period from those of its hours, which are naive UTC."""
    hour, end = period.values["window_start"], period.values["window_end"]
    return sum(rows[hour + timedelta(hours=n)] for n in range((end - hour) // timedelta(hours=1)))
