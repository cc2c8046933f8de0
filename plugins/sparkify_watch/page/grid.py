"""The heat map as a table: which squares it has, what each says, and what a click on it leads to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from urllib.parse import urlencode

from sparkify_watch.hours import Cell, State, worst
from sparkify_watch.units import Unit

MARKS = {
    State.FAILED: "✕",
    State.MISSING: "○",
    State.LATE: "~",
    State.NO_SOURCE: "∅",
    State.LOADED: "✓",
    State.AHEAD: "·",
}
"""What stands in a square, so that colour is not all that tells."""

WORDS = {
    State.FAILED: "failed quality",
    State.MISSING: "missing",
    State.LATE: "late",
    State.NO_SOURCE: "no source",
    State.LOADED: "loaded",
    State.AHEAD: "not over yet",
}
"""What a square is called."""

_FORMS = {Unit.HOUR: "%d %b %Y %H:%M", Unit.DAY: "%a %d %b %Y", Unit.MONTH: "%B %Y"}


@dataclass(frozen=True, slots=True)
class Pick:
    """The range that a reader has picked of units: none, its first one, or all of it.

    Args:
        unit: what is picked.
        start: where it begins.
        end: where it ends, once both ends are picked.
    """

    unit: Unit
    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of(cls, unit: Unit, start: str, end: str) -> "Pick":
        """Return what the parameters of an address say; what is no time there is no pick."""
        first, last = _moment(start), _moment(end)
        if first is None:
            return cls(unit)
        first = unit.begin(first)
        if last is None:
            return cls(unit, first)
        begin = unit.begin(last)
        last = last if begin == last else unit.after(begin)
        return cls(unit, min(first, last), max(first, last)) if first != last else cls(unit, first)

    @property
    def window(self) -> tuple[datetime, datetime] | None:
        """The time that is picked; the first unit alone where only that is."""
        if self.start is None:
            return None
        return self.start, self.end or self.unit.after(self.start)

    def holds(self, cell: Cell) -> bool:
        """Tell whether a cell is picked."""
        return self.window is not None and self.window[0] <= cell.start and cell.end <= self.window[1]

    def click(self, cell: Cell) -> "Pick":
        """Return what a click on a cell makes of it: the other end, or the first of another range."""
        if self.start is None or self.end is not None:
            return Pick(self.unit, cell.start)
        return Pick(self.unit, min(self.start, cell.start), max(self.unit.after(self.start), cell.end))

    def address(self, name: str = "", value: str = "") -> str:
        """Return the address of a page of the map, on which the same is picked.

        Args:
            name: of the parameter that says which page it is, `month` or `year`; without it, the first page.
            value: of the parameter.
        """
        return "?" + urlencode({**({name: value} if name else {}), **self.parameters})

    @property
    def size(self) -> str:
        """How much is picked: `3 hours`."""
        number = len(self.unit.edges(*self.window)) - 1 if self.window else 0
        return f"{number:,} {self.unit}{'' if number == 1 else 's'}"

    @property
    def cleared(self) -> str:
        """The address of the page with its beginning, on which nothing is picked."""
        name, form = ("month", "%Y-%m") if self.unit is Unit.HOUR else ("year", "%Y")
        return Pick(self.unit).address(name, self.start.strftime(form) if self.start else "")

    @property
    def parameters(self) -> dict[str, str]:
        """It as parameters of an address."""
        ends = {"start": self.start, "end": self.end}
        return {name: f"{at:%Y-%m-%dT%H:%M}" for name, at in ends.items() if at}


@dataclass(frozen=True, slots=True)
class Square:
    """One cell of the table.

    Args:
        cell: what it shows.
        label: what it is called.
        href: where a click leads.
        is_picked: whether it is in the range that is picked.
    """

    cell: Cell
    label: str
    href: str
    is_picked: bool = False

    @property
    def mark(self) -> str:
        """What stands in it."""
        return MARKS[self.cell.state]

    @property
    def kind(self) -> str:
        """The class of its look."""
        return f"state-{self.cell.state.replace(' ', '-')}"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of squares.

    Args:
        caption: what it shows.
        corner: the heading above the headings of rows.
        columns: headings.
        rows: each with its heading and a square for each column, or None where there is none.
    """

    caption: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Square | None]]]


def month_grid(cells: Sequence[Cell], pick: Pick) -> Grid:
    """Return a month of hours: a row for each day, a column for each hour."""
    rows = [
        (f"{day:%d %a}", [_square(cell, pick, "month", f"{day:%Y-%m}") for cell in found])
        for day, found in groupby(cells, lambda cell: Unit.DAY.begin(cell.start))
    ]
    return Grid(f"Hours of {cells[0].start:%B %Y}, UTC", "Day", [f"{hour:02}" for hour in range(24)], rows)


def year_grid(cells: Sequence[Cell], pick: Pick) -> Grid:
    """Return a year of days: a row for each month, a column for each day.

    Args:
        cells: of days, which are picked, or of hours: each day leads to its month.
        pick: what is picked.
    """
    of_month = groupby(_days(cells, pick), lambda square: square.cell.start.month)
    rows = [
        (f"{first.cell.start:%b}", [first, *rest, *[None] * (30 - len(rest))])
        for _, (first, *rest) in of_month
    ]
    return Grid(f"Days of {cells[0].start:%Y}, UTC", "Month", [str(day) for day in range(1, 32)], rows)


def years_grid(cells: Sequence[Cell], pick: Pick) -> Grid:
    """Return years of months: a row for each year, a column for each month."""
    rows = [
        (str(year), [_square(cell, pick) for cell in found])
        for year, found in groupby(cells, lambda cell: cell.start.year)
    ]
    names = [f"{datetime(2000, month, 1, tzinfo=UTC):%b}" for month in range(1, 13)]
    return Grid("Months, UTC", "Year", names, rows)


def count(cells: Sequence[Cell]) -> dict[State, int]:
    """Return how many cells are in each state, those that want a look first."""
    counts = Counter(cell.state for cell in cells)
    return {state: counts[state] for state in State if counts[state]}


def told(cells: Sequence[Cell]) -> str:
    """Return the same in words: `20 loaded, 4 missing`."""
    return ", ".join(f"{number} {WORDS[state]}" for state, number in count(cells).items())


def _square(cell: Cell, pick: Pick, *page: str) -> Square:
    label = f"{cell.start.strftime(_FORMS[pick.unit])}: {WORDS[cell.state]}"
    is_picked = pick.holds(cell)
    href = pick.click(cell).address(*page)
    return Square(cell, f"{label}, picked" if is_picked else label, href, is_picked)


def _days(cells: Sequence[Cell], pick: Pick) -> list[Square]:
    if pick.unit is Unit.DAY:
        return [_square(cell, pick, "year", str(cell.start.year)) for cell in cells]
    squares = []
    for day, grouped in groupby(cells, lambda cell: Unit.DAY.begin(cell.start)):
        hours = list(grouped)
        cell = Cell(day, hours[-1].end, worst(hour.state for hour in hours))
        href = f"{pick.address('month', f'{day:%Y-%m}')}#d{day.day}"
        squares.append(Square(cell, f"{day:%d %b}: {told(hours)}", href))
    return squares


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    found = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    return found if 1000 < found.year < 9900 else None
