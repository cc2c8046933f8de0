"""A chart of an answer, where its columns say what could be drawn."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sparkify_watch import charts

Rows = Sequence[Sequence[Any]]


def draw_answer(title: str, rows: Rows) -> str:
    """Return a chart of the first number of each row, labelled by what stands before it, or an empty text.

    Single rows, and rows of one moment each, are no figures to compare: they are left to the table.
    """
    place = _find_figures(rows)
    if place is None or len(rows) < 2:
        return ""
    before = list(zip(*rows, strict=True))[:place]
    # What is the same throughout tells no rows apart.
    telling = [column for column in before if len(set(column)) > 1]
    if not telling or any(_is_moment(value) for column in telling for value in column):
        return ""
    labels = [", ".join(str(value) for value in values) for values in zip(*telling, strict=True)]
    items = [(label, float(row[place])) for label, row in zip(labels, rows, strict=True)]
    draw = charts.columns if all(_is_number(value) for value in telling[0]) else charts.bars
    return draw(items, title)


def _find_figures(rows: Rows) -> int | None:
    """Return the place of the first column, after the first one, that holds nothing but numbers."""
    places = range(1, len(rows[0])) if rows else ()
    return next((place for place in places if all(_is_number(row[place]) for row in rows)), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_moment(value: object) -> bool:
    with suppress(ValueError):
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    return False
