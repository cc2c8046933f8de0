"""A process killed between any two statements of any operator, and the plain re-run after it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.faults.child import TASKS
from tests.faults.story import DAY, OF_SPARKIFY, WINDOW, Story, put_version
from tests.faults.world import World
from tests.pipeline import STAR


def some(points: Sequence[str]) -> list[str]:
    """A representative part of a task's points: before each twelfth statement, and around its COMMIT.

    Death after a statement is death before the next: the server hears nothing in between.
    """
    before = [point for point in points if " before " in point]
    around = [point for point in points if point.endswith("PUBLISH 1")]
    return list(dict.fromkeys([*before[::12], *around]))


def others(points: Sequence[str]) -> list[str]:
    """Before each of the other statements."""
    return [point for point in points if " before " in point and point not in some(points)]


Choice = Callable[[Sequence[str]], list[str]]


def kill_task(world: World, story: Story, task: str, choice: Choice) -> None:
    """Kill `task` at the chosen points, and run it again each time."""
    tasks, dataset = story.under_test.tasks, story.under_test.name
    index, target = tasks.index(task), story.targets[task]
    story.put_version(world, 0)
    world.run(story.everything, dataset=dataset)
    story.put_version(world, 1)
    points = [
        point for point in world.run(story.window, dataset=dataset).points if point.startswith(f"{task} ")
    ]
    world.check()
    for n, point in enumerate(choice(points)):
        story.put_version(world, n % 2)
        as_it_was = rows_and_loads(world, target)
        world.start(story.window, dataset=dataset, tasks=tasks[: index + 1], kill=point).die()
        rows, loads = rows_and_loads(world, target)
        # Statistics are renewed behind it.
        has_happened = "after PUBLISH" in point or "ANALYZE" in point
        assert (rows != as_it_was[0], loads != as_it_was[1]) == (has_happened, has_happened), point
        world.run(story.window, dataset=dataset, tasks=tasks[index:])
        assert world.differences() == [], point


def rows_and_loads(world: World, table: str) -> tuple[Any, Any]:
    """The rows of a table, and what the ledger says of it."""
    loads = world.warehouse.query(f"SELECT load_id FROM ops.loads WHERE target_table = '{table}' ORDER BY 1")
    return world.warehouse.query(f"SELECT * FROM {table} ORDER BY 1, 2, 3"), loads


@pytest.mark.parametrize("task", TASKS)
def test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest(world, task):
    kill_task(world, OF_SPARKIFY, task, some)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("task", TASKS)
def test_a_task_killed_between_any_two_statements_leaves_its_table_as_it_was(world, task):
    kill_task(world, OF_SPARKIFY, task, others)


def test_a_load_killed_while_it_keeps_new_fields_has_staged_nothing_and_a_rerun_stages_all(world):
    put_version(world, 0)
    world.warehouse.execute("DELETE FROM ops.source_fields")
    for point in ("before LOCK 1", "after LOCK 1", "before PUBLISH 1", "after PUBLISH 1"):
        world.start(DAY, kill=f"stage_events {point}").die()
        assert world.warehouse.query("SELECT COUNT(*) FROM staging_events") == [(0,)], point
        [(kept,)] = world.warehouse.query("SELECT COUNT(*) FROM ops.source_fields")
        assert bool(kept) == (point == "after PUBLISH 1"), point
    world.run(DAY)
    world.check()


def kill_checks(world: World, choice: Choice) -> None:
    put_version(world, 1)
    world.run(DAY)
    checking = {"tasks": ("check_quality",)}
    forget = ("DELETE FROM ops.quality_results", "DELETE FROM ops.quality_measures")
    world.warehouse.execute(*forget)
    points = world.run(WINDOW, **checking).points
    results = (
        "SELECT check_name, status, detail FROM ops.quality_results"
        " UNION ALL SELECT check_name, measure_id, CAST(value AS VARCHAR(32)) FROM ops.quality_measures"
        " ORDER BY 1, 2, 3"
    )
    complete = world.warehouse.query(results)
    world.warehouse.execute(*forget)
    for point in choice(points):
        world.start(WINDOW, kill=point, **checking).die()
        assert world.warehouse.query(results) == (complete if "after PUBLISH" in point else []), point
        world.run(WINDOW, **checking)
        assert world.warehouse.query(results) == complete, point
        world.warehouse.execute(*forget)
    world.check()


def kill_table_making(world: World, choice: Choice) -> None:
    making = {"tasks": ("create_tables",)}
    for point in choice(world.run(DAY, **making).points):
        world.drop_tables()
        world.start(DAY, kill=point, **making).die()
        assert not world.admin("SELECT 1 FROM pg_namespace WHERE nspname = 'ops'"), point
        world.run(DAY, **making)
        assert world.warehouse.counts() == dict.fromkeys(STAR, 0)
    put_version(world, 1)
    world.run(DAY)
    world.check()


def test_quality_checks_killed_anywhere_leave_all_of_their_results_or_none(world):
    kill_checks(world, some)


def test_the_making_of_tables_killed_anywhere_leaves_none_and_a_rerun_makes_all(world):
    kill_table_making(world, some)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kill", [kill_checks, kill_table_making])
def test_operators_that_load_nothing_killed_between_any_two_statements_leave_all_or_nothing(world, kill):
    kill(world, others)
