"""Loading: the rows of one SELECT into a fact or dimension table, in one transaction under the table's lock.

The SELECT runs after the lock: what it reads (a staging table) may be changed by another run at any time,
and under the lock every load of a target sees whatever was committed before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sparkify.star.audits import audit_rows
from sparkify.star.completion import Completer, Completion, Pending
from sparkify.star.job import INCOMING, LoadJob
from sparkify.star.modes import MODES, select_into
from sparkify.warehouse import changes, ledger
from sparkify.warehouse.ledger import LoadRecord
from sparkify.warehouse.retention import known_time
from sparkify.warehouse.session import Log, Session
from sparkify.window import Window, without


class Loader:
    """Brings one fact or dimension table up to date with its SELECT.

    Args:
        session: a fresh session.
        job: what to load.
        log: everything unusual.
    """

    def __init__(self, session: Session, job: LoadJob, log: Log) -> None:
        self.session = session
        self.job = job
        self.log = log
        self.columns: Sequence[str] = ()
        self.completer = Completer(session, job, log)

    def load(self) -> LoadRecord:
        """Load, take in what has changed in the tables that this one follows, and return what was done.

        Raises:
            FatalError: an audit failed; the table is as it was.
        """
        job = self.job
        record = LoadRecord(ledger.new_load_id(), job.run, job.table, ledger.utc_now(), job.window)
        pending: Pending = {}
        if job.follows and (job.window is None or any(follow.prepare for follow in job.follows)):
            pending = self._pending()
        if job.follows and job.window is None and not any(pending.values()):
            self.log.info("Nothing has changed that %s is made of.", job.table)
            return record
        ready = self.completer.prepare(pending)
        with self.session.publishing(job.table) as publication:
            record, taken = self._publish(record, ready)
            # A window without rows was loaded, too.
            if record.rows_changed or taken or job.mode == "window":
                ledger.record_load(self.session, record)
            else:
                publication.withdraw()
                self.log.info("Nothing changed: %s stays as it is.", job.table)
        if job.window and job.window.is_wide and record.rows_changed:
            self.session.analyze(job.table)
        return record

    def _publish(self, record: LoadRecord, ready: Mapping[str, Completion]) -> tuple[LoadRecord, bool]:
        """Bring rows up to date, under the lock; tell whether changes were taken in."""
        job = self.job
        self.columns = self.session.columns(job.table)
        pending = self._pending()
        # Before ops.loads is written: two loads must not meet from both sides.
        for change in filter(None, pending.values()):
            changes.take_changes(self.session, job.table, record.load_id, change)
        if job.window:
            # Before any window is loaded, which sees the changes itself.
            self.completer.complete(pending, ready)
        self.session.execute(job.copy_of_target(INCOMING))
        record = self._load_rows(job, record)
        late = without(self._find_late(pending), job.window) if job.window else []
        for window in late:
            self._load_again(window, record)
        done = self.completer
        others = [*late, *done.windows]
        return replace(record, rows_updated=done.rows, other_windows=others), any(pending.values())

    def _find_late(self, pending: Pending) -> list[Window]:
        """Return the windows that were staged again, as far as their rows are still staged."""
        late: list[Window] = []
        for source, found in pending.items():
            late += known_time(self.session, source, [change.window for change in found if change.window])
        return late

    def _pending(self) -> Pending:
        return changes.pending_changes(self.session, self.job.table, self.job.followed)

    def _load_rows(self, job: LoadJob, record: LoadRecord) -> LoadRecord:
        names = [*self.columns, *(job.lookup.columns if job.lookup else ())]
        select_into(self.session, INCOMING, names, job.query, job.values)
        what = f"The load of {job.table}"
        audit_rows(self.session, INCOMING, job.audits, what, outside=job.outside, values=job.values)
        deleted, inserted = MODES[job.mode](self.session, job, self.columns)
        return replace(record, rows_deleted=deleted, rows_inserted=inserted)

    def _load_again(self, window: Window, record: LoadRecord) -> None:
        """Load a window that was staged again since it was loaded."""
        self.session.execute(f"DELETE FROM {INCOMING}")
        # An hour may have become empty; only the run's own window has to have rows.
        audits = replace(self.job.audits, min_rows=0)
        again = LoadRecord(ledger.new_load_id(), self.job.run, self.job.table, record.started_at, window)
        again = self._load_rows(replace(self.job, window=window, audits=audits), again)
        ledger.record_load(self.session, again)
        counts = (again.rows_inserted, again.rows_deleted)
        self.log.info(
            "Late data: %s of %s loaded again, %d rows in, %d out.", window, self.job.table, *counts
        )
