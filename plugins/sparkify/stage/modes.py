"""How a staging table takes its rows: one class for each mode, asked by the Stager in the same words."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sparkify.failures import FatalError
from sparkify.source import SourceFile, find_keys, list_prefix
from sparkify.stage.catalogue import find_differing
from sparkify.stage.job import INCOMING, LOAD_ID, MISSING, Listing, StagingJob
from sparkify.warehouse import ledger
from sparkify.warehouse.differences import differing_hours
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table
from sparkify.window import ALL_TIME, Window, common, merge

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class Mode(ABC):
    """What is listed, which files are copied, which rows leave the table and which come."""

    job: StagingJob

    def find(self, session: Session, s3: "S3Client") -> Listing:
        """List the source, after reading what is staged of it, so that what others commit later is noticed.

        Raises:
            FatalError: nothing is there, and the job does not allow that.
        """
        listing = self._find_keys(session, s3) if self.job.key_pattern else self._find_prefix(session, s3)
        if not listing.files and listing.missing and self._must_find and not self.job.allow_empty:
            raise FatalError(
                f"{self.job.source} holds no file{self._sought}: nothing was staged into {self.job.table}. "
                "Mend bucket or prefix; where an empty source is no mistake, say so with allow_empty."
            )
        return listing

    def choose(self, listing: Listing) -> list[SourceFile]:
        """Return the files to copy."""
        return list(listing.files)

    def missing_versions(self, listing: Listing) -> list[SourceFile]:  # noqa: ARG002 - of some modes
        """Return what the ledger keeps of files that are not there."""
        return []

    def late_windows(
        self,
        session: Session,  # noqa: ARG002 - of one mode
        listing: Listing,  # noqa: ARG002
        files: Sequence[SourceFile],  # noqa: ARG002
        columns: Sequence[str],  # noqa: ARG002
    ) -> list[Window]:
        """Return the time that was staged before and is no longer what the copied files say."""
        return []

    def publish(self, session: Session, load_id: str, columns: Sequence[str]) -> tuple[int, int]:
        """Replace or add the rows, under the table's lock; return how many left and how many came."""
        return self._delete(session), self._insert(session, load_id, columns)

    @property
    def needs_files(self) -> bool:
        """Whether there is nothing to do without a file."""
        return False

    @property
    def _must_find(self) -> bool:
        return self.job.key_pattern is None

    @property
    def _sought(self) -> str:
        part = self.job.prefix or ""
        return "" if self.job.source.endswith(f"/{part}") else f" whose key begins with {part}"

    def _find_prefix(self, session: Session, s3: "S3Client") -> Listing:
        job, prefix = self.job, self.job.prefix or ""
        if self.needs_files:
            return find_differing(session, s3, job)
        known = ledger.look_up(session, job.table, job.bucket, prefix=prefix, within=job.window)
        files = list(list_prefix(s3, job.bucket, prefix))
        return Listing(files, [] if files else [prefix], known, {})

    def _find_keys(self, session: Session, s3: "S3Client") -> Listing:
        job, keys = self.job, list(self._periods())
        known = ledger.look_up(session, job.table, job.bucket, keys=keys, within=job.window)
        return Listing(*find_keys(s3, job.bucket, keys), known, {})

    def _periods(self) -> dict[str, Window]:
        pattern = self.job.key_pattern or ""
        return self.job.window.periods(pattern) if self.job.window else {pattern: ALL_TIME}

    @abstractmethod
    def _delete(self, session: Session) -> int: ...

    def _insert(self, session: Session, load_id: str, columns: Sequence[str]) -> int:
        names = quote_columns(columns)
        sql = (
            f"INSERT INTO {quote_table(self.job.table)} ({names}, {LOAD_ID})\n"
            f"SELECT {names}, CAST(%(load_id)s AS VARCHAR(64)) AS {LOAD_ID}\n{self._rows(names)}"
        )
        return session.execute(sql, {"load_id": load_id, **self._values})

    def _rows(self, names: str) -> str:  # noqa: ARG002 - of one mode
        """Return the FROM, and what follows it, of the rows to insert."""
        return f"FROM {INCOMING}"

    @property
    def _values(self) -> Mapping[str, datetime]:
        return {}


class ReplaceMode(Mode):
    """The table becomes what the files say."""

    @property
    def _must_find(self) -> bool:
        # A missing file must not empty the table.
        return True

    def _delete(self, session: Session) -> int:
        return session.execute(f"DELETE FROM {quote_table(self.job.table)}")


class AppendMode(Mode):
    """Files whose key was not staged before are added."""

    @property
    def needs_files(self) -> bool:
        """Whether there is nothing to do without a file."""
        return True

    def choose(self, listing: Listing) -> list[SourceFile]:
        """Return the new files.

        Raises:
            FatalError: a file was staged before with another content.
        """
        changed = _changed(listing)
        versions = listing.known.versions
        if again := [file for file in changed if file.key in versions]:
            before = versions[again[0].key].load_id
            raise FatalError(
                f"{again[0].url} was appended to {self.job.table} before, with another content (load "
                f"{before}): its rows would be there twice. {len(again)} files are like that; nothing was "
                "staged. Put new rows under a new key, or use mode changed_files, window or replace, which "
                "replace rows."
            )
        return changed

    def _delete(self, session: Session) -> int:  # noqa: ARG002 - as the other modes
        return 0


class ChangedFilesMode(Mode):
    """Files that are new or have changed are copied; their rows replace those of the same key."""

    @property
    def needs_files(self) -> bool:
        """Whether there is nothing to do without a file."""
        return True

    def choose(self, listing: Listing) -> list[SourceFile]:
        """Return the files whose version is not staged."""
        return _changed(listing)

    def _delete(self, session: Session) -> int:
        target = quote_table(self.job.table)
        names = map(quote_identifier, self.job.key_columns)
        same = " AND ".join(f"{target}.{name} = {INCOMING}.{name}" for name in names)
        return session.execute(f"DELETE FROM {target} USING {INCOMING} WHERE {same}")

    def _rows(self, names: str) -> str:
        # Two files may hold the same key; which one stays depends on what they say, never on their order.
        keys = quote_columns(self.job.key_columns)
        number = f"ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {names}) AS copy_number"
        return f"FROM (SELECT {names}, {number} FROM {INCOMING}) AS numbered\nWHERE copy_number = 1"


class WindowMode(Mode):
    """The rows of the run's window are replaced."""

    def within(self, window: Window) -> "WindowMode":
        """Return the same for another window."""
        return WindowMode(replace(self.job, window=window))

    def missing_versions(self, listing: Listing) -> list[SourceFile]:
        """Return an empty version of every missing file, so that one that comes is new."""
        if self.job.key_pattern is None:
            return []
        now = ledger.utc_now()
        return [SourceFile(self.job.bucket, key, MISSING, 0, now) for key in listing.missing]

    def late_windows(
        self, session: Session, listing: Listing, files: Sequence[SourceFile], columns: Sequence[str]
    ) -> list[Window]:
        """Return the time that was staged before and is no longer what the copied files say.

        A file may grow or be mended after some of its hours were staged. Because every load that copies a
        file looks at all of it, whatever is staged of a file always agrees with the version in the ledger.
        """
        around = self._staged_before(listing, files)
        if not around:
            return []
        time = self.job.time_column or ""
        hours = differing_hours(
            session, INCOMING, self.job.table, columns=columns, time_column=time, windows=around
        )
        return common([Window.of_hour(hour) for hour in hours], around)

    def _staged_before(self, listing: Listing, files: Sequence[SourceFile]) -> list[Window]:
        """Return the time, staged before, of which this load may change rows."""
        window = [self.job.window] if self.job.window else []
        if not listing.periods:
            return common(window, listing.known.windows)
        copied = [listing.periods[file.key] for file in files]
        # Of a file that has gone the window loses its rows, and all other time keeps them.
        gone = common([listing.periods[key] for key in listing.missing], window)
        return common([*copied, *gone], listing.known.windows)

    def _find_keys(self, session: Session, s3: "S3Client") -> Listing:
        """List the files of the window and, of those of the days before it, the ones that have changed."""
        job, periods = self.job, self._periods()
        if job.window is None or ALL_TIME in periods.values():
            return Mode._find_keys(self, session, s3)
        start = job.window.start - timedelta(days=job.look_back_days)
        earlier = Window(start, job.window.end).periods(job.key_pattern or "")
        around = merge([*periods.values(), *earlier.values()])
        within = Window(around[0].start, around[-1].end)
        keys = [*earlier, *periods]
        known = ledger.look_up(session, job.table, job.bucket, keys=keys, within=within)
        before = {
            key: period
            for key, period in earlier.items()
            if key not in periods and common([period], known.windows)
        }
        files, missing = find_keys(s3, job.bucket, periods)
        late = _changed(Listing(find_keys(s3, job.bucket, before)[0], (), known, {}))
        return Listing([*late, *files], missing, known, before | periods, [file.key for file in late])

    def _delete(self, session: Session) -> int:
        sql = f"DELETE FROM {quote_table(self.job.table)} WHERE {self._in_window}"
        return session.execute(sql, self._values)

    def _rows(self, names: str) -> str:  # noqa: ARG002 - as the other modes
        return f"FROM {INCOMING}\nWHERE {self._in_window}"

    @property
    def _in_window(self) -> str:
        column = quote_identifier(self.job.time_column or "")
        return f"{column} >= %(window_start)s AND {column} < %(window_end)s"

    @property
    def _values(self) -> Mapping[str, datetime]:
        return self.job.window.values if self.job.window else {}


_MODES: Mapping[str, type[Mode]] = {
    "window": WindowMode,
    "changed_files": ChangedFilesMode,
    "append": AppendMode,
    "replace": ReplaceMode,
}


def mode_of(job: StagingJob) -> Mode:
    """Return the mode of a job."""
    return _MODES[job.mode](job)


def _changed(listing: Listing) -> list[SourceFile]:
    etags = {key: version.etag for key, version in listing.known.versions.items()}
    return [file for file in listing.files if etags.get(file.key) != file.etag]
