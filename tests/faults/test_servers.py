"""Servers that fail under a run: the endpoint, a backend, S3; and runs that are ended from outside."""

import pytest

from tests.faults.child import TASKS
from tests.faults.runs import APPLICATION as RUN
from tests.faults.runs import mostly_long, wait_until
from tests.faults.story import DAY, WINDOW, put_version

EVENTS = "2018-11-15-events.json"
BUSY = f"""
    SELECT COUNT(*) FROM pg_stat_activity
    WHERE application_name = '{RUN}' AND (state = 'active' OR backend_xid IS NOT NULL)"""
# Of the run alone: PostgreSQL's own workers have transactions, too.
TERMINATE = f"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = '{RUN}' AND backend_xid IS NOT NULL"""
WAITING = f"""
    SELECT COUNT(*) FROM pg_stat_activity
    WHERE application_name = '{RUN}' AND cardinality(pg_blocking_pids(pid)) > 0"""


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


@pytest.mark.parametrize("task", ["stage_events", "stage_songs"])
def test_a_file_that_is_deleted_after_it_was_listed_is_no_longer_staged(world, task):
    put_version(world, 0)
    point = f"{task} before COPY 1"
    run = world.start(DAY, pause=(point, f"{task} before PAUSE *"))
    run.wait_at(point)
    [key] = [key for key in world.objects if (EVENTS if task == "stage_events" else "TRAAC1") in key]
    world.delete(key)
    run.go()
    run.wait_at(f"{task} before PAUSE 1")
    run.go()
    run.finish()
    world.check()


@pytest.mark.parametrize("key", [EVENTS, "TRAAB1.json"])
@pytest.mark.parametrize("end", ["kill", "end_from_ui"])
def test_a_run_that_is_ended_while_copy_reads_leaves_nothing_running(world, endpoint, proxy, admin, end, key):
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    before = world.warehouse.contents()
    loads = world.warehouse.query("SELECT load_id FROM ops.loads")
    held = proxy.add(key, "held")
    run = world.start(DAY, tasks=("stage_events",) if key == EVENTS else ("stage_songs",))
    assert held.reached.wait(30)
    wait_until(lambda: admin(BUSY)[0][0], "COPY ran")
    getattr(run, end)()
    # The rest of the file is still to come: it is not for the end of the file that the COPY stops.
    wait_until(lambda: not admin(BUSY)[0][0], "the server stopped the COPY")
    assert not held.released.is_set()
    held.released.set()
    assert world.warehouse.contents() == before
    assert world.warehouse.query("SELECT load_id FROM ops.loads") == loads
    world.run(DAY)
    world.check()


@pytest.mark.parametrize("end", ["kill", "end_from_ui"])
def test_a_run_that_is_ended_while_it_waits_for_a_lock_leaves_nothing_running(world, admin, end):
    put_version(world, 0)
    holder = world.start(DAY, pause=("stage_events after LOCK 1",))
    holder.wait_at("stage_events after LOCK 1")
    waiting = world.start(DAY, tasks=("stage_events",))
    world.wait_until_blocked(waiting)
    assert admin(WAITING)[0][0]
    getattr(waiting, end)()
    wait_until(lambda: not admin(WAITING)[0][0], "the server stopped the waiting statement")
    holder.go()
    holder.finish()
    world.check()


@pytest.mark.parametrize("task", mostly_long(TASKS, "load_songplays"))
def test_a_run_that_is_ended_from_the_ui_before_its_commit_changes_nothing(world, task):
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    world.run(WINDOW, tasks=TASKS[: TASKS.index(task)])
    before = world.warehouse.contents()
    run = world.start(WINDOW, tasks=(task,), pause=(f"{task} before PUBLISH 1",))
    run.wait_at(f"{task} before PUBLISH 1")
    run.end_from_ui()
    assert "was ended from outside" in run.fail()
    assert world.warehouse.contents() == before
    world.run(WINDOW)
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
    ended = admin(TERMINATE)
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
    admin(TERMINATE)
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
    wait_until(lambda: not admin(WAITING)[0][0], "the server stopped the waiting statement")
    holder.go()
    holder.finish()
    world.check()
