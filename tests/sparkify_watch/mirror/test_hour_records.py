"""What is read of the mirror for a stretch of time, and nothing of other datasets and other times."""

import itertools
from datetime import datetime, timedelta

import pytest

from sparkify_watch.hours import State, find_states
from sparkify_watch.mirror.hour_records import Subject, hour_records, known_time
from sparkify_watch.mirror.schema import stamp
from sparkify_watch.units import Unit

DAY = datetime(2018, 11, 15)
NOW = datetime(2018, 12, 24)
HOUR = timedelta(hours=1)
SUBJECT = Subject(
    name="music",
    staging="staged",
    targets=("plays",),
    tables=("staged", "plays"),
    key_pattern="%Y-%m-%d.json",
    timeless={"all plays"},
)
_numbers = itertools.count()


class Mirror:
    """A mirror in which records are written down one by one, each a minute after the one before."""

    def __init__(self, store):
        self.store, self.now = store, datetime(2018, 12, 1)

    def add(self, table, **values):
        self.now += timedelta(minutes=1)
        values = {
            name: stamp(value) if isinstance(value, datetime) else value for name, value in values.items()
        }
        columns, places = ", ".join(values), ", ".join("?" for _ in values)
        with self.store.writing() as db:
            db.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", tuple(values.values()))

    def load(self, table, first, last) -> str:
        load_id = f"load {next(_numbers)}"
        ends = {"window_start": DAY + first * HOUR, "window_end": DAY + last * HOUR}
        began = self.now + timedelta(minutes=1)
        self.add("loads", load_id=load_id, target_table=table, started_at=began, finished_at=began, **ends)
        return load_id

    def loaded(self, first, last):
        for table in ("staged", "plays"):
            self.load(table, first, last)

    def result(self, status, first, last, **given):
        values = {
            "check_name": "plays",
            "table_name": "plays",
            "severity": "error",
            "owner": "music",
            **given,
        }
        ends = {"window_start": DAY + first * HOUR, "window_end": DAY + last * HOUR}
        self.add(
            "quality_results", status=status, checked_at=self.now + timedelta(minutes=1), **ends, **values
        )

    def states(self, first, last):
        edges = Unit.HOUR.edges(DAY + first * HOUR, DAY + last * HOUR)
        with self.store.reading() as db:
            return [str(cell.state) for cell in find_states(hour_records(db, SUBJECT, edges), edges, NOW)]


@pytest.fixture
def mirror(store):
    return Mirror(store)


def test_loads_count_that_touch_the_time(mirror):
    mirror.loaded(0, 2)
    mirror.loaded(4, 5)
    mirror.load("staged", 2, 4)
    mirror.load("elsewhere", 5, 6)
    assert mirror.states(1, 6) == ["loaded", "late", "late", "loaded", "missing"]
    assert mirror.states(5, 6) == ["missing"]


def test_a_change_waits_for_every_follower_that_was_ever_seen(mirror):
    mirror.loaded(0, 3)
    old, new = mirror.load("staged", 0, 1), mirror.load("staged", 1, 2)
    for number, change in enumerate((old, new)):
        ends = {"window_start": DAY + number * HOUR, "window_end": DAY + (number + 1) * HOUR}
        mirror.add("changes", source_table="staged", load_id=change, **ends)
        mirror.add("changes_taken", target_table="plays", change_load_id=change, load_id="x")
    mirror.add("changes_taken", target_table="users", change_load_id=old, load_id="x")
    assert mirror.states(0, 3) == ["loaded", "late", "loaded"]
    assert mirror.states(1, 3) == ["late", "loaded"]


def test_bad_results_of_severity_error_count_until_a_good_one_over_the_hour(mirror):
    mirror.loaded(0, 5)
    mirror.result("failed", 0, 1, severity="warn")
    mirror.result("failed", 0, 1, table_name="others", owner="another")
    mirror.result("failed", 1, 4)
    mirror.result("error", 3, 5, check_name="of a view", table_name="view")
    mirror.result("passed", 0, 2)
    assert mirror.states(0, 5) == ["loaded", "loaded", "failed", "failed", "failed"]


def test_a_check_of_all_rows_is_made_good_by_its_next_result_whatever_its_window(mirror):
    mirror.loaded(0, 3)
    mirror.result("failed", 0, 1, check_name="all plays")
    mirror.result("failed", 1, 2)
    mirror.result("passed", 2, 3, check_name="all plays")
    mirror.result("passed", 2, 3)
    assert mirror.states(0, 3) == ["loaded", "failed", "loaded"]


def test_a_missing_file_is_no_source_and_one_of_another_table_says_nothing(mirror):
    mirror.add("staged_files", dataset="staged", key="2018-11-15.json", etag="", staged_at=mirror.now)
    mirror.loaded(0, 1)
    mirror.add("staged_files", dataset="elsewhere", key="2018-11-15.json", etag="e", staged_at=mirror.now)
    assert mirror.states(0, 1) == ["no source"]
    mirror.add("staged_files", dataset="staged", key="2018-11-15.json", etag="e", staged_at=mirror.now)
    assert mirror.states(0, 1) == ["loaded"]


def test_what_was_forgotten_is_known_of_the_staging_table_and_of_the_loads(mirror):
    mirror.load("plays", 0, 1)
    mirror.add("retention", dataset="staged", forgotten_before=DAY + HOUR, load_id="x")
    assert mirror.states(0, 2) == ["loaded", "missing"]
    mirror.load("staged", 1, 2)
    assert mirror.states(0, 2) == ["loaded", "late"]
    mirror.add("retention", dataset="ops.loads", forgotten_before=NOW, load_id="x")
    assert mirror.states(0, 2) == ["loaded", "loaded"]


def test_the_time_that_is_known_is_that_of_staged_windows(mirror):
    with mirror.store.reading() as db:
        assert known_time(db, "staged") is None
    mirror.loaded(3, 9)
    mirror.load("staged", 7, 8)
    with mirror.store.reading() as db:
        assert known_time(db, "staged") == (DAY + 3 * HOUR, DAY + 7 * HOUR)


def test_a_state_is_a_word(mirror):
    assert mirror.states(0, 1) == [State.MISSING]
