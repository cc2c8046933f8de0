"""Changes of staging tables: pending for each follower until it has taken them in."""

from datetime import UTC, datetime, timedelta

import pytest

from sparkify.warehouse.changes import Change, forget, pending_changes, record_change, take_changes
from sparkify.window import Window

NINE = datetime(2020, 5, 1, 9, tzinfo=UTC)
HOUR = Window(NINE, NINE + timedelta(hours=1))
OF_HOUR, OF_FILES = Change("L1", HOUR), Change("L2", None)


@pytest.fixture
def changed(session):
    """A session of a warehouse in which an hour was staged again, and then files without a window."""
    record_change(session, "staging_orders", "L1", HOUR)
    record_change(session, "staging_orders", "L2")
    return session


def pending(session, target="orders", after=(), source="staging_orders"):
    return pending_changes(session, target, {source: after})[source]


def test_a_change_is_pending_for_each_follower_until_it_has_taken_it_in(changed):
    assert pending(changed) == [OF_HOUR, OF_FILES]
    take_changes(changed, "orders", "L9", [OF_HOUR])
    assert pending(changed) == [OF_FILES]
    assert pending(changed, "customers") == [OF_HOUR, OF_FILES]


def test_a_follower_sees_a_change_after_all_of_those_it_comes_after(changed):
    take_changes(changed, "customers", "L8", [OF_HOUR, OF_FILES])
    take_changes(changed, "shops", "L9", [OF_FILES])
    assert pending(changed, after=["customers", "shops"]) == [OF_FILES]


def test_the_windows_of_one_load_are_taken_in_together(changed):
    later = Window(HOUR.end, HOUR.end + timedelta(hours=1))
    record_change(changed, "staging_orders", "L1", later)
    assert pending(changed) == [OF_HOUR, Change("L1", later), OF_FILES]
    take_changes(changed, "orders", "L9", pending(changed)[:2])
    assert pending(changed) == [OF_FILES]
    assert changed.query("SELECT change_load_id FROM ops.changes_taken") == [("L1",)]


def test_a_table_sees_the_changes_of_what_it_follows_only(changed):
    assert pending(changed, source="staging_others") == []


def test_the_changes_of_several_tables_are_told_apart_in_one_question(changed):
    record_change(changed, "staging_others", "L3")
    take_changes(changed, "customers", "L8", [OF_FILES])
    changed.statements.clear()
    followed = {"staging_orders": ["customers"], "staging_others": [], "staging_nothing": []}
    assert pending_changes(changed, "orders", followed) == {
        "staging_orders": [OF_FILES],
        "staging_others": [Change("L3", None)],
        "staging_nothing": [],
    }
    assert len(changed.statements) == 1


def test_an_emptied_staging_table_has_no_changes_any_more(changed):
    take_changes(changed, "orders", "L9", [OF_HOUR])
    forget(changed, ["staging_orders"], ["orders", "customers"])
    assert (pending(changed), pending(changed, "customers")) == ([], [])
    assert changed.query("SELECT * FROM ops.changes_taken") == []


def test_an_emptied_target_takes_files_in_again_and_its_hours_with_the_runs_that_load_them(changed):
    take_changes(changed, "orders", "L9", [OF_HOUR, OF_FILES])
    forget(changed, ["orders"], ["orders"])
    assert pending(changed) == [OF_FILES]
