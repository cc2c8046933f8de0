"""Completing rows that were loaded before with what was staged since without a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sparkify.failures import FatalError
from sparkify.star.job import CHANGED_LOADS, COMPLETED, Follow, LoadJob
from sparkify.warehouse.changes import Change
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import Value, named_values, quote_identifier, split_statements
from sparkify.window import ALL_TIME, Window

_NAMES, _TIMES = "%(names)s", "%(times)s"
# More than that are everywhere; and a statement takes at most 32,767 bound values.
_MOST_NAMES, _MOST_TIMES = 1000, 10_000

Pending = Mapping[str, Sequence[Change]]


@dataclass(frozen=True, slots=True)
class Completion:
    """Rows to complete as they were found before the lock.

    Args:
        loads: which loads of the staging table have changed it.
        state: the state of the target that was read.
        times: the times of the rows to complete, if there are any.
    """

    loads: Sequence[str]
    state: object
    times: Sequence[Value]


class Completer:
    """Completes rows of one table.

    Args:
        session: of the load.
        job: the load; its follows say how.
        log: tells how many rows changed.

    Attributes:
        rows: how many rows it has changed.
        windows: the time that these rows are of.
    """

    def __init__(self, session: Session, job: LoadJob, log: Log) -> None:
        self.session = session
        self.job = job
        self.log = log
        self.made: set[str] = set()
        self.rows = 0
        self.windows: list[Window] = []

    def prepare(self, pending: Pending) -> dict[str, Completion]:
        """Find the rows to complete, before the lock: that may take long."""
        return {
            follow.table: self._prepare(follow, loads)
            for follow in self.job.follows
            if follow.prepare and (loads := _without_window(pending[follow.table]))
        }

    def complete(self, pending: Pending, ready: Mapping[str, Completion]) -> None:
        """Complete rows loaded before with what was staged without a window, under the lock."""
        for follow in self.job.follows:
            if loads := _without_window(pending[follow.table]):
                self._complete(follow, loads, ready.get(follow.table))

    def _prepare(self, follow: Follow, loads: Sequence[str]) -> Completion:
        state = self._state()
        completion = Completion(loads, state, self._find_rows(follow, loads))
        self.session.commit()
        return completion

    def _find_rows(self, follow: Follow, loads: Sequence[str]) -> list[Value]:
        self._make(CHANGED_LOADS, f"CREATE TEMP TABLE {CHANGED_LOADS} (load_id VARCHAR(64))")
        self.session.insert_rows(CHANGED_LOADS, ("load_id",), [(load_id,) for load_id in loads])
        if follow.prepare is None or follow.names is None:
            return []
        names = sorted({str(name) for (name,) in self.session.query(follow.names) if name is not None})
        if not names:
            return []
        places, values = named_values("name", names)
        # So many songs have plays everywhere.
        wanted = places if len(names) <= _MOST_NAMES else follow.names.strip().rstrip(";")
        self._make(COMPLETED, self.job.copy_of_target(COMPLETED, ", is_kept INTEGER"))
        self.session.execute(follow.prepare.replace(_NAMES, wanted), values)
        time = quote_identifier(self.job.time_column or "")
        return [at for (at,) in self.session.query(f"SELECT DISTINCT {time} FROM {COMPLETED}")]

    def _update(self, update: str, times: Sequence[Value]) -> int:
        places, values = named_values("time", times)
        wanted = places
        if len(times) > _MOST_TIMES:
            wanted, values = f"SELECT {quote_identifier(self.job.time_column or '')} FROM {COMPLETED}", {}
        return self.session.execute(update.replace(_TIMES, wanted), {**values, **self.job.values})

    def _make(self, name: str, ddl: str) -> None:
        """Make a temp table, or empty it."""
        self.session.execute(f"DELETE FROM {name}" if name in self.made else ddl)
        self.made.add(name)

    def _state(self) -> object:
        """Return what every load of the target changes."""
        sql = "SELECT COUNT(*), MAX(finished_at) FROM ops.loads WHERE target_table = %(table)s"
        return self.session.query(sql, {"table": self.job.table})

    def _complete(self, follow: Follow, loads: Sequence[str], ready: Completion | None) -> None:
        if follow.update is None:
            raise FatalError(
                f"{self.job.table} follows {follow.table}, which was staged without a window, and its SELECT "
                "keeps to a window: rows loaded before would never see the change. Give the Follow an update."
            )
        if ready is None or ready.loads != loads or ready.state != self._state():
            ready = Completion(loads, None, self._find_rows(follow, loads))
        updated = 0
        if ready.times or follow.prepare is None:
            update, *others = split_statements(follow.update)
            updated = self._update(update, ready.times)
            for statement in others:
                self.session.execute(statement, self.job.values)
        if updated:
            self.rows += updated
            self.windows.append(_around(ready.times))
        counts = (len(loads), follow.table, updated, self.job.table)
        self.log.info("%d loads of %s taken in: %d rows of %s changed.", *counts)


def _around(times: Sequence[Value]) -> Window:
    """Return the hours from the first to the last of the times, naive UTC; without any all of time."""
    hours = [
        at.replace(minute=0, second=0, microsecond=0, tzinfo=UTC) for at in times if isinstance(at, datetime)
    ]
    return Window(min(hours), max(hours) + timedelta(hours=1)) if hours else ALL_TIME


def _without_window(pending: Sequence[Change]) -> list[str]:
    return [change.load_id for change in pending if change.window is None]
