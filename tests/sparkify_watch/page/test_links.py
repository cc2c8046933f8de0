"""Links of tasks: Airflow's API server gives each task those of its operator, and no task knows of them."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from sparkify_watch.links import LINKS

ROWS, REJECTED, CHECKS = "Rows of this task", "Rejected rows", "Results of these checks"
CONSOLE = "Queries in the AWS console"
OF_TASKS = {
    "create_tables": set(),
    "stage_events": {ROWS, REJECTED, CONSOLE},
    "stage_songs": {ROWS, REJECTED, CONSOLE},
    "load_users": {ROWS, CONSOLE},
    "load_songplays": {ROWS, CONSOLE},
    "check_quality": {CHECKS, CONSOLE},
}


@pytest.fixture
def links(op):
    """What the API server says of the tasks of a new run."""
    run_id = op.change("POST", "dags/sparkify_etl/dagRuns", {"logical_date": None})["dag_run_id"]

    def ask(task_id):
        return op.api(f"dags/sparkify_etl/dagRuns/{run_id}/taskInstances/{task_id}/links")["extra_links"]

    ask.run_id = run_id
    return ask


def test_each_task_has_the_links_of_its_operator(links):
    assert {task_id: set(links(task_id)) for task_id in OF_TASKS} == OF_TASKS


def test_a_link_leads_to_the_page_of_the_task(links, op):
    address = links("stage_events")[ROWS]
    assert urlsplit(address).path == "/warehouse/sparkify/task"
    assert parse_qs(urlsplit(address).query) == {
        "dag_id": ["sparkify_etl"],
        "run_id": [links.run_id],
        "task_id": ["stage_events"],
    }
    assert links("stage_events")[REJECTED] == f"{address}#rejected"
    page = op.get(address)
    assert page.status_code == 200
    assert "No load of this task is on record" in page.text


def test_where_loads_connect_to_an_address_there_is_no_link_into_the_console(links, monkeypatch):
    connect(monkeypatch, host="127.0.0.1")
    assert links("load_users")[CONSOLE] is None


@pytest.mark.parametrize(
    ("extra", "address"),
    [
        (
            {"cluster_identifier": "one", "region": "eu-west-1"},
            "https://eu-west-1.console.aws.amazon.com/redshiftv2/home?region=eu-west-1"
            "#cluster-details?cluster=one",
        ),
        (
            {"serverless_work_group": "two", "region": "cn-north-1"},
            "https://cn-north-1.console.amazonaws.cn/redshiftv2/home?region=cn-north-1"
            "#serverless-workgroup?workgroup=two",
        ),
        ({"cluster_identifier": "one"}, None),
    ],
)
def test_on_aws_it_leads_to_the_cluster_or_workgroup(links, monkeypatch, extra, address):
    connect(monkeypatch, extra=extra)
    monkeypatch.delenv("AIRFLOW_CONN_AWS_DEFAULT", raising=False)
    monkeypatch.delenv("AIRFLOW_VAR_SPARKIFY_REGION", raising=False)
    assert links("load_users")[CONSOLE] == address
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_REGION", "us-east-2")
    assert (links("load_users")[CONSOLE] or "").startswith("https://")


def test_what_is_not_at_awss_own_address_has_no_link(links, monkeypatch):
    connect(monkeypatch, extra={"cluster_identifier": "one", "region": "eu-west-1"})
    elsewhere = {"conn_type": "aws", "extra": {"endpoint_url": "http://127.0.0.1:9"}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(elsewhere))
    assert links("load_users")[CONSOLE] is None


def test_every_link_has_a_name_of_its_own_and_operators():
    assert len({link.name for link in LINKS}) == len(LINKS)
    assert all(link.operators for link in LINKS)


def connect(monkeypatch, **connection):
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps({"conn_type": "redshift", **connection}))
