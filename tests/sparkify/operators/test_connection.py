"""The connection of an operator: the name of its session, and hosts that are none."""

import json
import os
import uuid
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG, BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

import sparkify.operators.connection
import sparkify.warehouse.tries
from sparkify.operators import LoadFactOperator
from tests.sandbox.aws.client import client
from tests.sandbox.aws.clusters import CLUSTER
from tests.sandbox.aws.faults import aws_faults
from tests.sandbox.aws.networks import ELSEWHERE, HERE, new_group, permission
from tests.sparkify.orders import stage_orders

NAME = "SELECT current_setting('application_name')"


def in_a_session(work):
    with DAG("the_dag", schedule=None):
        operator = LoadFactOperator(
            task_id="the_task", table="orders", sql="SELECT", mode="window", time_column="at"
        )
    return operator.run_in_warehouse(work)


def session_name():
    return in_a_session(lambda session: session.scalar(NAME))


def test_a_session_has_the_name_of_its_task_unless_the_connection_has_one(orders, monkeypatch):
    assert session_name() == "the_dag.the_task"
    connection = json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    connection["extra"]["application_name"] = "nightly"
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    assert session_name() == "nightly"


def test_a_connection_is_looked_up_no_oftener_than_by_the_hook_itself(orders, monkeypatch):
    asked, look_up = [], BaseHook.get_connection
    counted = classmethod(lambda _, conn_id: asked.append(conn_id) or look_up(conn_id))
    monkeypatch.setattr(BaseHook, "get_connection", counted)
    assert session_name()
    assert asked == ["redshift_default"] * 2, "what kind of hook it has, and by the hook"


@pytest.mark.parametrize("host", ["127.0.0.1:5439/sparkify", "localhost:5439", "jdbc:redshift://localhost"])
def test_an_endpoint_given_as_host_is_refused_at_once(orders, source, monkeypatch, host):
    connection = json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps({**connection, "host": host}))
    with pytest.raises(AirflowFailException, match="in fields of their own"):
        stage_orders(source, "redshift_default", mode="append")


@pytest.mark.parametrize(("given", "limit"), [({}, None), ({"timeout": 77}, 77)])
def test_connecting_is_limited_and_statements_are_only_by_the_connection_itself(
    orders, monkeypatch, given, limit
):
    connection = json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    connection["extra"] |= given
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    assert in_a_session(lambda session: session.connection._usock.gettimeout()) == limit


@pytest.fixture
def silent(sandbox, monkeypatch):
    """The connection of a cluster that admits nobody from here: its name and its security group."""
    ec2, redshift, name = client(sandbox, "ec2"), client(sandbox, "redshift"), f"c-{uuid.uuid4().hex[:8]}"
    group = new_group(ec2, permission(ELSEWHERE))
    redshift.create_cluster(ClusterIdentifier=name, VpcSecurityGroupIds=[group], **CLUSTER)
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    extra = {"iam": True, "cluster_identifier": name, "db_user": "sparkify", "region": "us-east-1"}
    connection = {"conn_type": "redshift", "login": "sparkify", "schema": "sparkify", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    monkeypatch.setattr(sparkify.operators.connection, "_CONNECT_SECONDS", 1)
    # Between two tries of one task.
    monkeypatch.setattr(sparkify.warehouse.tries, "time", SimpleNamespace(sleep=lambda _: None))
    yield name, group
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)


def test_a_cluster_that_does_not_answer_is_given_up_with_its_group_networks_and_remedy(silent):
    name, group = silent
    with pytest.raises(AirflowException) as failed:
        session_name()
    assert not isinstance(failed.value, AirflowFailException)  # a cluster that fails over comes back
    said = str(failed.value)
    assert f"failed: nothing came back from {name} within 1 s. It is available; " in said
    assert f"({group}) admits 10.0.0.0/8 on port 5439." in said
    assert "Provision again with allowed_cidr the network that this worker is in, or empty" in said


def test_it_goes_on_as_soon_as_the_cluster_admits_it(silent, sandbox):
    rule = permission(HERE)
    client(sandbox, "ec2").authorize_security_group_ingress(GroupId=silent[1], IpPermissions=[rule])
    assert session_name() == "the_dag.the_task"


def test_an_identity_that_may_not_look_at_security_groups_is_told_so(silent, sandbox):
    with aws_faults(sandbox) as faults:
        faults.error("ec2", "DescribeSecurityGroups", "UnauthorizedOperation", status=403, times=5)
        with pytest.raises(AirflowException, match=r"cannot be looked at from here .*UnauthorizedOperation"):
            session_name()
