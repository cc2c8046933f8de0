"""What the ledger knows of files that vanish and come while runs overlap, and of runs that die half-way."""

import pytest

from tests.faults.runs import moments, mostly_long
from tests.faults.test_late_data import DAY, LATE, NOT_TAKEN_IN, plays
from tests.faults.world import World

NINE = moments("2018-11-15T09", "2018-11-15T10")
TEN = moments("2018-11-15T10", "2018-11-15T11")
LATER = moments("2018-11-16T00", "2018-11-16T01")
KEY = "log_data/2018/11/2018-11-15-events.json"


def two_runs_meet(world: World, *, is_known: bool) -> None:
    """One run finds no file for ten o'clock; it comes, and a run of nine o'clock stages it meanwhile."""
    events = plays("09:10:00", "10:10:00", "10:20:00")
    if is_known:
        world.put_events("2018-11-15", events)
        world.run(moments("2018-11-15T09", "2018-11-15T11"))
        world.delete(KEY)
    without_file = world.start(TEN, pause=("stage_events before LOCK 1",))
    without_file.wait_at("stage_events before LOCK 1")
    world.put_events("2018-11-15", events)
    with_file = world.start(NINE, pause=("stage_events before LOCK 1",))
    with_file.wait_at("stage_events before LOCK 1")
    without_file.go()
    without_file.finish()
    with_file.go()
    with_file.finish()


@pytest.mark.parametrize("is_known", [True, False])
def test_a_file_that_comes_while_another_run_stages_its_hours_as_empty_is_staged_whole(world, is_known):
    two_runs_meet(world, is_known=is_known)
    world.run(LATER)
    world.check()
    assert world.warehouse.counts()["songplays"] == 3


@pytest.mark.parametrize("task", mostly_long(("load_users", "load_time", "load_songplays"), "load_songplays"))
def test_a_run_that_dies_before_it_has_loaded_its_own_changed_hours_is_completed_by_any_other(world, task):
    world.put_events("2018-11-15", plays("09:10:00", "10:10:00"))
    world.run(DAY)
    world.put_events("2018-11-15", plays("09:10:00", "09:40:00", "10:10:00", userId="9"))
    world.start(NINE, kill=f"{task} before LOCK 1").die()
    world.run(LATER)
    world.check()
    assert world.warehouse.query(NOT_TAKEN_IN) == []


def test_a_bad_file_of_an_earlier_day_does_not_keep_new_hours_out(world):
    world.put_events("2018-11-15", plays("09:10:00"))
    world.run(DAY)
    good = world.objects[KEY]
    world.source.put(KEY, good + b'{"ts": "yesterday"}\n')
    world.put_events("2018-11-16", [{**plays("09:00:00")[0], "ts": 1542326400000}])
    world.run(LATER)
    assert world.warehouse.counts()["songplays"] == 2
    assert "2018-11-15" not in str(world.warehouse.query(LATE))
    world.put_events("2018-11-15", plays("09:10:00", "09:40:00"))
    world.run(LATER)
    world.check()
    assert world.warehouse.query(LATE) == [("15T09:00", "15T10:00")]
