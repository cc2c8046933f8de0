"""Servers that fail under a run: the endpoint, a backend, S3; and runs that are ended from outside."""

import pytest

from tests.faults.child import TASKS
from tests.faults.runs import mostly_long, wait_until
from tests.faults.story import DAY, PLAYS, WINDOW, put_version

EVENTS = "2018-11-15-events.json"
BUSY = """
    SELECT COUNT(*) FROM pg_stat_activity
    WHERE usename = 'sparkify' AND (state = 'active' OR backend_xid IS NOT NULL)"""


@pytest.mark.parametrize("key", [EVENTS, "TRAAA1.json", "manifests/", "jsonpaths/"])
@pytest.mark.parametrize("fault", [("slow down", 2), ("missing", 1)])
def test_s3_that_fails_for_a_moment_is_asked_again(world, endpoint, proxy, key, fault):
    put_version(world, 0)
    hit = proxy.add(key, *fault)
    world.run(DAY)
    assert hit.hits == fault[1]
    world.check()


@pytest.mark.parametrize("key", [EVENTS, "TRAAA1.json"])
def test_half_a_file_is_never_staged(world, endpoint, proxy, key):
    put_version(world, 0)
    hit = proxy.add(key, "truncated", 1)
    world.run(DAY)
    assert hit.hits == 1
    world.check()


@pytest.mark.parametrize("key", [EVENTS, "TRAAA1.json"])
def test_s3_that_fails_for_longer_is_asked_again_too(world, endpoint, proxy, key):
    put_version(world, 0)
    proxy.add(key, "slow down", 6)
    world.run(DAY)
    world.check()


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_run_that_is_ended_while_copy_reads_leaves_nothing_running(world, endpoint, proxy, admin, end):
    put_version(world, 0)
    held = proxy.add(EVENTS, "held")
    run = world.start(DAY)
    assert held.reached.wait(30)
    wait_until(lambda: admin(BUSY)[0][0], "COPY ran")
    getattr(run.process, end)()
    run.process.join()
    wait_until(lambda: not admin(BUSY)[0][0], "the server stopped the COPY")
    held.released.set()
    world.run(DAY)
    world.check()


def test_a_run_that_is_ended_while_it_waits_for_a_lock_leaves_nothing_running(world, admin):
    put_version(world, 0)
    holder = world.start(DAY, pause=("stage_events after LOCK 1",))
    holder.wait_at("stage_events after LOCK 1")
    waiting = world.start(DAY, tasks=("stage_events",))
    world.wait_until_blocked(waiting)
    waiting.process.terminate()
    blocked = "SELECT COUNT(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    wait_until(lambda: not admin(blocked)[0][0], "the server stopped the waiting statement")
    holder.go()
    holder.finish()
    world.check()


def test_the_endpoint_restarted_while_copy_reads_costs_one_more_try(world, endpoint, proxy):
    put_version(world, 0)
    held = proxy.add(EVENTS, "held")
    run = world.start(DAY, pause=("* before PAUSE *",))
    assert held.reached.wait(30)
    endpoint.restart()
    run.wait_at("stage_events before PAUSE 1")
    held.released.set()
    run.go()
    run.finish()
    world.check()


@pytest.mark.parametrize("task", mostly_long(TASKS, "load_songplays"))
@pytest.mark.parametrize("moment", ["after LOCK 1", "before PUBLISH 1"])
def test_the_endpoint_restarted_inside_a_transaction_costs_one_more_try(world, endpoint, task, moment):
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    with world.reader((WINDOW, set(PLAYS))):
        run = world.start(WINDOW, pause=(f"{task} {moment}", f"{task} before PAUSE *"))
        run.wait_at(f"{task} {moment}")
        endpoint.restart()
        run.go()
        run.wait_at(f"{task} before PAUSE 1")
        run.go()
        run.finish()
    world.check()


@pytest.mark.parametrize("task", mostly_long(TASKS, "load_users"))
def test_a_backend_that_is_terminated_inside_a_transaction_costs_one_more_try(world, admin, task):
    put_version(world, 1)
    point = f"{task} before PUBLISH 1"
    run = world.start(DAY, pause=(point, f"{task} before PAUSE *"))
    run.wait_at(point)
    ended = admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid IS NOT NULL")
    assert ended == [(True,)]
    run.go()
    run.wait_at(f"{task} before PAUSE 1")
    run.go()
    run.finish()
    world.check()


def test_a_backend_that_is_terminated_while_copy_reads_costs_one_more_try(world, endpoint, proxy, admin):
    put_version(world, 1)
    held = proxy.add(EVENTS, "held")
    run = world.start(DAY, pause=("stage_events before PAUSE *",))
    assert held.reached.wait(30)
    wait_until(lambda: admin(BUSY)[0][0], "COPY ran")
    admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid IS NOT NULL")
    run.wait_at("stage_events before PAUSE 1")
    held.released.set()
    run.go()
    run.finish()
    world.check()


def test_a_task_that_takes_too_long_stops_its_statement_on_the_server(world, admin):
    put_version(world, 0)
    holder = world.start(DAY, pause=("stage_events after LOCK 1",))
    holder.wait_at("stage_events after LOCK 1")
    assert "AirflowTaskTimeout" in world.start(DAY, tasks=("stage_events",), timeout=1).fail()
    blocked = "SELECT COUNT(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    wait_until(lambda: not admin(blocked)[0][0], "the server stopped the waiting statement")
    holder.go()
    holder.finish()
    world.check()
