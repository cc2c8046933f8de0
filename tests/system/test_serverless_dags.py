"""The cluster DAGs with Redshift Serverless under a real scheduler, from an empty account to an empty one."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from sandbox import lifecycle
from sandbox.parts import postgres
from sandbox.parts.settings import SOURCE_BUCKET, WORK_BUCKET, Settings
from sparkify.cluster.plan import ClusterPlan
from sparkify.cluster.status import connection_json
from tests.pipeline import Source
from tests.records import event
from tests.sparkify.cluster.steps import make_boundary
from tests.sparkify.cluster.test_serverless import everything
from tests.system.airflow_service import AirflowService
from tests.system.test_cluster_dags import DAY, Account

PLAN = ClusterPlan(
    identifier="sparkify",
    source_bucket=SOURCE_BUCKET,
    work_bucket=WORK_BUCKET,
    region="us-east-1",
    allowed_cidr="172.31.0.0/16",
    kind="serverless",
)
KIND = {"kind": "serverless"}


@pytest.fixture(scope="module")
def settings(new_settings: Callable[[], Settings]) -> Iterator[Settings]:
    found = dataclasses.replace(new_settings(), cluster_seconds=1)
    lifecycle.up(found)
    yield found
    lifecycle.down(found.home)


@pytest.fixture(scope="module")
def account(settings: Settings) -> Account:
    return Account(settings)


@pytest.fixture(scope="module")
def airflow(settings: Settings, account: Account) -> Iterator[AirflowService]:
    source = Source(account.client("s3"), SOURCE_BUCKET)
    source.put_events("2018-11-15", [event(f"2018-11-15T{hour:02}:30:00") for hour in range(24)])
    source.put_song("TRAAA1", title="Unknown")
    make_boundary(account, PLAN)
    # As on AWS: neither user nor password, and found by its name.
    service = AirflowService(settings, AIRFLOW_CONN_REDSHIFT_DEFAULT=connection_json(PLAN))
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture
def query(settings: Settings) -> Callable[[str], list[tuple[Any, ...]]]:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(postgres.admin_dsn(settings)) as connection:
            return connection.execute(sql).fetchall()

    return ask


@pytest.mark.long
@pytest.mark.timeout(900)
def test_serverless_from_provision_to_teardown_each_action_twice(airflow, account, query):
    before = everything(account)
    first = airflow.run("redshift_cluster", action="provision", **KIND).succeeded()
    first.says("provision.make_cluster", "is modifying. Waiting.")
    first.says("provision.show_connection", "serverless_work_group")
    airflow.run("redshift_cluster", action="provision", **KIND).succeeded()
    airflow.run("sparkify_etl", **DAY).succeeded()
    assert query("SELECT COUNT(*) FROM songplays") == [(24,)]
    # Who loads owns the tables, and is no superuser.
    [(owner, is_superuser)] = query(
        "SELECT tableowner, usesuper FROM pg_tables JOIN pg_user ON usename = tableowner"
        " WHERE tablename = 'songplays'"
    )
    assert owner.startswith("IAM:")
    assert not is_superuser
    assert query("SELECT has_table_privilege('analysts', 'songplays', 'SELECT')") == [(True,)]
    paused = airflow.run("redshift_cluster", action="pause", **KIND)
    assert paused.state == "failed"
    paused.says("pause", "has no pause and no resume")
    status = airflow.run("redshift_cluster", action="status", **KIND).succeeded()
    status.says("status", "at most 16 RPU-hours or USD 6.00 a day")
    removal = {"action": "teardown", "final_snapshot": False, "remove_work_bucket": True, **KIND}
    airflow.run("redshift_cluster", **removal).succeeded()
    again = airflow.run("redshift_cluster", **removal).succeeded()
    again.says("teardown.show_leftovers", "Nothing of cluster sparkify is left.")
    after = everything(account)
    assert {name: set(found) - set(before[name]) for name, found in after.items()} == {
        name: set() for name in before
    }


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_reaper_removes_serverless_whose_time_has_passed(airflow, account):
    airflow.run("redshift_cluster", action="provision", hours_to_live=0, **KIND).succeeded()
    assert airflow.run("redshift_reaper").succeeded().tasks == {"find_expired": "success", "stop": "skipped"}
    airflow.run("redshift_cluster", action="provision", hours_to_live=0.0001, **KIND).succeeded()
    airflow.run("redshift_reaper").succeeded()
    there = everything(account)
    assert (there["namespaces"], there["workgroups"], there["usage limits"]) == ([], [], [])
    [snapshot] = there["serverless snapshots"]
    assert snapshot.startswith("sparkify-final-")
    account.client("redshift-serverless").delete_snapshot(snapshotName=snapshot)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_sparkify_once_makes_and_removes_serverless(airflow, account):
    airflow.run("sparkify_once", final_snapshot=False, **DAY, **KIND).succeeded()
    there = everything(account)
    assert (there["namespaces"], there["workgroups"], there["usage limits"]) == ([], [], [])
