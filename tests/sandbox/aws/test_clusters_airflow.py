"""The Airflow provider's operators, sensors, triggers and waiters on clusters that take their time."""

import asyncio
import threading
from contextlib import contextmanager

import pytest
from airflow.providers.amazon.aws.hooks.redshift_cluster import RedshiftHook
from airflow.providers.amazon.aws.operators.redshift_cluster import (
    RedshiftCreateClusterOperator,
    RedshiftDeleteClusterOperator,
    RedshiftPauseClusterOperator,
)
from airflow.providers.amazon.aws.sensors.redshift_cluster import RedshiftClusterSensor
from airflow.providers.amazon.aws.triggers.redshift_cluster import (
    RedshiftClusterTrigger,
    RedshiftCreateClusterTrigger,
    RedshiftPauseClusterTrigger,
)
from airflow.sdk.exceptions import TaskDeferred

from sandbox.parts import environment
from tests.sandbox.aws.clusters import World
from tests.sandbox.aws.faults import AwsFaults

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)


@pytest.fixture(autouse=True)
def _aws_of_airflow(world: World, monkeypatch):
    """The server as Airflow's connection aws_default."""
    variables = environment.variables(world.settings)
    for name in ("AIRFLOW_CONN_AWS_DEFAULT", *environment.aws_variables(world.settings)):
        monkeypatch.setenv(name, variables[name])


def status(name: str) -> str:
    return RedshiftHook(aws_conn_id="aws_default").cluster_status(name)


@contextmanager
def time_passing(world: World, faults: AwsFaults):
    """Let a passing status end whenever somebody has asked for it."""
    ended = threading.Event()

    def watch():
        while not ended.wait(0.02):
            if "redshift:DescribeClusters" in faults.actions():
                faults.forget_calls()
                world.time.pass_phase()

    faults.forget_calls()
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def event_of(trigger) -> dict:
    async def first():
        async for event in trigger.run():
            return event.payload
        raise AssertionError("no event")

    return asyncio.run(asyncio.wait_for(first(), timeout=60))


def test_the_sensor_sees_a_cluster_become_available(world: World):
    name = world.create("creating")
    sensor = RedshiftClusterSensor(task_id="wait", cluster_identifier=name, target_status="available")
    assert not sensor.poke({})
    world.time.pass_phase()
    assert sensor.poke({})


def test_a_deferrable_sensor_defers_until_the_cluster_is_available(world: World, faults: AwsFaults):
    name = world.create("creating")
    sensor = RedshiftClusterSensor(
        task_id="wait", cluster_identifier=name, target_status="available", deferrable=True, poke_interval=0.1
    )
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, RedshiftClusterTrigger)
    with time_passing(world, faults):
        assert event_of(trigger)["status"] == "success"
    assert status(name) == "available"


def test_the_trigger_reports_a_cluster_that_disappears(world: World, faults: AwsFaults):
    trigger = RedshiftClusterTrigger("aws_default", world.create("deleting"), "paused", poke_interval=0.05)
    with time_passing(world, faults):
        event = event_of(trigger)
    assert event["status"] == "error"
    assert "ClusterNotFound" in event["message"]


def test_a_trigger_ends_with_the_fault_of_a_call(world: World, faults: AwsFaults):
    name = world.create("creating")
    faults.error("redshift", "DescribeClusters", "AccessDenied", message="not allowed", status=403)
    event = event_of(RedshiftClusterTrigger("aws_default", name, "available", poke_interval=0.05))
    assert event["status"] == "error"
    assert "not allowed" in event["message"]


def test_the_create_operator_defers_until_the_cluster_is_available(world: World, faults: AwsFaults):
    operator = RedshiftCreateClusterOperator(
        task_id="create",
        cluster_identifier="by-operator",
        node_type="ra3.large",
        cluster_type="single-node",
        master_username="sparkify",
        master_user_password="Sparkify1",
        publicly_accessible=False,
        wait_for_completion=True,
        deferrable=True,
        poll_interval=1,
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert status("by-operator") == "creating"
    assert isinstance(deferred.value.trigger, RedshiftCreateClusterTrigger)
    with time_passing(world, faults):
        assert event_of(deferred.value.trigger)["status"] == "success"
    assert status("by-operator") == "available"


def test_a_failed_creation_can_be_waited_for(world: World, faults: AwsFaults):
    faults.end_in("incompatible-network")
    name = world.create("creating")
    trigger = RedshiftClusterTrigger("aws_default", name, "incompatible-network", poke_interval=0.05)
    with time_passing(world, faults):
        assert event_of(trigger)["status"] == "success"


def test_the_pause_operator_begins_and_its_trigger_waits_for_the_end(world: World, faults: AwsFaults):
    name = world.create()
    RedshiftPauseClusterOperator(task_id="pause", cluster_identifier=name).execute({})
    assert status(name) == "pausing"
    trigger = RedshiftPauseClusterTrigger(
        cluster_identifier=name, waiter_delay=1, waiter_max_attempts=20, aws_conn_id="aws_default"
    )
    with time_passing(world, faults):
        assert event_of(trigger)["status"] == "success"
    assert status(name) == "paused"


def test_the_delete_operator_waits_until_the_cluster_is_gone(world: World, faults: AwsFaults):
    name = world.create()
    operator = RedshiftDeleteClusterOperator(
        task_id="delete",
        cluster_identifier=name,
        skip_final_cluster_snapshot=False,
        final_cluster_snapshot_identifier=f"{name}-end",
        wait_for_completion=True,
        poll_interval=1,
    )
    with time_passing(world, faults):
        operator.execute({})
    assert status(name) == "cluster_not_found"


def test_botocores_waiters_wait(world: World, faults: AwsFaults):
    redshift, name = world.client("redshift"), world.create("creating")
    with time_passing(world, faults):
        redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
        redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
        redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    assert status(name) == "cluster_not_found"
