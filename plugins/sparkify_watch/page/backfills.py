"""The page of backfills and wide runs: what of them is in the tables, and how long they will take."""

import sqlite3
from datetime import UTC, datetime, timedelta

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from definitions.dataset import Dataset
from sparkify_watch.airflow_runs import (
    UNDER_WAY,
    BackfillRecord,
    WideRun,
    list_backfills,
    list_spans,
    list_wide_runs,
)
from sparkify_watch.hours import Cell, find_states
from sparkify_watch.mirror.hour_records import hour_records
from sparkify_watch.page.access import ReadDataset
from sparkify_watch.page.frame import Framed
from sparkify_watch.subjects import subject_of
from sparkify_watch.undertakings import Gap, Undertaking, count_due, estimate, find_gaps, usual_seconds
from sparkify_watch.units import Unit

_BACKFILLS, _RUNS, _AT_ONCE, _GAPS = 10, 10, 4, 24
# So many hours are looked at for one page: the page of each is there within half a second.
_MOST = 12_000

router = APIRouter()


class _Look:
    """Finds what is in the tables of some time, until it has looked at as much as one page may."""

    def __init__(self, db: sqlite3.Connection, dataset: Dataset) -> None:
        self._db, self._subject = db, subject_of(dataset)
        self.unit = Unit(dataset.interval)
        self.now = datetime.now(UTC).replace(tzinfo=None)
        self._left = _MOST

    def find(self, start: datetime, end: datetime) -> list[Cell] | None:
        """Return the cells from the one in which `start` lies; None where that is too much."""
        if (end - start) / timedelta(hours=1) > self._left and self.unit is Unit.HOUR:
            return None
        edges = self.unit.edges(start, end)
        self._left -= len(edges)
        return find_states(hour_records(self._db, self._subject, edges), edges, self.now)


@router.get("/{dataset}/backfills")
def backfills(dataset: ReadDataset, session: SessionDep, frame: Framed) -> Response:
    """Show the newest backfills and wide runs of a dataset."""
    look = _Look(frame.db, dataset)
    usual = usual_seconds(list_spans(session, dataset.loaded_by))
    return frame.show(
        "backfills.html",
        f"Backfills of {dataset.name}",
        dataset,
        undertakings=[
            *_of_backfills(session, dataset, look, usual),
            *_of_runs(session, dataset, look),
        ],
        unit=dataset.interval,
        usual=usual,
        day=estimate(24, _AT_ONCE, (), usual) if look.unit is Unit.HOUR else None,
        at_once=_AT_ONCE,
        most_gaps=_GAPS,
    )


def _of_backfills(session: Session, dataset: Dataset, look: _Look, usual: float | None) -> list[Undertaking]:
    found = []
    for record in list_backfills(session, dataset.loaded_by, _BACKFILLS):
        start, end = look.unit.begin(record.first), look.unit.after(look.unit.begin(record.last))
        left = None
        if record.left and not record.is_paused:
            spans = list_spans(session, dataset.loaded_by, record.number)
            left = estimate(record.left, record.at_once, spans, usual)
        name, said = f"Backfill {record.number}", _describe(record)
        due, gaps = _count(look, start, end)
        found.append(Undertaking(name, "", said, start, end, due, gaps, left, record.left > 0))
    return found


def _of_runs(session: Session, dataset: Dataset, look: _Look) -> list[Undertaking]:
    runs = list_wide_runs(session, dataset.loaded_by, 10 * _RUNS)
    spans = [(run.began, run.ended) for run in runs if run.began and run.ended and run.state == "success"]
    usual = usual_seconds(spans)
    found = []
    for run in [run for run in runs if run.end > look.unit.after(run.start)][:_RUNS]:
        due, gaps = _count(look, look.unit.begin(run.start), run.end)
        left, is_under_way = _estimate_run(run, usual, look.now), run.state in UNDER_WAY
        said = f"Airflow says: {run.state}"
        found.append(Undertaking("Run", run.run_id, said, run.start, run.end, due, gaps, left, is_under_way))
    return found


def _count(look: _Look, start: datetime, end: datetime) -> tuple[int | None, list[Gap]]:
    """Return how many hours are over, and those that are not in the tables."""
    cells = look.find(start, end)
    return (None, []) if cells is None else (count_due(cells), find_gaps(cells))


def _estimate_run(run: WideRun, usual: float | None, now: datetime) -> timedelta | None:
    if usual is None or run.state not in UNDER_WAY:
        return None
    return max(timedelta(), (run.began or now) + timedelta(seconds=usual) - now)


def _describe(record: BackfillRecord) -> str:
    runs = ", ".join(f"{count} {state}" for state, count in sorted(record.states.items())) or "none"
    if record.completed:
        return f"Airflow says: complete since {record.completed:%Y-%m-%d %H:%M} UTC; its runs: {runs}"
    return f"Airflow says: {'paused' if record.is_paused else 'in progress'}; its runs: {runs}"
