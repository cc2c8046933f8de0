"""Which part of a dataset's time a page of the map shows."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from definitions.dataset import Dataset
from sparkify_watch.hours import Cell, find_states
from sparkify_watch.mirror import read
from sparkify_watch.mirror.hour_records import hour_records, known_time
from sparkify_watch.page import grid
from sparkify_watch.page.grid import Grid, Pick
from sparkify_watch.page.once import Once
from sparkify_watch.subjects import subject_of
from sparkify_watch.units import Unit

_YEARS = 10
_KNOWN = Once[list[Cell]]()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one page of the map shows.

    Args:
        grid: the table.
        cells: what it shows.
        turns: what other pages are called, each with the name and the value of its parameter.
    """

    grid: Grid
    cells: Sequence[Cell]
    turns: Sequence[tuple[str, str, str]]

    @property
    def told(self) -> str:
        """What it shows, in words."""
        return grid.told(self.cells)


def make_sheet(db: sqlite3.Connection, dataset: Dataset, pick: Pick, month: str, year: str) -> Sheet:
    """Return the page of the map that is asked for, or the one with what was picked or loaded last.

    Args:
        db: the mirror.
        dataset: whose time is shown.
        pick: what is picked.
        month: as YYYY-MM.
        year: as YYYY.
    """
    now, known = _now(), known_time(db, subject_of(dataset).staging)
    shown = pick.start or (min(known[1], now) if known else now)
    if pick.unit is Unit.MONTH:
        return _years(db, dataset, pick, _parse(year, "%Y") or shown)
    if pick.unit is Unit.DAY or (year and not month):
        return _year(db, dataset, pick, _parse(year, "%Y") or shown)
    return _month(db, dataset, pick, _parse(month, "%Y-%m") or shown)


def _month(db: sqlite3.Connection, dataset: Dataset, pick: Pick, shown: datetime) -> Sheet:
    first = Unit.MONTH.begin(shown)
    last = Unit.MONTH.after(first)
    cells = _cells(db, dataset, first, last)
    turns = [(f"{at:%B %Y}", "month", f"{at:%Y-%m}") for at in (Unit.MONTH.before(first), last)]
    whole = (f"All of {first.year}", "year", str(first.year))
    return Sheet(grid.month_grid(cells, pick), cells, [*turns, whole])


def _year(db: sqlite3.Connection, dataset: Dataset, pick: Pick, shown: datetime) -> Sheet:
    first = Unit.YEAR.begin(shown)
    cells = _cells(db, dataset, first, Unit.YEAR.after(first))
    years = [str(first.year + step) for step in (-1, 1)]
    return Sheet(grid.year_grid(cells, pick), cells, [(year, "year", year) for year in years])


def _years(db: sqlite3.Connection, dataset: Dataset, pick: Pick, shown: datetime) -> Sheet:
    """Show years, the one that is asked for the last of them."""
    last = Unit.YEAR.after(Unit.YEAR.begin(shown))
    cells = _cells(db, dataset, last.replace(year=last.year - _YEARS), last)
    years = [last.year - 1 + step for step in (-_YEARS, _YEARS)]
    turns = [(f"{year - _YEARS + 1} to {year}", "year", str(year)) for year in years]
    return Sheet(grid.years_grid(cells, pick), cells, turns)


def _cells(db: sqlite3.Connection, dataset: Dataset, start: datetime, end: datetime) -> list[Cell]:
    """Return the states of some time: worked out once for all who look until something changes."""
    now, subject = _now(), subject_of(dataset)

    def find() -> list[Cell]:
        edges = Unit(dataset.interval).edges(start, end)
        return find_states(hour_records(db, subject, edges), edges, now)

    return _KNOWN.get((read.edition(db), subject, start, end, Unit.HOUR.begin(now)), find)


def tell_picked(sheet: Sheet, pick: Pick) -> str:
    """Return in words what is picked of the time that a page shows."""
    return grid.told([cell for cell in sheet.cells if pick.holds(cell)])


def _parse(text: str, form: str) -> datetime | None:
    try:
        found = datetime.strptime(text, form)  # noqa: DTZ007 - naive UTC, as in the mirror
    except ValueError:
        return None
    return found if 1000 < found.year < 9000 else None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
