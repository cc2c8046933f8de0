"""Two and more runs at once: whatever stands between the steps of one, both end in the same tables."""

import itertools
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.child import TASKS
from tests.faults.reference import Window
from tests.faults.runs import hours, moments
from tests.faults.story import DAY, WINDOW, put_catalogue, put_day, put_version
from tests.faults.world import World

EARLIER = moments("2018-11-15T09", "2018-11-15T10:30")
LATER = moments("2018-11-15T10", "2018-11-15T11")
# The tasks whose most telling point has a short scenario of its own.
OVERTAKEN_BEFORE_LOCK = ("stage_events", "stage_songs", "load_users", "load_songplays")
OVERLAPPED_BEFORE_PUBLISH = ("stage_events", "load_time", "load_songplays")


def points_of(task: str, points: Sequence[str], only: str, but: str) -> list[str]:
    """The points of `task` before its statements; to stop after one is to stop before the next.

    Args:
        only: what the points must contain.
        but: what they must not contain, if anything.
    """
    found = [p for p in points if p.startswith((f"{task} before", f"{task} after PUBLISH"))]
    return [p for p in found if only in p and not (but and but in p)]


def overtake(world: World, point: str, first: Window, second: Window, version: int | None = None) -> None:
    """Stop a run at `point`, change the source, let another run go as far as it can, then finish both."""
    stopped = world.start(first, pause=(point,))
    stopped.wait_at(point)
    if version is not None:
        put_version(world, version)
    other = world.start(second)
    world.wait_until_blocked(other)
    stopped.go()
    stopped.finish()
    other.finish()


def overtake_on_changed_files(world: World, task: str, *, only: str = "", but: str = "") -> None:
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)  # a first run has statements that no later one has
    points = points_of(task, world.run(DAY).points, only, but)
    assert points
    for point in points:
        put_version(world, 1)
        overtake(world, point, WINDOW, WINDOW, version=0)
        assert world.differences() == [], point


def overtake_in_empty_tables(world: World, task: str, *, only: str = "", but: str = "") -> None:
    put_version(world, 1)
    points = points_of(task, world.run(DAY).points, only, but)
    assert points
    for point in points:
        world.empty_tables()
        overtake(world, point, EARLIER, LATER)
        assert world.differences() == [], point


@pytest.mark.parametrize("task", OVERTAKEN_BEFORE_LOCK)
def test_a_run_that_is_overtaken_by_one_with_newer_files_takes_nothing_back(world, task):
    overtake_on_changed_files(world, task, only="before LOCK")


@pytest.mark.parametrize("task", OVERLAPPED_BEFORE_PUBLISH)
def test_two_runs_that_overlap_add_no_row_twice(world, task):
    overtake_in_empty_tables(world, task, only="before PUBLISH")


@pytest.mark.parametrize("stopped", ["scheduled", "backfill"])
@pytest.mark.parametrize(
    "point", ["stage_events after COPY 1", "load_users after LOCK 1", "* before PUBLISH 1"]
)
def test_a_backfill_and_a_scheduled_run_on_the_same_hour_load_it_once(world, stopped, point):
    put_version(world, 1)
    [hour] = hours("2018-11-15", [10])
    runs = [
        world.start(
            hour, run_id=f"{kind}__2018-11-15", is_scheduled=True, pause=(point,) if kind == stopped else ()
        )
        for kind in ("scheduled", "backfill")
    ]
    first = runs[0 if stopped == "scheduled" else 1]
    while first.wait_for_pause():
        for run in runs:
            world.wait_until_blocked(run)
        first.go()
    for run in runs:
        run.finish()
    world.check()
    twice = "SELECT target_table FROM ops.loads GROUP BY target_table, run_id HAVING COUNT(*) > 1"
    assert world.warehouse.query(twice) == []


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("task", TASKS)
def test_a_run_that_is_overtaken_before_any_statement_takes_nothing_back(world, task):
    overtake_on_changed_files(world, task, but="before LOCK" if task in OVERTAKEN_BEFORE_LOCK else "")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("task", TASKS)
def test_two_runs_that_overlap_before_any_statement_add_no_row_twice(world, task):
    overtake_in_empty_tables(world, task, but="before PUBLISH" if task in OVERLAPPED_BEFORE_PUBLISH else "")


@pytest.mark.parametrize("point", ["* after COPY 1", "* before LOCK 1", "* before PUBLISH 1"])
def test_two_tries_of_every_task_at_once_are_one(world, point):
    put_version(world, 1)
    tries = [world.start(WINDOW, pause=(point,)) for _ in range(2)]
    while not all(run.has_ended for run in tries):
        # Each gets as far as it can; then one goes on, and the next time the other one.
        for run in tries:
            world.wait_until_blocked(run)
        tries.reverse()
        if paused := [run for run in tries if run.pause]:
            paused[0].go()
    assert all(run.is_done for run in tries), [run.error for run in tries]
    world.check()


@pytest.mark.parametrize("task", TASKS)
def test_a_song_that_arrives_between_the_steps_of_a_run_reaches_its_plays(world, task):
    put_day(world, 1)
    point = f"{task} before LOCK 1"
    if task == "stage_songs":
        world.put_song("TRAAD1", song_id="SO9", title="Another")
    waiting = world.start(DAY, pause=(f"{task} before SELECT 1",))
    waiting.wait_at(f"{task} before SELECT 1")
    put_catalogue(world, 0)
    catalogue_run = world.start(LATER, pause=(point,))
    catalogue_run.wait_at(point)
    waiting.go()
    world.wait_until_blocked(waiting)
    catalogue_run.go()
    waiting.finish()
    catalogue_run.finish()
    world.check()


def shuffled_windows(seed: int) -> list[Window]:
    """Hours of the day, half hours, overlapping stretches and repetitions."""
    chance = random.Random(seed)
    cuts = ["08", "08:30", "09", "09:30", "10", "10:15", "10:31", "11", "12"]
    ends = [f"2018-11-15T{cut}" for cut in cuts]
    windows = [*itertools.pairwise(ends), (ends[0], ends[4]), (ends[2], ends[7]), (ends[3], ends[8])]
    chance.shuffle(windows)
    return [moments(*window) for window in windows]


ORDERS: dict[str, Callable[[], list[Window]]] = {
    "forwards": lambda: sorted(shuffled_windows(0)),
    "backwards": lambda: sorted(shuffled_windows(0), reverse=True),
    "shuffled": lambda: shuffled_windows(1),
    "shuffled otherwise": lambda: shuffled_windows(2),
}


def load_at_once(world: World, runs_at_once: int, windows: Sequence[Window]) -> None:
    put_version(world, 0)
    with ThreadPoolExecutor(runs_at_once) as pool:
        list(pool.map(world.run, windows))
    world.check()


def test_shuffled_overlapping_windows_four_at_once_end_in_the_same_tables(world):
    load_at_once(world, 4, shuffled_windows(4))


@pytest.mark.long
@pytest.mark.parametrize("runs_at_once", [1, 4, 8])
@pytest.mark.parametrize("order", ORDERS)
def test_overlapping_windows_in_any_order_and_number_end_in_the_same_tables(world, order, runs_at_once):
    load_at_once(world, runs_at_once, ORDERS[order]())
