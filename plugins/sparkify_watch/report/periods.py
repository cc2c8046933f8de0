"""How many rows of each day, or of each month, the tables hold: the one thing that no mirror knows."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from definitions.dataset import Dataset
from sparkify.failures import describe
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import quote_identifier, quote_table

Periods = Sequence[tuple[str, float]]
"""Days as 2018-11-15 or months as 2018-11, oldest first, each with its number of rows."""

_MOST_DAYS = 62
_MISSING = "42P01"


def count_periods(session: Session, dataset: Dataset) -> dict[str, Periods]:
    """Return the rows of each period of the tables that are loaded window by window, by table."""
    return {table: _count(session, table, dataset.window_column) for table in dataset.window_loads}


def _count(session: Session, table: str, column: str) -> Periods:
    day = f"CAST({quote_identifier(column)} AS DATE)"
    sql = f"SELECT {day} AS day, COUNT(*) FROM {quote_table(table)} GROUP BY 1 ORDER BY 1"  # noqa: S608 - quoted
    try:
        rows = session.ask(sql)
    except Exception as error:
        failure = describe(error)
        if failure is None or failure.sqlstate != _MISSING:
            raise
        return []
    return in_periods([(day, count) for day, count in rows if day is not None])


def in_periods(days: Sequence[tuple[date, int]]) -> Periods:
    """Return the rows of days, oldest first, by day or, where that were too many to draw, by month."""
    if len(days) <= _MOST_DAYS and any(day.day != 1 for day, _ in days):
        return [(day.isoformat(), float(count)) for day, count in days]
    months: Counter[str] = Counter()
    for day, count in days:
        months[f"{day:%Y-%m}"] += count
    return [(month, float(count)) for month, count in months.items()]
