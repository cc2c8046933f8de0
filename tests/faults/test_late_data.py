"""Files that grow, come or are mended after hours of theirs were loaded: the next run catches up."""

from typing import Any

import pytest

from tests.faults.runs import hours, moments, mostly_long
from tests.faults.world import World
from tests.records import event

BY_WINDOW = ("stage_events", "load_users", "load_time", "load_songplays")
POINTS = ("before PUBLISH 1", "after PUBLISH 1", "before DELETE 2", "after COPY 1")
DAY = moments("2018-11-15", "2018-11-16")
NEXT_DAY = moments("2018-11-16", "2018-11-17")
LATE = """
    SELECT TO_CHAR(window_start, 'DD"T"HH24:MI'), TO_CHAR(window_end, 'DD"T"HH24:MI')
    FROM ops.changes ORDER BY window_start"""
NOT_TAKEN_IN = """
    SELECT w.load_id FROM ops.changes AS w
    LEFT JOIN ops.changes_taken AS a ON a.change_load_id = w.load_id AND a.target_table = 'songplays'
    WHERE a.load_id IS NULL"""


def plays(*times: str, **fields: Any) -> list[dict[str, Any]]:
    """Plays of the 15th at times of day, an item each, so that the same time is the same play."""
    return [event(f"2018-11-15T{at}", itemInSession=int(at.replace(":", "")), **fields) for at in times]


def put_two_days(world: World, *late: dict[str, Any]) -> None:
    world.put_events("2018-11-15", [*plays("09:00:00", "10:30:00", "12:00:00"), *late])
    world.put_events("2018-11-16", [event("2018-11-16T09:00:00", sessionId=16)])


def test_a_file_that_only_grows_at_its_end_has_no_late_hour(world):
    times = [f"{hour:02}:30:00" for hour in range(8, 13)]
    for n, window in enumerate(hours("2018-11-15", range(8, 13)), start=1):
        world.put_events("2018-11-15", plays(*times[:n]))
        world.run(window)
    world.check()
    assert world.warehouse.query(LATE) == []


def test_an_event_that_comes_late_on_the_same_day_is_there_after_the_next_hours_run(world):
    world.put_events("2018-11-15", plays("09:00:00"))
    world.run(moments("2018-11-15T09", "2018-11-15T10"))
    world.put_events("2018-11-15", plays("09:00:00", "09:59:59", "10:00:00"))
    world.run(moments("2018-11-15T10", "2018-11-15T11"))
    world.check()
    assert world.warehouse.query(LATE) == [("15T09:00", "15T10:00")]
    assert world.warehouse.counts()["songplays"] == 3


@pytest.mark.parametrize("days", [pytest.param(1, marks=pytest.mark.long), 3])
def test_a_file_of_the_days_before_is_noticed_and_only_the_hours_that_differ_run_again(world, days):
    put_two_days(world)
    world.run(DAY)
    put_two_days(world, *plays("10:45:00", level="paid"))
    world.run(moments(f"2018-11-{15 + days}T09", f"2018-11-{15 + days}T10"))
    world.check()
    assert world.warehouse.query(LATE) == [("15T10:00", "15T11:00")]
    again = "SELECT target_table FROM ops.loads WHERE window_end - window_start = INTERVAL '1 hour' AND "
    again += "window_start < '2018-11-16' ORDER BY target_table"
    assert world.warehouse.query(again) == [("songplays",), ("staging_events",), ("time",), ("users",)]


def test_a_file_older_than_the_look_back_stays_as_it_was_loaded(world):
    put_two_days(world)
    world.run(DAY)
    before = world.warehouse.contents()
    put_two_days(world, *plays("10:45:00"))
    world.run(moments("2018-11-19T00", "2018-11-19T01"))
    assert world.warehouse.contents() == before


def test_hours_of_a_changed_file_that_no_run_has_loaded_stay_unloaded(world):
    put_two_days(world)
    world.run(moments("2018-11-15T09:00", "2018-11-15T10:15"))
    put_two_days(world, *plays("09:30:00", "10:14:59", "10:15:00", "13:00:00"))
    world.run(NEXT_DAY)
    world.check()
    assert world.warehouse.query(LATE) == [("15T09:00", "15T10:15")]


def test_a_file_that_comes_after_its_hours_were_loaded_as_empty_is_noticed(world):
    world.run(DAY)
    put_two_days(world)
    world.run(moments("2018-11-16T00", "2018-11-16T01"))
    world.check()
    assert world.warehouse.counts()["songplays"] == 3


def test_a_file_that_goes_and_comes_back_as_it_was_is_noticed(world):
    put_two_days(world)
    world.run(DAY)
    [key] = [key for key in world.objects if "11-15" in key]
    body = world.objects[key]
    world.delete(key)
    world.run(DAY)
    world.check()
    assert world.warehouse.counts()["songplays"] == 0
    world.put(key, body)
    world.run(NEXT_DAY)
    world.check()


def test_a_file_of_the_days_before_that_cannot_be_staged_is_kept_in_mind_until_it_is(world):
    waiting = 'SELECT line, "column", value FROM ops.rejected_rows'
    put_two_days(world)
    world.run(DAY)
    [good] = [body for key, body in world.objects.items() if "11-15" in key]
    put_two_days(world, {**plays("10:45:00")[0], "sessionId": "twelve"})
    for hour in ("09", "10"):
        world.run(moments(f"2018-11-16T{hour}", f"2018-11-16T{int(hour) + 1}"))
        assert world.warehouse.query(waiting) == [(4, "session_id", "twelve")]
    assert world.warehouse.counts()["songplays"] == 4
    [key] = [key for key in world.objects if "11-15" in key]
    world.put(key, good)
    world.run(DAY)
    assert world.warehouse.query(waiting) == []
    world.check()


def test_a_file_of_the_days_before_that_has_gone_takes_nothing_with_it(world):
    put_two_days(world)
    world.run(DAY)
    world.source.s3.delete_object(Bucket=world.source.bucket, Key=next(iter(world.objects)))
    world.run(NEXT_DAY)
    world.check()
    assert world.warehouse.counts()["songplays"] == 4


def test_an_event_that_is_taken_out_of_a_file_takes_its_play_and_its_users_level_with_it(world):
    put_two_days(world, *plays("13:00:00", level="paid"), *plays("14:00:00", userId="7"))
    world.run(DAY)
    put_two_days(world)
    world.run(moments("2018-11-16T20", "2018-11-16T21"))
    world.check()
    assert world.warehouse.query("SELECT user_id, level FROM users") == [(1, "free")]


@pytest.mark.parametrize("task", mostly_long(BY_WINDOW[1:], "load_users"))
def test_late_hours_that_a_dead_run_staged_are_loaded_by_the_next_run_of_any_hour(world, task):
    put_two_days(world)
    world.run(DAY)
    put_two_days(world, *plays("10:45:00", userId="9"))
    world.start(moments("2018-11-16T00", "2018-11-16T01"), kill=f"{task} before LOCK 1").die()
    world.run(moments("2018-11-16T09", "2018-11-16T10"))
    world.check()
    assert world.warehouse.query(NOT_TAKEN_IN) == []


@pytest.mark.parametrize("point", mostly_long(POINTS, "after PUBLISH 1"))
def test_a_run_that_dies_while_it_stages_late_hours_loses_none(world, point):
    put_two_days(world)
    world.run(DAY)
    put_two_days(world, *plays("10:45:00", "12:10:00"))
    window = moments("2018-11-16T00", "2018-11-16T01")
    world.start(window, kill=f"stage_events {point}").die()
    world.run(window)
    world.check()


def test_plays_of_late_hours_wait_for_their_users_and_moments(world):
    put_two_days(world)
    world.run(DAY)
    put_two_days(world, *plays("10:45:00", userId="9"))
    window = moments("2018-11-16T00", "2018-11-16T01")
    world.run(window, tasks=("stage_events",))
    world.run(window, tasks=("load_users", "load_songplays"))
    assert world.warehouse.counts()["songplays"] == 3
    world.run(window, tasks=("load_time", "load_songplays"))
    world.check()


@pytest.mark.parametrize("task", mostly_long(BY_WINDOW, "load_songplays"))
def test_two_runs_that_notice_the_same_late_file_at_once_are_one(world, task):
    put_two_days(world)
    world.run(DAY)
    put_two_days(world, *plays("10:45:00", userId="9"))
    first = world.start(moments("2018-11-16T00", "2018-11-16T02"), pause=(f"{task} before LOCK 1",))
    first.wait_at(f"{task} before LOCK 1")
    second = world.start(moments("2018-11-16T01", "2018-11-16T03"))
    world.wait_until_blocked(second)
    first.go()
    first.finish()
    second.finish()
    world.check()
    assert world.warehouse.query(NOT_TAKEN_IN) == []


def test_a_late_file_that_changes_once_more_while_it_is_staged_is_staged_as_it_is_now(world):
    put_two_days(world)
    world.run(DAY)
    put_two_days(world, *plays("10:45:00"))
    slow = world.start(NEXT_DAY, pause=("stage_events after COPY 1",))
    slow.wait_at("stage_events after COPY 1")
    put_two_days(world, *plays("10:46:00"))
    slow.go()
    slow.finish()
    world.check()


STRAY = event("2018-11-15T09:00:00", itemInSession=9)


@pytest.mark.parametrize("back", [[], [event("2018-11-17T11:00:00", itemInSession=8)]])
def test_an_event_in_another_days_file_is_left_out_by_wide_and_by_narrow_windows(world, back):
    world.put_events("2018-11-15", [event("2018-11-15T10:00:00"), *back])
    world.put_events("2018-11-16", [])
    world.put_events("2018-11-17", [event("2018-11-17T10:00:00"), STRAY, STRAY])
    for day in (15, 16, 17):
        world.run(moments(f"2018-11-{day}", f"2018-11-{day + 1}"))
        world.check()
    rejected = "SELECT SUM(rows_rejected) FROM ops.loads WHERE target_table = 'staging_events'"
    assert world.warehouse.query(rejected) == [(2 + len(back),)]
    world.empty_tables()
    world.run(moments("2018-11-15", "2018-11-18"))
    world.check()
    assert world.warehouse.query(rejected) == [(2 + len(back),)]


def test_events_that_two_days_have_of_each_other_in_equal_numbers_are_left_out(world):
    world.put_events("2018-11-15", [event("2018-11-16T10:00:00")])
    world.put_events("2018-11-16", [event("2018-11-15T10:00:00", itemInSession=1)])
    world.run(moments("2018-11-15", "2018-11-17"))
    world.check()
    assert world.warehouse.counts()["songplays"] == 0
