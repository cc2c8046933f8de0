"""The report's text, out of a mirror."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from definitions.dataset import Dataset
from sparkify_watch import charts
from sparkify_watch.drawing import draw_answer
from sparkify_watch.mirror import read, read_files, read_quality
from sparkify_watch.mirror.answers import Answer, answers_of
from sparkify_watch.page.graphs import draw_results
from sparkify_watch.page.templating import make_environment
from sparkify_watch.report import history
from sparkify_watch.report.periods import Periods

_HERE = Path(__file__).parent
_STYLES = (_HERE.parent / "page" / "static" / "warehouse.css", _HERE / "report.css")
_TEMPLATES = make_environment(_HERE / "templates")

_RESULTS = 48
_REASONS = 10
_REJECTED = read.Place(size=100)


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart and what it shows."""

    caption: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class Part:
    """What the report says of a dataset.

    Args:
        dataset: which.
        tables: those that analysts read.
        over_time: rows of its tables, by their time and by the time of loads.
        checks: each with the chart of its last results.
        rejected: how many rows are on record as rejected.
        reasons: why.
        rows: the newest of them.
        answers: to the analysts' questions, each with its chart or an empty text.
    """

    dataset: Dataset
    tables: Sequence[read.TableState]
    over_time: Sequence[Figure]
    checks: Sequence[tuple[read_quality.Check, Markup]]
    rejected: int
    reasons: Figure
    rows: Sequence[read_files.RejectedRow]
    answers: Sequence[tuple[Answer, Markup]]


def write(db: sqlite3.Connection, datasets: Iterable[Dataset], periods: Mapping[str, Periods]) -> str:
    """Return the report as one HTML document, which needs no script and no file beside it.

    Args:
        db: a mirror that was refreshed.
        datasets: in the order in which they are shown.
        periods: rows of each period, by table.
    """
    style = "".join(path.read_text("utf-8") for path in _STYLES)
    parts = [_part(db, dataset, periods) for dataset in datasets]
    return _TEMPLATES.get_template("report.html").render(
        at=read.picture(db).at, style=_ours(style), parts=parts
    )


def _part(db: sqlite3.Connection, dataset: Dataset, periods: Mapping[str, Periods]) -> Part:
    tables = read.table_states(db, dataset.published)
    of_time = (_draw_periods(table.name, periods.get(table.name, ())) for table in tables)
    of_loads = (_draw_growth(table.name, history.growth(db, table)) for table in tables)
    return Part(
        dataset=dataset,
        tables=tables,
        over_time=[figure for figure in (*of_time, *of_loads) if figure],
        checks=[(c, draw_results(c.results)) for c in read_quality.checks(db, dataset.name, _RESULTS)],
        rejected=read_files.count_rejected(db, dataset.name),
        reasons=_draw_reasons(history.reasons(db, dataset.name)),
        rows=read_files.rejected_rows(db, dataset.name, at=_REJECTED).items,
        answers=[(answer, _ours(draw_answer(answer))) for answer in answers_of(db, dataset)],
    )


def _draw_periods(table: str, periods: Periods) -> Figure | None:
    if not periods:
        return None
    title = f"Rows of {table} from {periods[0][0]} to {periods[-1][0]}"
    return Figure(title, _ours(charts.columns(periods, title)))


def _draw_growth(table: str, points: Sequence[tuple[datetime, float]]) -> Figure | None:
    """Draw how a table grew, unless it was loaded only once."""
    if len(points) < 2:
        return None
    title = f"Rows of {table} after each load"
    return Figure(title, _ours(charts.lines({table: points}, title)))


def _draw_reasons(reasons: Sequence[tuple[str, float]]) -> Figure:
    title = "Rejected rows by reason"
    return Figure(title, _ours(charts.bars(reasons[:_REASONS], title)))


def _ours(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - written by us, and what others wrote is escaped there
