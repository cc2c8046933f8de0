"""ClusterStepOperator: a cluster that takes its time, and one that takes too long."""

import dataclasses

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred

from sparkify.cluster.life import make_cluster
from sparkify.operators import ClusterStepOperator
from tests.sparkify.cluster.steps import MAKE, PLAN, do, tear_down, what_is_there

pytest_plugins = ("tests.sparkify.cluster.steps",)


def create(wait_minutes: float) -> ClusterStepOperator:
    return ClusterStepOperator(
        task_id="make_cluster",
        step=make_cluster,
        plan=dataclasses.asdict(PLAN),
        until="available",
        wait_minutes=wait_minutes,
    )


def test_a_task_waits_outside_the_worker_and_goes_on_where_it_was(world, aws, before, faults):
    do(world, aws, *MAKE[:-1])
    with pytest.raises(TaskDeferred) as deferred:
        create(wait_minutes=60).execute({})
    world.time.pass_phase()
    said = create(wait_minutes=60).execute({}, **deferred.value.kwargs)
    assert said == deferred.value.kwargs["did"]
    assert [call.action for call in faults.calls("redshift")].count("CreateCluster") == 1


def test_a_create_that_times_out_is_gone_on_with_by_the_next_try(world, aws, before, faults):
    do(world, aws, *MAKE[:-1])
    with pytest.raises(AirflowException, match=r"steps is creating\. Waited .* tries again") as timed_out:
        create(wait_minutes=0).execute({})
    assert not isinstance(timed_out.value, AirflowFailException)  # which Airflow would not try again
    world.time.pass_phase()
    assert "is there" in create(wait_minutes=0).execute({})
    assert [call.action for call in faults.calls("redshift")].count("CreateCluster") == 1


def test_a_create_that_timed_out_for_good_is_torn_down_without_a_trace(world, aws, before):
    do(world, aws, *MAKE[:-1])
    with pytest.raises(AirflowException, match="is creating"):
        create(wait_minutes=0).execute({})
    tear_down(world, aws)
    assert what_is_there(world) == before
