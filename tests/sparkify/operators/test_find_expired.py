"""FindExpiredOperator: which clusters the reaper takes, and when it waits."""

import dataclasses
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sparkify.cluster.life import pause_cluster, remove_cluster
from sparkify.operators import FindExpiredOperator
from tests.conftest import REPOSITORY
from tests.sparkify.cluster.steps import PLAN, do, provision

pytest_plugins = ("tests.sparkify.cluster.steps",)


def find_expired(running: int = 0, action: str = "teardown") -> list[dict[str, str]]:
    def get_dr_count(dag_id: str, states: list[str]) -> int:
        return running if (dag_id, states) == ("sparkify_etl", ["running"]) else 0

    instance = SimpleNamespace(get_dr_count=get_dr_count)
    with DAG("reaper") as dag:
        operator = FindExpiredOperator(task_id="find", action=action, region=PLAN.region, loading_tag="loads")
    dag.fileloc = str(REPOSITORY / "dags" / "redshift_reaper.py")
    return operator.execute({"ti": instance})


def test_finds_only_clusters_of_ours_whose_time_has_passed(world, aws):
    world.create()
    provision(world, aws, dataclasses.replace(PLAN, hours_to_live=0))
    assert find_expired() == []
    provision(world, aws)
    assert find_expired() == []
    provision(world, aws, dataclasses.replace(PLAN, hours_to_live=0.0000001))
    assert find_expired() == [{"action": "teardown", "kind": "provisioned", "identifier": "steps"}]
    do(world, aws, pause_cluster)
    assert find_expired(action="pause") == []
    world.time.pass_phase()
    assert find_expired() == [{"action": "teardown", "kind": "provisioned", "identifier": "steps"}]
    do(world, aws, remove_cluster)
    assert find_expired() == []


def test_waits_while_a_load_runs(world, aws):
    provision(world, aws, dataclasses.replace(PLAN, hours_to_live=0.0000001))
    with pytest.raises(AirflowSkipException, match="1 runs of sparkify_etl are under way"):
        find_expired(running=1)


def test_a_tag_that_is_no_time_is_named(world, aws):
    provision(world, aws)
    arn = f"arn:aws:redshift:{PLAN.region}:{aws.account}:cluster:steps"
    tags = [{"Key": "expires_at", "Value": "tomorrow"}]
    world.client("redshift").create_tags(ResourceName=arn, Tags=tags)
    with pytest.raises(AirflowFailException, match="cluster steps is 'tomorrow', no time"):
        find_expired()
