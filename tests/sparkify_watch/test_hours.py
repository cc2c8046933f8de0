"""The state of every hour against a reference that asks the definitions of each minute, one by one."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify_watch.hours import (
    Cell,
    Change,
    Load,
    Records,
    Result,
    State,
    Taking,
    Version,
    find_states,
    worst,
)
from sparkify_watch.units import Unit

DAY = datetime(2018, 11, 15)
LATER = datetime(2018, 12, 1)
HOUR = timedelta(hours=1)
PATTERN = "log_data/%Y-%m-%d.json"


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def seconds(number: int) -> datetime:
    return LATER + timedelta(seconds=number)


def load(table: str, start: float, end: float, when: int) -> Load:
    return Load(f"{table} {when}", table, at(start), at(end), seconds(when), seconds(when + 1))


def ask(hours: int = 3, now: datetime = LATER, **records) -> list[State]:
    given = Records(staging="staged", targets=("plays", "time"), key_pattern=PATTERN, **records)
    return [cell.state for cell in find_states(given, Unit.HOUR.edges(at(0), at(hours)), now)]


def all_loaded(start: float, end: float, when: int = 0) -> list[Load]:
    return [load(table, start, end, when + n * 2) for n, table in enumerate(("staged", "time", "plays"))]


FILE = Version("log_data/2018-11-15.json", True, seconds(1))
NO_FILE = FILE._replace(is_there=False)


def test_an_hour_is_loaded_once_every_table_of_it_is():
    loads = all_loaded(1, 2)
    assert ask(loads=loads) == [State.MISSING, State.LOADED, State.MISSING]
    assert ask(loads=loads[:-1]) == [State.MISSING, State.LATE, State.MISSING]


def test_what_a_table_loaded_before_the_hour_was_staged_does_not_count():
    loads = [load("plays", 0, 1, 0), load("time", 0, 1, 0), load("staged", 0, 1, 5)]
    assert ask(hours=1, loads=loads) == [State.LATE]


def test_an_hour_staged_in_part_is_missing_and_one_staged_in_two_parts_is_loaded():
    assert ask(hours=1, loads=all_loaded(0, 0.5)) == [State.MISSING]
    assert ask(hours=1, loads=[*all_loaded(0, 0.5), *all_loaded(0.5, 1, when=20)]) == [State.LOADED]


def test_an_hour_staged_again_unchanged_stays_loaded():
    assert ask(hours=1, loads=[*all_loaded(0, 1), load("staged", 0, 1, 50)]) == [State.LOADED]


def test_a_change_makes_an_hour_late_until_every_table_that_follows_has_taken_it_in():
    loads = [*all_loaded(0, 2), load("staged", 0, 1, 50)]
    changes = [Change("staged 50", at(0), at(1), seconds(51))]
    assert ask(2, loads=loads, changes=changes) == [State.LATE, State.LOADED]
    takings = [Taking("plays", "staged 50"), Taking("time", "staged 50")]
    assert ask(2, loads=loads, changes=changes, takings=takings[:1]) == [State.LATE, State.LOADED]
    assert ask(2, loads=loads, changes=changes, takings=takings) == [State.LOADED] * 2
    # A table that has taken in other changes of the staging table follows it, too.
    late = ask(2, loads=loads, changes=changes, takings=takings, followers=["users"])
    assert late == [State.LATE, State.LOADED]


def test_a_table_that_was_loaded_again_after_a_change_has_seen_it():
    loads = [*all_loaded(0, 1), load("staged", 0, 1, 50), load("plays", 0, 1, 60), load("time", 0, 1, 60)]
    assert ask(1, loads=loads, changes=[Change("staged 50", at(0), at(1), seconds(51))]) == [State.LOADED]


def test_a_bad_result_stands_until_a_later_one_of_the_same_check_passes_over_the_hour():
    loads = all_loaded(0, 3)
    bad = Result("unique plays", False, at(0), at(2), seconds(10))
    assert ask(loads=loads, results=[bad]) == [State.FAILED, State.FAILED, State.LOADED]
    good = bad._replace(passed=True, end=at(1), at=seconds(20))
    assert ask(loads=loads, results=[bad, good]) == [State.LOADED, State.FAILED, State.LOADED]
    other = good._replace(check="other")
    earlier = good._replace(at=seconds(5))
    assert ask(loads=loads, results=[bad, other, earlier]) == [State.FAILED, State.FAILED, State.LOADED]


def test_a_good_result_of_the_same_moment_makes_nothing_good():
    bad = Result("unique plays", False, at(0), at(1), seconds(10))
    assert ask(1, loads=all_loaded(0, 1), results=[bad._replace(passed=True), bad]) == [State.FAILED]


def test_a_table_has_what_was_staged_by_the_first_load_that_ended():
    slow = load("staged", 0, 1, 0)._replace(ended=seconds(9))
    loads = [slow, load("staged", 0, 1, 1), load("plays", 0, 1, 5), load("time", 0, 1, 5)]
    assert ask(1, loads=loads) == [State.LOADED]


def test_an_hour_without_a_file_says_so_until_the_file_has_come():
    assert ask(1, loads=all_loaded(0, 1), versions=[NO_FILE]) == [State.NO_SOURCE]
    come = FILE._replace(staged_at=seconds(90))
    assert ask(1, loads=all_loaded(0, 1), versions=[NO_FILE, come]) == [State.LOADED]


def test_an_hour_whose_file_has_gone_is_loaded_until_it_is_staged_again():
    gone = NO_FILE._replace(staged_at=seconds(90))
    loads = [*all_loaded(0, 1), *all_loaded(1, 2, when=89)]
    assert ask(2, loads=loads, versions=[FILE, gone]) == [State.LOADED, State.NO_SOURCE]


def test_time_that_was_not_over_when_it_was_loaded_is_missing_and_time_not_over_now_is_ahead():
    early = [item._replace(began=at(1.5), ended=at(1.6)) for item in all_loaded(0, 3)]
    early = [item._replace(began=item.began + n * HOUR / 5) for n, item in enumerate(early)]
    assert ask(loads=early, now=at(2.5)) == [State.LOADED, State.MISSING, State.AHEAD]


def test_what_retention_has_removed_counts_as_loaded_where_the_tables_have_it():
    tables = all_loaded(0, 2)[1:]
    assert ask(loads=tables, forgotten_before=at(1)) == [State.LOADED, State.MISSING, State.MISSING]
    assert ask(loads=tables[:1], forgotten_before=at(3)) == [State.MISSING] * 3


def test_old_loads_of_the_tables_need_not_be_on_record():
    staged = [load("staged", 0, 1, 0), load("staged", 1, 2, 50)]
    assert ask(2, loads=staged, unrecorded_before=seconds(10)) == [State.LOADED, State.LATE]


@pytest.mark.parametrize(
    ("unit", "begin", "after"),
    [
        (Unit.HOUR, datetime(2018, 11, 15, 23), datetime(2018, 11, 16)),
        (Unit.DAY, datetime(2018, 11, 15), datetime(2018, 11, 16)),
        (Unit.MONTH, datetime(2018, 11, 1), datetime(2018, 12, 1)),
        (Unit.MONTH, datetime(2018, 2, 1), datetime(2018, 3, 1)),
        (Unit.YEAR, datetime(2018, 1, 1), datetime(2019, 1, 1)),
        (Unit.YEAR, datetime(2020, 1, 1), datetime(2021, 1, 1)),
    ],
)
def test_units_follow_the_calendar(unit, begin, after):
    assert unit.after(begin) == after
    assert unit.before(after) == begin
    assert unit.begin(after - timedelta(seconds=1)) == begin


# Half hours, so that windows begin and end inside hours and at their edges.
HALVES = st.integers(-2, 14)
WINDOWS = st.tuples(HALVES, HALVES).filter(lambda ends: ends[0] < ends[1])
# Few, so that things happen at the same time.
TIMES = st.integers(0, 7)


@st.composite
def records(draw) -> Records:
    windows = draw(
        st.lists(st.tuples(st.sampled_from(["staged", "plays", "time"]), WINDOWS, TIMES), max_size=14)
    )
    loads = [load(table, a / 2, b / 2, when) for table, (a, b), when in windows]
    loads = [each._replace(ended=each.ended + timedelta(seconds=n % 4)) for n, each in enumerate(loads)]
    if draw(st.booleans()):
        loads = [
            item._replace(began=at(5), ended=at(5.2)) if n % 5 == 4 else item for n, item in enumerate(loads)
        ]
    changed = draw(st.lists(st.tuples(WINDOWS, TIMES), max_size=3))
    changes = [
        Change(f"c{n}", at(a / 2), at(b / 2), seconds(when)) for n, ((a, b), when) in enumerate(changed)
    ]
    takings = st.builds(
        Taking, st.sampled_from(["plays", "time", "users"]), st.sampled_from(["c0", "c1", "c2"])
    )
    results = st.builds(
        lambda check, passed, ends, when: Result(
            check, passed, at(ends[0] / 2), at(ends[1] / 2), seconds(when)
        ),
        st.sampled_from(["a", "b"]),
        st.booleans(),
        WINDOWS,
        TIMES,
    )
    versions = st.builds(Version, st.sampled_from(["f0", "f1"]), st.booleans(), TIMES.map(seconds))
    return Records(
        staging="staged",
        targets=draw(st.sampled_from([("plays",), ("plays", "time")])),
        loads=loads,
        changes=changes,
        takings=draw(st.lists(takings, max_size=6, unique=True)),
        followers=draw(st.sampled_from([(), ("users",), ("plays", "users")])),
        key_pattern=draw(st.sampled_from([None, "f0", "f%w"])),
        versions=draw(st.lists(versions, max_size=4, unique_by=lambda version: version.staged_at)),
        results=draw(st.lists(results, max_size=5)),
        forgotten_before=draw(st.none() | HALVES.map(lambda half: at(half / 2))),
        unrecorded_before=draw(st.none() | TIMES.map(seconds)),
    )


def covers(span, start: datetime, end: datetime) -> bool:
    return span.start <= start and span.end >= end


def reference(found: Records, start: datetime, end: datetime) -> State:
    """Work out the state of so short a time that everything covers it whole or not at all."""
    known = [item for item in found.loads if covers(item, start, end) and item.began >= end]
    staged = [item for item in known if item.table == found.staging]
    newest = {
        table: max((i.began for i in known if i.table == table), default=None) for table in found.targets
    }
    forgotten = found.forgotten_before is not None and end <= found.forgotten_before
    if not staged and not (forgotten and all(newest.values())):
        return State.MISSING
    over = [result for result in found.results if covers(result, start, end)]
    for bad in (result for result in over if not result.passed):
        if not any(r.check == bad.check and r.passed and r.at > bad.at for r in over):
            return State.FAILED
    if any(_is_late(found, staged, table, newest.get(table), start, end) for table in _followers(found)):
        return State.LATE
    return State.NO_SOURCE if staged and _has_no_file(found, staged, start) else State.LOADED


def _followers(found: Records) -> set[str]:
    return {*found.targets, *found.followers}


def _is_late(found, staged, table, newest, start, end) -> bool:
    for change in found.changes:
        is_taken = Taking(table, change.load_id) in found.takings or (newest and newest >= change.at)
        if covers(change, start, end) and not is_taken:
            return True
    if not staged or table not in found.targets:
        return False
    first = min(item.ended for item in staged)
    is_old = found.unrecorded_before and first < found.unrecorded_before
    return not is_old and (newest is None or newest < first)


def _has_no_file(found, staged, start) -> bool:
    key = start.strftime(found.key_pattern) if found.key_pattern else None
    versions = [version for version in found.versions if version.key == key]
    if not versions or max(versions, key=lambda version: version.staged_at).is_there:
        return False
    last = max(item.began for item in staged)
    return all(version.staged_at < last for version in versions if version.is_there)


@settings(derandomize=True, max_examples=120, deadline=None, database=None)
@given(records())
def test_the_states_of_hours_are_those_of_their_minutes(found):
    edges = Unit.HOUR.edges(at(0), at(6))
    now = at(5.5)
    expected = []
    for start, end in pairwise(edges):
        minutes = [start + timedelta(minutes=6 * n) for n in range(11)]
        state = worst(reference(found, a, b) for a, b in pairwise(minutes))
        is_ahead = state is State.MISSING and end > now
        expected.append(Cell(start, end, State.AHEAD if is_ahead else state))
    assert find_states(found, edges, now) == expected
