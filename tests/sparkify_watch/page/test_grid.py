"""What a click on the map leads to, and which squares its pages have."""

import itertools
from datetime import datetime, timedelta

import pytest

from sparkify_watch.hours import Cell, State
from sparkify_watch.page.grid import Pick, count, month_grid, told, year_grid, years_grid
from sparkify_watch.units import Unit

DAY = datetime(2018, 11, 15)
HOUR = timedelta(hours=1)


def cells(unit: Unit, start: datetime, end: datetime, state: State = State.LOADED) -> list[Cell]:
    edges = unit.edges(start, end)
    return [Cell(a, b, state) for a, b in itertools.pairwise(edges)]


def hour(number: int) -> Cell:
    return Cell(DAY + number * HOUR, DAY + (number + 1) * HOUR, State.MISSING)


NOTHING = Pick(Unit.HOUR)


@pytest.mark.parametrize("clicked", [(5, 7), (7, 5)], ids=["forwards", "backwards"])
def test_two_clicks_pick_a_range_with_both_ends_and_a_third_begins_another(clicked):
    first, last = map(hour, clicked)
    one = NOTHING.click(first)
    assert one.window == (first.start, first.end)
    both = one.click(last)
    assert both.window == (hour(5).start, hour(7).end)
    assert [both.holds(hour(n)) for n in (4, 5, 6, 7, 8)] == [False, True, True, True, False]
    assert both.click(hour(2)) == Pick(Unit.HOUR, hour(2).start)


def test_the_same_square_twice_is_a_range_of_one():
    assert NOTHING.click(hour(3)).click(hour(3)).window == (hour(3).start, hour(3).end)


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ("2018-11-15T05:00", "2018-11-15T08:00", (hour(5).start, hour(7).end)),
        ("2018-11-15T08:00", "2018-11-15T05:00", (hour(5).start, hour(7).end)),
        ("2018-11-15T05:20", "2018-11-15T06:01", (hour(5).start, hour(6).end)),
        ("2018-11-15T06:00+01:00", "", (hour(5).start, hour(5).end)),
        ("2018-11-15T05:00", "2018-11-15T05:00", (hour(5).start, hour(5).end)),
        ("2018-11-15T05:00", "soon", (hour(5).start, hour(5).end)),
        ("", "2018-11-15T05:00", None),
        ("<b>", "", None),
        ("0001-01-01T00:00", "", None),
        ("9999-12-31T23:00", "", None),
    ],
)
def test_an_address_picks_whole_hours_or_nothing(start, end, window):
    assert Pick.of(Unit.HOUR, start, end).window == window


@pytest.mark.parametrize("unit", [Unit.HOUR, Unit.DAY, Unit.MONTH])
def test_what_is_picked_is_the_same_after_its_own_address(unit):
    pick = Pick.of(unit, "2018-11-15T05:00", "2019-02-03T00:00")
    assert Pick.of(unit, **pick.parameters) == pick
    assert pick.address("year", "2018").startswith("?year=2018&start=")
    assert pick.cleared == ("?month=2018-11" if unit is Unit.HOUR else "?year=2018")


def test_a_month_has_a_row_for_each_day_and_a_column_for_each_hour():
    grid = month_grid(cells(Unit.HOUR, datetime(2018, 11, 1), datetime(2018, 12, 1)), NOTHING)
    assert len(grid.rows) == 30
    assert {len(squares) for _, squares in grid.rows} == {len(grid.columns)} == {24}
    heading, squares = grid.rows[14]
    assert heading == "15 Thu"
    assert squares[5].label == "15 Nov 2018 05:00: loaded"
    assert squares[5].href == "?month=2018-11&start=2018-11-15T05%3A00"


def test_a_year_has_a_square_for_each_day_with_its_worst_hour_which_leads_to_the_month():
    hours = cells(Unit.HOUR, datetime(2020, 1, 1), datetime(2021, 1, 1))
    hours[5] = hours[5]._replace(state=State.FAILED)
    hours[6] = hours[6]._replace(state=State.MISSING)
    grid = year_grid(hours, Pick(Unit.HOUR, DAY))
    days = [[square for square in squares if square] for _, squares in grid.rows]
    assert [len(found) for found in days] == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert {len(squares) for _, squares in grid.rows} == {31}
    first = days[0][0]
    assert (first.cell.state, first.label) == (
        State.FAILED,
        "01 Jan: 1 failed quality, 1 missing, 22 loaded",
    )
    assert first.href == "?month=2020-01&start=2018-11-15T00%3A00#d1"


def test_days_of_a_dataset_that_is_loaded_by_the_day_are_picked():
    days = cells(Unit.DAY, datetime(2018, 1, 1), datetime(2019, 1, 1))
    grid = year_grid(days, Pick(Unit.DAY))
    assert grid.rows[1][1][0].href == "?year=2018&start=2018-02-01T00%3A00"


def test_years_have_a_square_for_each_month():
    grid = years_grid(cells(Unit.MONTH, datetime(2017, 1, 1), datetime(2019, 1, 1)), Pick(Unit.MONTH))
    assert [heading for heading, _ in grid.rows] == ["2017", "2018"]
    assert {len(squares) for _, squares in grid.rows} == {len(grid.columns)} == {12}
    assert grid.rows[1][1][10].label == "November 2018: loaded"


def test_counts_begin_with_what_wants_a_look():
    found = [hour(1), hour(2), hour(3)._replace(state=State.FAILED)]
    assert list(count(found).items()) == [(State.FAILED, 1), (State.MISSING, 2)]
    assert told(found) == "1 failed quality, 2 missing"
