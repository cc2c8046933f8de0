"""The cluster DAGs under a real scheduler and triggerer, from an empty account to an empty account."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from sandbox import lifecycle
from sandbox.airflow.airflow import secrets_of
from sandbox.parts import postgres
from sandbox.parts.settings import SOURCE_BUCKET, WORK_BUCKET, Settings
from sparkify.cluster.plan import ClusterPlan
from sparkify.cluster.status import connection_json
from tests.pipeline import Source
from tests.records import event
from tests.sandbox.aws.client import client
from tests.sparkify.cluster.steps import what_is_there
from tests.system.airflow_service import AirflowService

PLAN = ClusterPlan(
    identifier="sparkify",
    source_bucket=SOURCE_BUCKET,
    work_bucket=WORK_BUCKET,
    region="us-east-1",
    allowed_cidr="10.0.0.0/8",
)
DAY = {"window_start": "2018-11-15T00:00:00+00:00", "window_end": "2018-11-16T00:00:00+00:00"}


@dataclasses.dataclass
class Account:
    """The sandbox as an AWS account."""

    settings: Settings

    def client(self, service: str) -> Any:
        return client(self.settings, service)


@pytest.fixture(scope="module")
def settings(new_settings: Callable[[], Settings]) -> Iterator[Settings]:
    found = dataclasses.replace(new_settings(), cluster_seconds=2)
    lifecycle.up(found)
    yield found
    lifecycle.down(found.home)


@pytest.fixture(scope="module")
def account(settings: Settings) -> Account:
    return Account(settings)


@pytest.fixture(scope="module")
def source(account: Account) -> Source:
    found = Source(account.client("s3"), SOURCE_BUCKET)
    found.put_events("2018-11-15", [event(f"2018-11-15T{hour:02}:30:00") for hour in range(24)])
    found.put_song("TRAAA1", title="Unknown")
    return found


@pytest.fixture(scope="module")
def airflow(settings: Settings, source: Source) -> Iterator[AirflowService]:
    # As on AWS: no password, and found by its name.
    service = AirflowService(settings, AIRFLOW_CONN_REDSHIFT_DEFAULT=connection_json(PLAN))
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture
def query(settings: Settings) -> Callable[[str], list[tuple[Any, ...]]]:
    """Ask the warehouse behind all clusters."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(postgres.admin_dsn(settings)) as connection:
            return connection.execute(sql).fetchall()

    return ask


@pytest.mark.timeout(900)
def test_a_cluster_from_provision_to_teardown_each_action_twice(airflow, account, query, settings):
    before = what_is_there(account)
    first = airflow.run("redshift_cluster", action="provision").succeeded()
    # Only the triggerer lets a task go on that waits.
    first.says("provision.make_cluster", "The cluster sparkify is creating. Waiting.")
    assert connection_json(PLAN).replace('"', "") in first.log("provision.show_connection").replace('\\"', "")
    assert first.tasks["pause"] == "skipped"
    airflow.run("redshift_cluster", action="provision").succeeded()
    airflow.run("sparkify_etl", **DAY).succeeded()
    assert query("SELECT COUNT(*) FROM songplays") == [(24,)]
    assert query("SELECT has_table_privilege('analysts', 'songplays', 'SELECT')") == [(True,)]
    for action, words in (("pause", "paused"), ("resume", "available")):
        done = airflow.run("redshift_cluster", action=action).succeeded()
        done.says(action, f"The cluster sparkify is {words}.")
        airflow.run("redshift_cluster", action=action).succeeded().says(action, "nothing to do")
    airflow.run("redshift_cluster", action="status").succeeded().says("status", "USD 0.543 an hour")
    everything = {"action": "teardown", "final_snapshot": False, "remove_work_bucket": True}
    airflow.run("redshift_cluster", **everything).succeeded()
    again = airflow.run("redshift_cluster", **everything).succeeded()
    again.says("teardown.show_leftovers", "Nothing of cluster sparkify is left.")
    after = what_is_there(account)
    assert {name: set(found) - set(before[name]) for name, found in after.items()} == {
        name: set() for name in before
    }


@pytest.mark.long
@pytest.mark.timeout(900)
def test_sparkify_once_removes_the_cluster_also_when_the_load_fails(airflow, account, source):
    key = source.put_events("2018-11-16", [event("2018-11-16T09:00:00")])
    source.put(key, "no json\n")
    failed = airflow.run(
        "sparkify_once",
        window_start="2018-11-16T00:00:00+00:00",
        window_end="2018-11-17T00:00:00+00:00",
        final_snapshot=False,
    )
    assert failed.state == "failed"
    assert failed.tasks == {"make_cluster": "success", "load_window": "failed", "remove_cluster": "success"}
    assert what_is_there(account)["clusters"] == []
    assert what_is_there(account)["snapshots"] == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_reaper_removes_a_cluster_whose_time_has_passed(airflow, account):
    airflow.run("redshift_cluster", action="provision", hours_to_live=0).succeeded()
    assert airflow.run("redshift_reaper").succeeded().tasks == {"find_expired": "success", "stop": "skipped"}
    assert what_is_there(account)["clusters"] == ["sparkify"]
    airflow.run("redshift_cluster", action="provision", hours_to_live=0.0001).succeeded()
    airflow.run("redshift_reaper").succeeded()
    there = what_is_there(account)
    assert there["clusters"] == []
    assert [name.startswith("sparkify-final-") for name in there["snapshots"]] == [True]


@pytest.mark.timeout(300)
def test_no_secret_is_in_logs_xcoms_rendered_fields_or_anywhere_else_in_the_database(airflow, settings):
    secrets = {
        settings.password,
        settings.admin_password,
        airflow.password,
        secrets_of(settings).database_password,
        secrets_of(settings).token_key,
        settings.aws_secret_access_key,
        json.loads(airflow.environment["AIRFLOW_CONN_AWS_DEFAULT"])["password"],
    }
    texts = {str(path): path.read_text(errors="replace") for path in airflow.logs()}
    assert any("redshift_cluster" in name for name in texts)
    with psycopg.connect(postgres.admin_dsn(settings, "airflow")) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f'SELECT CAST(t AS TEXT) FROM "{table}" AS t').fetchall()
            texts[table] = "\n".join(row for (row,) in rows)
    assert "CREATE TABLE" in texts["rendered_task_instance_fields"]
    assert "Nothing of cluster" in texts["xcom"]
    found = [name for name, text in texts.items() for secret in secrets if secret in text]
    assert found == []
