"""Which chart an answer becomes."""

from datetime import datetime

from sparkify_watch import charts
from sparkify_watch.mirror.answers import Answer


def draw_answer(answer: Answer) -> str:
    """Return the chart of an answer as SVG, or an empty text where there is nothing to draw."""
    if answer.chart is None or not set(answer.chart) <= set(answer.columns):
        return ""
    value, label = (answer.columns.index(name) for name in answer.chart)
    drawn = [row for row in answer.rows if isinstance(row[value], int | float)]
    if not drawn:
        return ""
    items = [(_label(row[label]), row[value]) for row in drawn]
    title = f"{answer.title} {answer.chart[0]} by {answer.chart[1]}"
    is_scale = all(isinstance(row[label], int | float) or _is_time(row[label]) for row in drawn)
    return (charts.columns if is_scale else charts.bars)(items, title)


def _label(value: object) -> str:
    return str(value).removesuffix(" 00:00:00") if _is_time(value) else str(value)


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False
