"""A process killed between any two statements of any operator, and the plain re-run after it."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.faults.child import TASKS
from tests.faults.story import DAY, WINDOW, put_version
from tests.faults.world import World, drop_tables
from tests.pipeline.conftest import STAR

TARGETS = dict(
    zip(
        TASKS,
        ("staging_events", "staging_songs", "users", "artists", "songs", "time", "songplays"),
        strict=True,
    )
)


def kill_everywhere(world: World, task: str, *, every: int) -> None:
    """Kill `task` before every n-th statement and around its COMMIT, and run it again each time.

    Death after a statement is death before the next: the server hears nothing in between.
    """
    index = TASKS.index(task)
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    points = [point for point in world.run(WINDOW).points if point.startswith(task)]
    world.check()
    chosen = [*befores(points)[::every], f"{task} before PUBLISH 1", f"{task} after PUBLISH 1"]
    for n, point in enumerate(dict.fromkeys(chosen)):
        put_version(world, n % 2)
        as_it_was = rows_and_loads(world, TARGETS[task])
        world.start(WINDOW, tasks=TASKS[: index + 1], kill=point).die()
        rows, loads = rows_and_loads(world, TARGETS[task])
        has_happened = "after PUBLISH" in point
        assert (rows != as_it_was[0], loads != as_it_was[1]) == (has_happened, has_happened), point
        world.run(WINDOW, tasks=TASKS[index:])
        assert world.differences() == [], point


def befores(points: Iterable[str]) -> list[str]:
    return [point for point in points if " before " in point]


def rows_and_loads(world: World, table: str) -> tuple[Any, Any]:
    """The rows of a table, and what the ledger says of it."""
    loads = world.warehouse.query(f"SELECT load_id FROM ops.loads WHERE target_table = '{table}' ORDER BY 1")
    return world.warehouse.query(f"SELECT * FROM {table} ORDER BY 1, 2, 3"), loads


@pytest.mark.parametrize("task", TASKS)
def test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest(world, task):
    kill_everywhere(world, task, every=12)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("task", TASKS)
def test_a_task_killed_between_any_two_statements_leaves_its_table_as_it_was(world, task):
    kill_everywhere(world, task, every=1)


def kill_checks_everywhere(world: World, *, every: int) -> None:
    put_version(world, 1)
    world.run(DAY)
    checking = {"tasks": ("check_quality",)}
    before = befores(world.run(WINDOW, **checking).points)
    chosen = [*before[::every], *before[-3:], "check_quality after PUBLISH 1"]
    results = "SELECT check_name, status, detail FROM ops.quality_results ORDER BY 1, 2, 3"
    complete = world.warehouse.query(results)
    world.warehouse.execute("DELETE FROM ops.quality_results")
    for point in dict.fromkeys(chosen):
        world.start(WINDOW, kill=point, **checking).die()
        assert world.warehouse.query(results) == (complete if "after PUBLISH" in point else []), point
        world.run(WINDOW, **checking)
        assert world.warehouse.query(results) == complete, point
        world.warehouse.execute("DELETE FROM ops.quality_results")
    world.check()


def kill_table_making_everywhere(world: World, *, every: int) -> None:
    making = {"tasks": ("create_tables",)}
    points = befores(world.run(DAY, **making).points)
    for point in [*points[::every], points[-1]]:
        drop_tables(world.warehouse)
        world.start(DAY, kill=point, **making).die()
        assert not world.admin("SELECT 1 FROM pg_namespace WHERE nspname = 'ops'"), point
        world.run(DAY, **making)
        assert world.warehouse.counts() == dict.fromkeys(STAR, 0)
    put_version(world, 1)
    world.run(DAY)
    world.check()


def test_quality_checks_killed_anywhere_leave_all_of_their_results_or_none(world):
    kill_checks_everywhere(world, every=24)


def test_the_making_of_tables_killed_anywhere_leaves_none_and_a_rerun_makes_all(world):
    kill_table_making_everywhere(world, every=6)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kill_everything", [kill_checks_everywhere, kill_table_making_everywhere])
def test_operators_that_load_nothing_killed_between_any_two_statements_leave_all_or_nothing(
    world, kill_everything
):
    kill_everything(world, every=1)
