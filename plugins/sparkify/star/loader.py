"""Loading: the rows of one SELECT into a fact or dimension table, in one transaction under the table's lock.

The SELECT runs after the lock: what it reads (a staging table) may be changed by another run at any time,
and under the lock every load of a target sees whatever was committed before it.
"""

from collections.abc import Sequence
from dataclasses import replace

from sparkify.failures import FatalError
from sparkify.star.audits import audit_rows
from sparkify.star.job import INCOMING, Follow, LoadJob
from sparkify.star.modes import MODES, select_into
from sparkify.warehouse import changes, ledger
from sparkify.warehouse.changes import Change
from sparkify.warehouse.ledger import LoadRecord
from sparkify.warehouse.retention import known_time
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import quote_table
from sparkify.window import Window, without

CHANGED_LOADS = "changed_loads"


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

    def load(self) -> LoadRecord:
        """Load, take in what has changed in the tables that this one follows, and return what was done.

        Raises:
            FatalError: an audit failed; the table is as it was.
        """
        job = self.job
        record = LoadRecord(ledger.new_load_id(), job.run, job.table, ledger.utc_now(), job.window)
        self._prepare()
        with self.session.publishing(job.table) as publication:
            record = self._load_rows(job, record)
            taken = [change for follow in job.follows for change in self._take_in(follow, record)]
            if record.rows_changed or taken:
                ledger.record_load(self.session, record)
            else:
                publication.withdraw()
                self.log.info("Nothing changed: %s stays as it is.", job.table)
        return record

    def _prepare(self) -> None:
        """Make the temp tables, before any lock is taken."""
        self.columns = self.session.columns(self.job.table)
        for name in self.job.temp_tables:
            self.session.execute(f"CREATE TEMP TABLE {name} (LIKE {quote_table(self.job.table)})")
        if any(follow.update for follow in self.job.follows):
            self.session.execute(f"CREATE TEMP TABLE {CHANGED_LOADS} (load_id VARCHAR(64))")

    def _load_rows(self, job: LoadJob, record: LoadRecord) -> LoadRecord:
        select_into(self.session, INCOMING, self.columns, job.query, job.values)
        audit_rows(self.session, INCOMING, job.audits, f"The load of {job.table}")
        deleted, inserted = MODES[job.mode](self.session, job, self.columns)
        return replace(record, rows_deleted=deleted, rows_inserted=inserted)

    def _take_in(self, follow: Follow, record: LoadRecord) -> list[Change]:
        """Take in the changes of one followed table that this table has not seen, and return them."""
        pending = changes.pending_changes(self.session, follow.table, self.job.table, follow.after)
        if not pending:
            return []
        # Before ops.loads is written: two loads must not meet from both sides.
        changes.take_changes(self.session, self.job.table, record.load_id, pending)
        if self.job.window:
            windows = [change.window for change in pending if change.window]
            for window in known_time(self.session, follow.table, without(windows, self.job.window)):
                self._load_again(window, record)
            self._complete(follow, [change for change in pending if change.window is None])
        return pending

    def _load_again(self, window: Window, record: LoadRecord) -> None:
        """Load a window that was staged again since it was loaded."""
        for name in self.job.temp_tables:
            self.session.execute(f"DELETE FROM {name}")
        # An hour may have become empty; only the run's own window has to have rows.
        audits = replace(self.job.audits, min_rows=0)
        again = LoadRecord(ledger.new_load_id(), self.job.run, self.job.table, record.started_at, window)
        again = self._load_rows(replace(self.job, window=window, audits=audits), again)
        ledger.record_load(self.session, again)
        counts = (again.rows_inserted, again.rows_deleted)
        self.log.info(
            "Late data: %s of %s loaded again, %d rows in, %d out.", window, self.job.table, *counts
        )

    def _complete(self, follow: Follow, changed: Sequence[Change]) -> None:
        """Complete rows loaded before with what was staged without a window."""
        if not changed:
            return
        if follow.update is None:
            raise FatalError(
                f"{self.job.table} follows {follow.table}, which was staged without a window, and its SELECT "
                "keeps to a window: rows loaded before would never see the change. Give the Follow an update."
            )
        self.session.execute(f"DELETE FROM {CHANGED_LOADS}")
        self.session.insert_rows(CHANGED_LOADS, ("load_id",), [(change.load_id,) for change in changed])
        updated = self.session.execute(follow.update, self.job.values)
        self.log.info(
            "%d loads of %s taken in: %d rows of %s changed.",
            len(changed),
            follow.table,
            updated,
            self.job.table,
        )
