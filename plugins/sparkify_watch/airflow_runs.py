"""What Airflow's database has on record of the backfills and runs of a DAG; a web server may read it.

Airflow's REST API would say the same, in several answers and a tenth of a second each.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow.models.backfill import Backfill
from airflow.models.dagrun import DagRun
from sqlalchemy import func, select
from sqlalchemy.orm import Session

UNDER_WAY = frozenset({"queued", "running"})
_PACE_RUNS = 100


@dataclass(frozen=True, slots=True)
class BackfillRecord:
    """A backfill.

    Args:
        number: Airflow's id of it.
        first: the first logical date, naive UTC as all times here.
        last: the last one.
        at_once: how many of its runs go side by side.
        is_paused: no run of it is started.
        created: when somebody asked for it.
        completed: when Airflow called it complete, or None.
        states: how many of its runs are in each state.
    """

    number: int
    first: datetime
    last: datetime
    at_once: int
    is_paused: bool
    created: datetime
    completed: datetime | None
    states: Mapping[str, int]

    @property
    def left(self) -> int:
        """How many of its runs have not ended."""
        return sum(count for state, count in self.states.items() if state in UNDER_WAY)


@dataclass(frozen=True, slots=True)
class WideRun:
    """A run that somebody has given a window.

    Args:
        run_id: its name.
        state: in Airflow's words.
        start: of the window, naive UTC as all times here.
        end: of the window.
        began: when it was started, None while it is queued.
        ended: when it has ended, or None.
    """

    run_id: str
    state: str
    start: datetime
    end: datetime
    began: datetime | None
    ended: datetime | None


def list_backfills(session: Session, dag_id: str, limit: int) -> list[BackfillRecord]:
    """Return the newest backfills of a DAG, newest first."""
    chosen = select(Backfill).where(Backfill.dag_id == dag_id).order_by(Backfill.id.desc()).limit(limit)
    found = session.scalars(chosen).all()
    states = _count_states(session, [each.id for each in found])
    return [
        BackfillRecord(
            each.id,
            _plain(each.from_date),
            _plain(each.to_date),
            each.max_active_runs,
            bool(each.is_paused),
            _plain(each.created_at),
            _plain(each.completed_at) if each.completed_at else None,
            states[each.id],
        )
        for each in found
    ]


def list_wide_runs(session: Session, dag_id: str, limit: int) -> list[WideRun]:
    """Return the newest runs of a DAG that were given a window, newest first."""
    columns = (DagRun.run_id, DagRun.state, DagRun.conf, DagRun.start_date, DagRun.end_date)
    chosen = select(*columns).where(DagRun.dag_id == dag_id, DagRun.run_type == "manual")
    rows = session.execute(chosen.order_by(DagRun.id.desc()).limit(limit))
    return [found for row in rows if (found := _read_wide_run(*row))]


def list_spans(session: Session, dag_id: str, backfill: int | None = None) -> list[tuple[datetime, datetime]]:
    """Return when the newest runs of one interval began and ended, of those that succeeded.

    Args:
        session: of Airflow's database.
        dag_id: of which DAG.
        backfill: only runs of this one.
    """
    chosen = select(DagRun.start_date, DagRun.end_date).where(
        DagRun.dag_id == dag_id,
        DagRun.state == "success",
        DagRun.run_type.in_(("backfill", "scheduled")),
    )
    if backfill is not None:
        chosen = chosen.where(DagRun.backfill_id == backfill)
    rows = session.execute(chosen.order_by(DagRun.id.desc()).limit(_PACE_RUNS))
    return [(_plain(start), _plain(end)) for start, end in rows if start and end]


def _count_states(session: Session, backfills: Sequence[int]) -> dict[int, Counter[str]]:
    counts = (
        select(DagRun.backfill_id, DagRun.state, func.count())
        .where(DagRun.backfill_id.in_(backfills))
        .group_by(DagRun.backfill_id, DagRun.state)
    )
    states: dict[int, Counter[str]] = {number: Counter() for number in backfills}
    for number, state, count in session.execute(counts) if backfills else ():
        states[number or 0][str(state)] += count
    return states


def _read_wide_run(
    run_id: str, state: str, conf: object, began: datetime | None, ended: datetime | None
) -> WideRun | None:
    """Return a run with its window, or None where it was given none."""
    if not isinstance(conf, Mapping):
        return None
    try:
        start, end = (_plain(datetime.fromisoformat(conf[name])) for name in ("window_start", "window_end"))
    except (KeyError, TypeError, ValueError):
        return None
    return WideRun(run_id, str(state), start, end, began and _plain(began), ended and _plain(ended))


def _plain(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
