"""Every rule that keeps the tables right is needed: without it, a scenario that passes fails."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.mutations import MUTATIONS
from tests.faults.questions import OF_PLAYS
from tests.faults.runs import hours, moments, mostly_long
from tests.faults.story import DAY, OF_STORES, WINDOW, put_version, put_version_of_stores
from tests.faults.test_interleavings import EARLIER, LATER, overtake
from tests.faults.world import World
from tests.records import event, sale

Scenario = Callable[[World], None]


def overlapping_runs(world: World) -> None:
    """One run is overtaken while it replaces the events of a window."""
    put_version(world, 1)
    overtake(world, "stage_events before DELETE 2", EARLIER, LATER)
    world.check()


def overtaken_before_the_lock(world: World) -> None:
    """One run is overtaken when it asks for the lock."""
    put_version(world, 1)
    overtake(world, "stage_events before LOCK 1", EARLIER, LATER)
    world.check()


def crash_before_publishing(world: World) -> None:
    put_version(world, 0)
    world.start(WINDOW, kill="stage_songs before PUBLISH 1").die()
    world.run(WINDOW)
    world.check()


def the_same_window_twice(world: World) -> None:
    put_version(world, 0)
    world.run(DAY)
    world.run(DAY)
    world.check()


def the_same_event_twice(world: World) -> None:
    world.put_events("2018-11-15", [event("2018-11-15T09:00:00")] * 2)
    world.run(DAY)
    world.check()


def hours_backwards(world: World) -> None:
    levels = ["free", "paid", "free"]
    events = [event(f"2018-11-15T{9 + n:02}:00:00", level=level) for n, level in enumerate(levels)]
    world.put_events("2018-11-15", events)
    for window in hours("2018-11-15", (11, 10, 9)):
        world.run(window)
    world.check()


def overtaken_by_a_newer_file(world: World) -> None:
    put_version(world, 1)
    overtake(world, "stage_events before LOCK 1", WINDOW, WINDOW, version=0)
    world.check()


def another_content_under_the_first_ones_etag(world: World) -> None:
    """COPY reads the second content of a file that was listed with the first one, which then comes back."""
    put_version(world, 0)
    world.put_song("TRAAZ1", song_id="SO8", title="First")
    slow = world.start(DAY, pause=("stage_songs before COPY 1", "stage_songs after COPY 1"))
    slow.wait_at("stage_songs before COPY 1")
    world.put_song("TRAAZ1", song_id="SO8", title="Second")
    slow.go()
    slow.wait_at("stage_songs after COPY 1")
    world.wait_for_the_next_second()
    world.put_song("TRAAZ1", song_id="SO8", title="First")
    slow.go()
    slow.finish()
    world.run(DAY)
    world.check()


def an_event_comes_late(world: World) -> None:
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    world.run(moments("2018-11-16", "2018-11-17"))
    world.check()


def late_plays_are_loaded_before_their_users(world: World) -> None:
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    world.run(moments("2018-11-16", "2018-11-17"), tasks=("stage_events", "load_songplays"))
    dangling = "plays that point to a user who is not there"
    assert world.warehouse.query(OF_PLAYS[dangling]) == [(0,)]


def an_event_in_another_days_file(world: World) -> None:
    world.put_events("2018-11-14", [event("2018-11-15T09:00:00")])
    world.put_events("2018-11-15", [event("2018-11-15T10:00:00")])
    world.run(moments("2018-11-14", "2018-11-16"))
    world.check()


def a_file_goes_and_comes_back(world: World) -> None:
    put_version(world, 0)
    world.run(DAY)
    [key] = [key for key in world.objects if key.startswith("log_data/")]
    body = world.objects[key]
    world.delete(key)
    world.run(DAY)
    world.put(key, body)
    world.run(moments("2018-11-16", "2018-11-17"))
    world.check()


def read_while_facts_are_replaced(world: World) -> None:
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    run = world.start(WINDOW, pause=("load_songplays before INSERT 6",))
    run.wait_at("load_songplays before INSERT 6")
    world.wait_for_the_reader()
    run.finish()
    world.check()


def a_run_dies_after_its_first_publication(world: World) -> None:
    """What the run before it staged late and did not load is loaded by the next one."""
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    window = moments("2018-11-16", "2018-11-17")
    world.start(window, kill="load_songplays after PUBLISH 1").die()
    world.run(window)
    world.check()


def stores_change_before_plays_are_loaded(world: World) -> None:
    put_version(world, 0)
    put_version_of_stores(world, 0)
    world.run(OF_STORES.everything, dataset="stores")
    put_version_of_stores(world, 1)
    world.run(OF_STORES.window, dataset="stores", tasks=("stage_sales",))
    world.run(DAY)
    world.run(OF_STORES.window, dataset="stores")
    world.check()


def a_sale_that_is_refused(world: World, **fields: Any) -> None:
    world.put_sales("2018-10", [sale(0, "2018-10"), {**sale(1, "2018-10"), **fields}])
    error = world.start(OF_STORES.everything, dataset="stores", tasks=("stage_sales",)).fail()
    assert "rows of its files cannot be staged" in error
    world.put_sales("2018-10", [sale(0, "2018-10")])
    world.run(OF_STORES.everything, dataset="stores")
    world.check()


def a_sale_of_no_city(world: World) -> None:
    a_sale_that_is_refused(world, city=None)


def a_sale_in_another_months_file(world: World) -> None:
    a_sale_that_is_refused(world, month="2018-11-01 00:00:00")


SCENARIOS: dict[str, Scenario] = {
    "lose_lock": overlapping_runs,
    "read_before_lock": overtaken_before_the_lock,
    "commit_ledger_first": crash_before_publishing,
    "commit_in_between": read_while_facts_are_replaced,
    "lose_staging_delete": the_same_window_twice,
    "lose_window_delete": the_same_window_twice,
    "lose_deduplication": the_same_event_twice,
    "lose_newest_wins": hours_backwards,
    "lose_ledger_check": overtaken_by_a_newer_file,
    "lose_file_check": another_content_under_the_first_ones_etag,
    "forget_late_windows": an_event_comes_late,
    "publish_late_plays_first": late_plays_are_loaded_before_their_users,
    "stage_strays": an_event_in_another_days_file,
    "forget_what_is_gone": a_file_goes_and_comes_back,
    "take_changes_before_loading": a_run_dies_after_its_first_publication,
    "take_changes_without_loading": an_event_comes_late,
    "take_changes_of_any_table": stores_change_before_plays_are_loaded,
    "stage_rows_without_key": a_sale_of_no_city,
    "forgive_strays": a_sale_in_another_months_file,
}


def test_every_mutation_has_a_scenario():
    assert SCENARIOS.keys() == MUTATIONS.keys()


@pytest.mark.parametrize("mutation", mostly_long(MUTATIONS, "lose_lock"))
def test_a_scenario_that_passes_fails_without_the_rule(both, mutation):
    SCENARIOS[mutation](both)
    both.empty_tables()
    both.delete_everything()
    both.runner.mutation = mutation
    with pytest.raises(AssertionError):
        SCENARIOS[mutation](both)
    assert both.differences()
    # Nothing is to be said of it when the test ends.
    for reader in both.readers:
        reader.stop()
        reader.forget()
