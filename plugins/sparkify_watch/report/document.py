"""The report's text, out of a mirror."""

import sqlite3
from collections.abc import Iterable, Sequence
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

_HERE = Path(__file__).parent
_STYLES = (_HERE.parent / "page" / "static" / "warehouse.css", _HERE / "report.css")
_TEMPLATES = make_environment(_HERE / "templates")

_RESULTS = 48
_REASONS = 10
_REJECTED = read.Place(size=100)


@dataclass(frozen=True, slots=True)
class Part:
    """What the report says of a dataset.

    Args:
        dataset: which.
        tables: those that analysts read.
        growth: a chart of each that was loaded.
        checks: each with the chart of its last results.
        rejected: how many rows are on record as rejected.
        reasons: a chart of why.
        rows: the newest of them.
        answers: to the analysts' questions, each with its chart or an empty text.
    """

    dataset: Dataset
    tables: Sequence[read.TableState]
    growth: Sequence[Markup]
    checks: Sequence[tuple[read_quality.Check, Markup]]
    rejected: int
    reasons: Markup
    rows: Sequence[read_files.RejectedRow]
    answers: Sequence[tuple[Answer, Markup]]


def write(db: sqlite3.Connection, datasets: Iterable[Dataset]) -> str:
    """Return the report as one HTML document, which needs no script and no file beside it.

    Args:
        db: a mirror that was refreshed.
        datasets: in the order in which they are shown.
    """
    style = "".join(path.read_text("utf-8") for path in _STYLES)
    return _TEMPLATES.get_template("report.html").render(
        at=read.picture(db).at, style=_ours(style), parts=[_part(db, dataset) for dataset in datasets]
    )


def _part(db: sqlite3.Connection, dataset: Dataset) -> Part:
    tables = read.table_states(db, dataset.published)
    return Part(
        dataset=dataset,
        tables=tables,
        growth=[_draw_growth(table, points) for table in tables if (points := history.growth(db, table))],
        checks=[(c, draw_results(c.results)) for c in read_quality.checks(db, dataset.name, _RESULTS)],
        rejected=read_files.count_rejected(db, dataset.name),
        reasons=_draw_reasons(history.reasons(db, dataset.name)),
        rows=read_files.rejected_rows(db, dataset.name, at=_REJECTED).items,
        answers=[(answer, _ours(draw_answer(answer))) for answer in answers_of(db, dataset)],
    )


def _draw_growth(table: read.TableState, points: Sequence[tuple[datetime, float]]) -> Markup:
    return _ours(charts.lines({table.name: points}, f"Rows of {table.name}, by the time of the load"))


def _draw_reasons(reasons: Sequence[tuple[str, float]]) -> Markup:
    return _ours(charts.bars(reasons[:_REASONS], "Rejected rows, by reason"))


def _ours(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - written by us, and what others wrote is escaped there
