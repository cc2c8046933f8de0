"""Loading: the rows of one SELECT into a fact or dimension table, in one transaction under the table's lock.

The SELECT runs after the lock: what it reads (a staging table) may be changed by another run at any time,
and under the lock every load of a target sees whatever was committed before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sparkify.failures import FatalError
from sparkify.star.audits import audit_rows
from sparkify.star.job import CHANGED_LOADS, COMPLETED, INCOMING, Follow, LoadJob
from sparkify.star.modes import MODES, select_into
from sparkify.warehouse import changes, ledger
from sparkify.warehouse.changes import Change
from sparkify.warehouse.ledger import LoadRecord
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import named_values, split_statements
from sparkify.window import Window, without

_NAMES = "%(names)s"
_MOST_NAMES = 1000

Pending = Mapping[str, Sequence[Change]]


@dataclass(frozen=True, slots=True)
class Completion:
    """Rows to complete as they were found before the lock.

    Args:
        loads: which loads of the staging table have changed it.
        state: the state of the target that was read.
        rows: how many rows there are to complete.
    """

    loads: Sequence[str]
    state: object
    rows: int


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
        self.made: set[str] = set()

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
        ready = {
            follow.table: self._prepare(follow, pending[follow.table])
            for follow in job.follows
            if follow.prepare
        }
        with self.session.publishing(job.table) as publication:
            record, taken = self._publish(record, ready)
            if record.rows_changed or taken:
                ledger.record_load(self.session, record)
            else:
                publication.withdraw()
                self.log.info("Nothing changed: %s stays as it is.", job.table)
        if job.window and job.window.is_wide and record.rows_changed:
            self.session.analyze(job.table)
        return record

    def _publish(self, record: LoadRecord, ready: Mapping[str, Completion | None]) -> tuple[LoadRecord, bool]:
        """Bring rows up to date, under the lock; tell whether changes were taken in."""
        job = self.job
        self.columns = self.session.columns(job.table)
        pending = self._pending()
        # Before ops.loads is written: two loads must not meet from both sides.
        for change in filter(None, pending.values()):
            changes.take_changes(self.session, job.table, record.load_id, change)
        if job.window:
            # Before any window is loaded, which sees the changes itself.
            for follow in job.follows:
                self._complete(follow, pending[follow.table], ready.get(follow.table))
        self.session.execute(job.copy_of_target(INCOMING))
        record = self._load_rows(job, record)
        if job.window:
            late = [change.window for found in pending.values() for change in found if change.window]
            for window in without(late, job.window):
                self._load_again(window, record)
        return record, any(pending.values())

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

    def _prepare(self, follow: Follow, pending: Sequence[Change]) -> Completion | None:
        """Find the rows to complete, before the lock: that may take long."""
        loads = _without_window(pending)
        if not loads:
            return None
        state = self._state()
        completion = Completion(loads, state, self._find_rows(follow, loads))
        self.session.commit()
        return completion

    def _find_rows(self, follow: Follow, loads: Sequence[str]) -> int:
        self._make(CHANGED_LOADS, f"CREATE TEMP TABLE {CHANGED_LOADS} (load_id VARCHAR(64))")
        self.session.insert_rows(CHANGED_LOADS, ("load_id",), [(load_id,) for load_id in loads])
        if follow.prepare is None or follow.names is None:
            return 0
        names = [name for (name,) in self.session.query(follow.names)]
        if not names:
            return 0
        places, values = named_values("name", names)
        # So many songs have plays everywhere.
        wanted = places if len(names) <= _MOST_NAMES else follow.names.strip().rstrip(";")
        self._make(COMPLETED, self.job.copy_of_target(COMPLETED))
        return self.session.execute(follow.prepare.replace(_NAMES, wanted), values)

    def _make(self, name: str, ddl: str) -> None:
        """Make a temp table, or empty it."""
        self.session.execute(f"DELETE FROM {name}" if name in self.made else ddl)
        self.made.add(name)

    def _state(self) -> object:
        """Return what every load of the target changes."""
        sql = "SELECT COUNT(*), MAX(finished_at) FROM ops.loads WHERE target_table = %(table)s"
        return self.session.query(sql, {"table": self.job.table})

    def _complete(self, follow: Follow, pending: Sequence[Change], ready: Completion | None) -> None:
        """Complete rows loaded before with what was staged without a window."""
        loads = _without_window(pending)
        if not loads:
            return
        if follow.update is None:
            raise FatalError(
                f"{self.job.table} follows {follow.table}, which was staged without a window, and its SELECT "
                "keeps to a window: rows loaded before would never see the change. Give the Follow an update."
            )
        if ready is None or ready.loads != loads or ready.state != self._state():
            ready = Completion(loads, None, self._find_rows(follow, loads))
        updated = 0
        if ready.rows or follow.prepare is None:
            update, *others = split_statements(follow.update)
            updated = self.session.execute(update, self.job.values)
            for statement in others:
                self.session.execute(statement, self.job.values)
        counts = (len(loads), follow.table, updated, self.job.table)
        self.log.info("%d loads of %s taken in: %d rows of %s changed.", *counts)


def _without_window(pending: Sequence[Change]) -> list[str]:
    return [change.load_id for change in pending if change.window is None]
