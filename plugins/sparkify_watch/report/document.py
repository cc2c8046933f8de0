"""The report's text, out of a mirror."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from definitions.dataset import Dataset
from sparkify_watch import charts
from sparkify_watch.mirror import read
from sparkify_watch.page import words
from sparkify_watch.report import history
from sparkify_watch.report.answer_chart import draw_answer

_HERE = Path(__file__).parent
_STYLES = (_HERE.parent / "page" / "static" / "warehouse.css", _HERE / "report.css")
_MOST_OUTCOMES = 48

_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(words.FILTERS)


@dataclass(frozen=True, slots=True)
class Answer:
    """An analysts' question, its answer, and a chart where one says something."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    problem: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class Part:
    """What the report says of a dataset."""

    name: str
    loaded_by: str
    tables: Sequence[read.TableState]
    growth: Sequence[Markup]
    answers: Sequence[Answer]


def write(db: sqlite3.Connection, datasets: Iterable[Dataset], at: datetime) -> str:
    """Return the report as one HTML document without script; it needs no file beside it.

    Args:
        db: a mirror.
        datasets: in the order in which they are shown.
        at: when the mirror was what the warehouse says, naive UTC.
    """
    reasons = history.count_rejected(db)
    return _TEMPLATES.get_template(
        "report.html"
    ).render(
        at=at,
        # Files of this project, not texts from elsewhere.
        style=Markup("".join(path.read_text("utf-8") for path in _STYLES)),  # noqa: S704
        parts=[_part(db, dataset) for dataset in datasets],
        checks=[(check, _strip(check)) for check in history.checks(db, _MOST_OUTCOMES)],
        most_outcomes=_MOST_OUTCOMES,
        reasons=reasons,
        reasons_chart=_drawn(charts.bars(reasons[:10], "Rejected rows by reason")),
        rejected=history.rejected(db),
    )


def _part(db: sqlite3.Connection, dataset: Dataset) -> Part:
    tables = read.table_states(db, dataset.published)
    return Part(
        dataset.name,
        dataset.loaded_by,
        tables,
        [_growth(table, points) for table in tables if (points := history.growth(db, table))],
        _answers(db, dataset.name),
    )


def _growth(table: read.TableState, points: Sequence[history.Point]) -> Markup:
    drawn = [(point.at, float(point.rows)) for point in points]
    title = f"Rows of {table.name} over time, {points[-1].rows:,} at the end"
    return _drawn(charts.lines({table.name: drawn}, title))


def _answers(db: sqlite3.Connection, dataset: str) -> list[Answer]:
    rows = db.execute(
        "SELECT name, title, columns, rows, problem FROM answers WHERE dataset = ? ORDER BY name", (dataset,)
    )
    return [_answer(*row) for row in rows]


def _answer(name: str, title: str, columns: str, rows: str, problem: str) -> Answer:
    names, values = json.loads(columns or "[]"), json.loads(rows or "[]")
    title = title or name
    return Answer(title, names, values, problem or "", _drawn(draw_answer(title, values)))


def _strip(check: history.CheckHistory) -> Markup:
    states = [
        (f"{words.minute(outcome.at)}: {outcome.status}", "passed" if outcome.is_good else "failed")
        for outcome in check.outcomes
    ]
    failed = sum(not outcome.is_good for outcome in check.outcomes)
    return _drawn(charts.strip(states, f"{check.name}: {failed} of the last {len(states)} did not pass"))


def _drawn(svg: str) -> Markup:
    """Return a chart as markup; `charts` has escaped what stands in it."""
    return Markup(svg)  # noqa: S704
