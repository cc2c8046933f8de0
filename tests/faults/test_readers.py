"""Readers never wait for a load, and no load waits for a reader: not for one who went home, not for many."""

from functools import partial

import pytest

from sandbox.parts.settings import Settings
from tests.faults.reader import APPLICATION, IdleReader, Reader, connect_reader
from tests.faults.runs import hours
from tests.faults.story import DAY, put_version
from tests.faults.world import OPS_TABLES, World

DASHBOARD = 20


@pytest.mark.timeout(300)
def test_a_dashboard_of_many_readers_waits_for_no_load(world: World, sandbox: Settings) -> None:
    """Each of them would fail if it had to wait for a lock for longer than 50 ms."""
    readers = [Reader(world.datasets[0], partial(connect_reader, sandbox)) for _ in range(DASHBOARD)]
    put_version(world, 0)
    for reader in readers:
        reader.start()
    try:
        world.run(*hours("2018-11-15", range(8, 11)))
        put_version(world, 1)
        world.run(DAY)
    finally:
        for reader in readers:
            reader.stop()
    assert [reader.error for reader in readers] == [None] * DASHBOARD
    assert min(reader.polls for reader in readers) > 2
    world.check()


@pytest.mark.parametrize("task", ["stage_events", "load_users", "load_songplays"])
def test_a_reader_comes_through_while_a_load_is_about_to_publish(
    world: World, sandbox: Settings, task: str
) -> None:
    put_version(world, 0)
    stopped = world.start(DAY, pause=(f"{task} before PUBLISH 1",))
    stopped.wait_at(f"{task} before PUBLISH 1")
    IdleReader((*world.tables, *OPS_TABLES), partial(connect_reader, sandbox)).stop()
    stopped.go()
    stopped.finish()
    world.check()


def test_a_load_waits_for_no_reader_who_has_not_ended_the_transaction(
    world: World, sandbox: Settings
) -> None:
    put_version(world, 0)
    world.run(DAY)
    idle = IdleReader((*world.tables, *OPS_TABLES), partial(connect_reader, sandbox))
    put_version(world, 1)
    world.run(DAY)
    assert world.admin(
        "SELECT state FROM pg_stat_activity WHERE application_name = %s AND state = 'idle in transaction'",
        (APPLICATION,),
    )
    idle.stop()
    world.check()
