"""The page of backfills and wide runs: what of them is in the tables, and how long they will take."""

from collections.abc import Callable
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
from sparkify_watch.undertakings import Undertaking, count_due, estimate, find_gaps, usual_seconds
from sparkify_watch.units import Unit

_BACKFILLS, _RUNS, _AT_ONCE, _GAPS = 10, 10, 4, 24
_LONGEST = timedelta(days=3700)

Look = Callable[[datetime, datetime], list[Cell]]

router = APIRouter()


@router.get("/{dataset}/backfills")
def backfills(dataset: ReadDataset, session: SessionDep, frame: Framed) -> Response:
    """Show the newest backfills and wide runs of a dataset."""
    unit, now = Unit(dataset.interval), datetime.now(UTC).replace(tzinfo=None)

    def look(start: datetime, end: datetime) -> list[Cell]:
        edges = unit.edges(start, end)
        return find_states(hour_records(frame.db, subject_of(dataset), edges), edges, now)

    usual = usual_seconds(list_spans(session, dataset.loaded_by))
    return frame.show(
        "backfills.html",
        f"Backfills of {dataset.name}",
        dataset,
        undertakings=[
            *_of_backfills(session, dataset, unit, look, usual),
            *_of_runs(session, dataset, unit, look),
        ],
        unit=dataset.interval,
        usual=usual,
        day=estimate(24, _AT_ONCE, (), usual) if unit is Unit.HOUR else None,
        at_once=_AT_ONCE,
        most_gaps=_GAPS,
    )


def _of_backfills(
    session: Session, dataset: Dataset, unit: Unit, look: Look, usual: float | None
) -> list[Undertaking]:
    found = []
    for record in list_backfills(session, dataset.loaded_by, _BACKFILLS):
        start, end = unit.begin(record.first), unit.after(unit.begin(record.last))
        cells = look(start, _end_to_look_at(start, end))
        left = None
        if record.left:
            spans = list_spans(session, dataset.loaded_by, record.number)
            left = estimate(record.left, record.at_once, spans, usual)
        name, said = f"Backfill {record.number}", _describe(record)
        gaps = find_gaps(cells)
        found.append(Undertaking(name, "", said, start, end, count_due(cells), gaps, left, record.left > 0))
    return found


def _of_runs(session: Session, dataset: Dataset, unit: Unit, look: Look) -> list[Undertaking]:
    runs = list_wide_runs(session, dataset.loaded_by, 10 * _RUNS)
    usual = usual_seconds(
        (run.began, run.ended) for run in runs if run.began and run.ended and run.state == "success"
    )
    found = []
    for run in [run for run in runs if run.end > unit.after(run.start)][:_RUNS]:
        start = unit.begin(run.start)
        cells = look(start, _end_to_look_at(start, run.end))
        left = _estimate_run(run, usual)
        is_under_way = run.state in UNDER_WAY
        said, gaps = f"Airflow says: {run.state}", find_gaps(cells)
        found.append(
            Undertaking("Run", run.run_id, said, start, run.end, count_due(cells), gaps, left, is_under_way)
        )
    return found


def _estimate_run(run: WideRun, usual: float | None) -> timedelta | None:
    if usual is None or run.state not in UNDER_WAY:
        return None
    since = run.began or datetime.now(UTC).replace(tzinfo=None)
    return max(timedelta(), since + timedelta(seconds=usual) - datetime.now(UTC).replace(tzinfo=None))


def _end_to_look_at(start: datetime, end: datetime) -> datetime:
    """Return the end, or an earlier one: the page looks at ten years of a backfill at most."""
    return min(end, start + _LONGEST)


def _describe(record: BackfillRecord) -> str:
    runs = ", ".join(f"{count} {state}" for state, count in sorted(record.states.items())) or "none"
    if record.completed:
        return f"Airflow says: complete since {record.completed:%Y-%m-%d %H:%M} UTC; its runs: {runs}"
    return f"Airflow says: {'paused' if record.is_paused else 'in progress'}; its runs: {runs}"
