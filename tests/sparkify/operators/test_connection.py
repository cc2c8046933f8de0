"""The connection of an operator: the name of its session, and hosts that are none."""

import json
import os

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import LoadFactOperator
from tests.sparkify.orders import stage_orders

NAME = "SELECT current_setting('application_name')"


def session_name():
    with DAG("the_dag", schedule=None):
        operator = LoadFactOperator(
            task_id="the_task", table="orders", sql="SELECT", mode="window", time_column="at"
        )
    return operator.run_in_warehouse(lambda session: session.scalar(NAME))


def test_a_session_has_the_name_of_its_task_unless_the_connection_has_one(orders, monkeypatch):
    assert session_name() == "the_dag.the_task"
    connection = json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    connection["extra"]["application_name"] = "nightly"
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    assert session_name() == "nightly"


@pytest.mark.parametrize("host", ["127.0.0.1:5439/sparkify", "localhost:5439", "jdbc:redshift://localhost"])
def test_an_endpoint_given_as_host_is_refused_at_once(orders, source, monkeypatch, host):
    connection = json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps({**connection, "host": host}))
    with pytest.raises(AirflowFailException, match="in fields of their own"):
        stage_orders(source, "redshift_default", mode="append")
