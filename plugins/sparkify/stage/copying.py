"""Copying: files on S3 into the temp table INCOMING; rows refused or left out are accounted for."""

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
from sparkify.warehouse.rejected_rows import RejectedRow, is_data_error, read_rejected_rows, summarize
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table
from sparkify.window import Window, in_any

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ONE_FILE = "sparkify_one_file"


@dataclass(frozen=True, slots=True)
class Copied:
    """What did not come into INCOMING: rows that COPY refused, and rows outside the period of their file."""

    rejected: Sequence[RejectedRow] = ()
    strays: int = 0


@dataclass(frozen=True, slots=True)
class FileCopier:
    """Copies files into INCOMING, keeping of each only the rows of its own period.

    A day's file may hold an event of another day. Whether that day's window stages it must not depend on
    which files happen to be copied together, so such strays are left out and counted.

    Args:
        session: a session with an empty INCOMING.
        job: how to copy.
        s3: writes the manifests.
        load_id: names them.
        columns: the files' columns.
        periods: the time of each key; empty where files are not named by time.
        log: tells of refused rows and strays.
    """

    session: Session
    job: StagingJob
    s3: "S3Client"
    load_id: str
    columns: Sequence[str]
    periods: Mapping[str, Window]
    log: Log

    def copy(self, files: Sequence[SourceFile]) -> Copied:
        """Copy `files`, of which there may be none.

        Raises:
            FatalError: COPY refused the data; the message says where and why.
        """
        if not files:
            return Copied()
        size = sum(file.size for file in files)
        self.log.info("Copying %d files, %.1f MB, for %s", len(files), size / 1e6, self.job.table)
        rejected = self._copy(self._command(files))
        self._name_silent_changes()
        strays = 0
        if len(files) == 1 and self.periods:
            strays = self._delete_strays(INCOMING, files[0])
        elif self.periods and (doubtful := self._doubtful(files)):
            self.log.info("%d files may hold rows of other days: copying them one by one.", len(doubtful))
            strays = self._copy_again(doubtful, [file for file in files if file not in doubtful])
        if strays:
            self.log.warning("%d rows outside the time their file is named for are left out.", strays)
        return Copied(rejected, strays)

    def _name_silent_changes(self) -> None:
        given = " ".join(self.job.copy_options).upper()
        if silent := [name for name in SILENT if name in given]:
            self.log.warning(
                "Values may have been changed without a word, by COPY's %s: Redshift does not say how many.",
                ", ".join(silent),
            )

    def _command(self, files: Sequence[SourceFile]) -> CopyCommand:
        job, json = self.job, self.job.json
        if job.jsonpaths is not None:
            json = write_jsonpaths(self.s3, job.work_bucket, f"{job.table}.json", job.jsonpaths)
        return CopyCommand(
            INCOMING,
            self.columns,
            write_manifest(self.s3, job.work_bucket, self.load_id, files),
            json,
            job.iam_role,
            job.region,
            job.gzip,
            job.max_errors,
            job.copy_options,
        )

    def _copy(self, command: CopyCommand) -> Sequence[RejectedRow]:
        session, table = self.session, self.job.table
        backend_pid = session.scalar("SELECT pg_backend_pid()")
        try:
            session.execute(command.sql)
        except Exception as error:
            if not is_data_error(error):
                raise
            session.rollback()
            reasons = summarize(read_rejected_rows(session, backend_pid)) or f"  {describe(error)}"
            raise FatalError(
                f"COPY into {table} was refused by its data:\n{reasons}\n"
                f"Mend the file or raise max_errors (now {self.job.max_errors}), then clear the task. "
                "Every table is as it was."
            ) from error
        copied = session.scalar("SELECT pg_last_copy_count()")
        held = session.scalar(f"SELECT COUNT(*) FROM {quote_table(command.table)}")
        if copied != held:
            raise FatalError(
                f"COPY says it loaded {copied} rows for {table}, but {held} arrived; nothing was staged."
            )
        if not self.job.max_errors:
            return ()
        copy_id = session.scalar("SELECT pg_last_copy_id()")
        # Reading the reasons may end in a rollback, which must not take the rows with it.
        session.commit()
        rejected = read_rejected_rows(session, backend_pid, copy_id)
        if rejected:
            self.log.warning("COPY passed over %d rows:\n%s", len(rejected), summarize(rejected))
        return rejected

    def _doubtful(self, files: Sequence[SourceFile]) -> list[SourceFile]:
        """Return the files of which the last COPY read more or fewer lines than there are rows of their time.

        COPY does not say which file a row came from, but how many lines each file had. A file with a record
        over several lines is doubtful, too: copied by itself it takes longer and is as right.
        """
        found = self.session.query(
            """
            SELECT TRIM(file_name), SUM(lines_scanned)
            FROM sys_load_detail
            WHERE query_id = %(copy_id)s
            GROUP BY file_name
            """,
            {"copy_id": self.session.scalar("SELECT pg_last_copy_id()")},
        )
        hour = f"DATE_TRUNC('hour', {self._time})"
        rows = Counter[datetime](
            dict(self.session.query(f"SELECT {hour}, COUNT(*) FROM {INCOMING} GROUP BY {hour}"))
        )
        lines: dict[str, int] = dict(found)
        return [f for f in files if lines.get(f.url) != _count_within(rows, self.periods[f.key])]

    def _copy_again(self, doubtful: Sequence[SourceFile], trusted: Sequence[SourceFile]) -> int:
        """Copy files one by one, in place of all rows that are not of a trusted file's time."""
        session, names, strays = self.session, quote_columns(self.columns), 0
        session.execute(f"CREATE TEMP TABLE {ONE_FILE} (LIKE {INCOMING})")
        keep, values = in_any(self._time, [self.periods[file.key] for file in trusted])
        session.execute(f"DELETE FROM {INCOMING} WHERE {self._time} IS NULL OR NOT ({keep})", values)
        for file in doubtful:
            self._copy(replace(self._command([file]), table=ONE_FILE))
            strays += self._delete_strays(ONE_FILE, file)
            session.execute(f"INSERT INTO {INCOMING} ({names}) SELECT {names} FROM {ONE_FILE}")
            session.execute(f"DELETE FROM {ONE_FILE}")
        return strays

    def _delete_strays(self, table: str, file: SourceFile) -> int:
        outside = f"{self._time} < %(window_start)s OR {self._time} >= %(window_end)s"
        return self.session.execute(f"DELETE FROM {table} WHERE {outside}", self.periods[file.key].values)

    @property
    def _time(self) -> str:
        return quote_identifier(self.job.time_column or "")


def _count_within(rows: Counter[datetime], period: Window) -> int:
    """Count the rows of a period from those of its hours, which are naive UTC."""
    hour, end = period.values["window_start"], period.values["window_end"]
    return sum(rows[hour + timedelta(hours=n)] for n in range((end - hour) // timedelta(hours=1)))
