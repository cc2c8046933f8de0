"""Staging: files are found, copied into a temp table, and published in one short transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sparkify.failures import FatalError, SourceChanged
from sparkify.source import SourceFile, find_keys, list_prefix
from sparkify.stage.catalogue import prepare_files
from sparkify.stage.copying import FileCopier, RowsError
from sparkify.stage.fields import FieldWatch
from sparkify.stage.incoming import create_incoming
from sparkify.stage.job import INCOMING, MISSING, Listing, Staged, StagingJob
from sparkify.stage.modes import Mode, WindowMode, mode_of
from sparkify.warehouse import changes, ledger, open_rows
from sparkify.warehouse.ledger import Known, LoadRecord
from sparkify.warehouse.rejected_rows import RejectedRow
from sparkify.warehouse.session import Log, Session
from sparkify.window import Window, common, without

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# So many files are sooner asked for singly than a prefix is listed.
_FEW = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """What was copied and is not yet published.

    Args:
        files: what was copied.
        columns: what they fill.
        rejected: the rows that are not in the temp table.
        late: time, staged before, that they have changed.
    """

    files: Sequence[SourceFile]
    columns: Sequence[str]
    rejected: Sequence[RejectedRow]
    late: Sequence[Window]


class Stager:
    """Brings one staging table up to date with its files: find, copy, publish.

    Args:
        session: a fresh session.
        job: what to load.
        s3: a boto3 client that lists the source and writes to the work bucket.
        log: progress and everything unusual.
    """

    def __init__(self, session: Session, job: StagingJob, s3: "S3Client", log: Log) -> None:
        self.session = session
        self.job = job
        self.s3 = s3
        self.log = log
        self.mode: Mode = mode_of(job)
        self.left_for_later: Sequence[RejectedRow] = ()
        self.record = LoadRecord(ledger.new_load_id(), job.run, job.table, ledger.utc_now(), job.window)

    def stage(self) -> Staged:
        """Find, copy and publish; return what was done.

        Raises:
            FatalError: rows could not be staged; every table is as it was.
            SourceChanged: the files changed, or another load staged other versions of them, meanwhile.
        """
        listing = self.find()
        files = self.mode.choose(listing)
        if not files and self.mode.needs_files:
            self.log.info("No new or changed file: %s stays as it is.", self.job.table)
            return Staged(self.record, (), listing.missing)
        batch = self.copy(listing, files)
        others = self.publish(listing, batch)
        if self.job.window and self.job.window.is_wide and self.record.rows_changed:
            self.session.analyze(self.job.table)
        return Staged(self.record, batch.files, listing.missing, others)

    def find(self) -> Listing:
        """List the source, and refuse a second one."""
        listing = self.mode.find(self.session, self.s3)
        # Now that the bucket was found: a mistyped one is no second source.
        self._check_source(listing.known)
        self._report_missing(listing)
        return listing

    def copy(self, listing: Listing, files: Sequence[SourceFile]) -> Batch:
        """Copy files into the temp table and prepare their rows of the ledger, before any lock is taken."""
        columns = create_incoming(self.session, self.job)
        watch = FieldWatch(self.session, self.s3, self.job, columns, self.record.load_id, self.log)
        watch.look(files, listing.known)
        files, rejected = self._copy(listing, files, columns)
        late = self.mode.late_windows(self.session, listing, files, columns)
        versions = [*files, *self.mode.missing_versions(listing)]
        prepare_files(self.session, self.s3, self.job, self.record.load_id, versions)
        self.session.commit()
        self._check_files(files)
        return Batch(files, columns, rejected, late)

    def publish(self, listing: Listing, batch: Batch) -> Sequence[Window]:
        """Bring the rows into the table and record them; return the windows that were staged again, too."""
        others = without(batch.late, self.job.window) if self.job.window else []
        if others:
            self.log.info("Late data, staged again, too: %s", ", ".join(map(str, others)))
        with self.session.publishing(self.job.table, ledger.STAGED_FILES):
            known = self._check_ledger(listing, batch.files)
            self._publish_rows(batch)
            self._publish_late(batch, others)
            self._record(batch, known)
        return others

    def _copy(
        self, listing: Listing, files: Sequence[SourceFile], columns: Sequence[str]
    ) -> tuple[Sequence[SourceFile], Sequence[RejectedRow]]:
        """Copy all files, or all but those of earlier days if these have errors; return them and bad rows."""
        copier = FileCopier(
            self.session, self.job, self.s3, self.record.load_id, columns, listing.periods, self.log
        )
        try:
            return files, copier.copy(files)
        except RowsError as error:
            rest = [file for file in files if file.key not in listing.earlier]
            if len(rest) == len(files):
                raise
            # A bad file of an earlier day must not keep new hours out; the next run looks at it again.
            self.log.warning("The files of earlier days are left for later: %s", error)
            self.left_for_later = error.rows
        self.session.rollback()
        # Under max_errors a COPY is committed before the rows that it passed over are read.
        self.session.execute(f"DROP TABLE IF EXISTS {INCOMING}")
        create_incoming(self.session, self.job)
        return rest, copier.copy(rest)

    def _publish_rows(self, batch: Batch) -> None:
        files, size = len(batch.files), sum(file.size for file in batch.files)
        self.record = replace(self.record, rows_rejected=len(batch.rejected), files=files, bytes=size)
        self.record = self._load(self.mode, self.record, batch.columns)
        if isinstance(self.mode, WindowMode):
            return
        if doubled := self.session.scalar(f"SELECT COUNT(*) FROM {INCOMING}") - self.record.rows_inserted:
            self.log.warning(
                "%d rows have the key of another in these files: of each key one is staged.", doubled
            )
        if self.record.rows_changed:
            changes.record_change(self.session, self.job.table, self.record.load_id)

    def _publish_late(self, batch: Batch, others: Sequence[Window]) -> None:
        """Stage late windows again, and tell those who follow this table of them."""
        if not isinstance(self.mode, WindowMode) or self.job.window is None:
            return
        for window in others:
            again = LoadRecord(
                ledger.new_load_id(), self.job.run, self.job.table, self.record.started_at, window
            )
            self._load(self.mode.within(window), again, batch.columns)
            changes.record_change(self.session, self.job.table, again.load_id, window)
        # Should this run die before it has loaded what it staged, another one knows what to do.
        for window in common(batch.late, [self.job.window]):
            changes.record_change(self.session, self.job.table, self.record.load_id, window)

    def _load(self, mode: Mode, record: LoadRecord, columns: Sequence[str]) -> LoadRecord:
        deleted, inserted = mode.publish(self.session, record.load_id, columns)
        record = replace(record, rows_deleted=deleted, rows_inserted=inserted)
        ledger.record_load(self.session, record)
        return record

    def _record(self, batch: Batch, known: Known) -> None:
        ledger.record_files(self.session, known.versions.values())
        if self.job.source not in known.sources:
            ledger.record_source(self.session, self.job.table, self.job.source, self.record.load_id)
        rows = [*batch.rejected, *self.left_for_later]
        open_rows.record(self.session, self.record.load_id, rows, ledger.INCOMING_FILES)

    def _check_source(self, known: Known) -> None:
        """Refuse a second source of a table: it would take the rows of the first for old ones of its own."""
        table, source = self.job.table, self.job.source
        others = [other for other in known.sources if other != source]
        if others and self.job.mode != "append":
            raise FatalError(
                f"{table} holds the rows of {others[0]}; those of {source} would replace them in mode "
                f"{self.job.mode}. Nothing was staged. Give each source a staging table of its own, or stage "
                f"both in mode append; if the source has moved, empty {table} with warehouse_reset first."
            )

    def _check_files(self, files: Sequence[SourceFile]) -> None:
        """Refuse to go on if a file was replaced since it was listed: COPY may have read either version."""
        present: Iterable[SourceFile] = ()
        if self.job.key_pattern is not None or len(files) <= _FEW:
            present, _ = find_keys(self.s3, self.job.bucket, [file.key for file in files])
        else:
            present = list_prefix(self.s3, self.job.bucket, self.job.prefix or "")
        if changed := set(files).difference(present):
            raise SourceChanged(
                f"{len(changed)} files changed while they were copied, among them {changed.pop().url}"
            )

    def _check_ledger(self, listing: Listing, files: Sequence[SourceFile]) -> Known:
        """Refuse to go on, under the lock, if another load staged other versions of the files meanwhile."""
        ours = dict.fromkeys(listing.missing, MISSING) | {file.key: file.etag for file in files}
        known = ledger.look_up(self.session, self.job.table, self.job.bucket, prepared=True)
        self._check_source(known)
        for key, now in known.versions.items():
            # The same version staged twice is no conflict, unless its rows would be appended twice.
            if now != listing.known.versions.get(key) and (
                now.etag != ours[key] or self.job.mode == "append"
            ):
                raise SourceChanged(f"Another load staged s3://{self.job.bucket}/{key} meanwhile")
        return known

    def _report_missing(self, listing: Listing) -> None:
        if missing := listing.missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            self.log.warning(
                "%d keys or prefixes do not exist in s3://%s and count as empty: %s",
                len(missing),
                self.job.bucket,
                ", ".join(missing[:3]) + more,
            )
