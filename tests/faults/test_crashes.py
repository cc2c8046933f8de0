"""A process killed between any two statements of any task, and the plain re-run after it."""

import pytest

from tests.faults.child import TASKS
from tests.faults.story import DAY, PLAYS, WINDOW, put_version
from tests.faults.world import World

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
    world.is_hasty = True
    index = TASKS.index(task)
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    points = [point for point in world.run(WINDOW).points if point.startswith(task)]
    world.check()
    before = [point for point in points if " before " in point]
    chosen = list(dict.fromkeys([*before[::every], f"{task} before PUBLISH 1", f"{task} after PUBLISH 1"]))
    for n, point in enumerate(chosen):
        put_version(world, n % 2)
        as_it_was = world.warehouse.contents()[TARGETS[task]]
        with world.reader((WINDOW, set(PLAYS))):
            world.start(WINDOW, tasks=TASKS[: index + 1], kill=point).die()
            is_published = world.warehouse.contents()[TARGETS[task]] != as_it_was
            assert is_published == ("after PUBLISH" in point), point
            world.run(WINDOW, tasks=TASKS[index:])
        assert world.differences() == [], point


@pytest.mark.parametrize("task", TASKS)
def test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest(world, task):
    kill_everywhere(world, task, every=12)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("task", TASKS)
def test_a_task_killed_between_any_two_statements_leaves_its_table_as_it_was(world, task):
    kill_everywhere(world, task, every=1)
