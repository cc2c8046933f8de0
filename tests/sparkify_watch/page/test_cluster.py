"""The page of the cluster: what it says of each state, and when it pauses or resumes."""

from datetime import UTC, datetime, timedelta

import pytest

from sparkify.cluster.cluster import Cluster
from sparkify_watch import cluster_state
from sparkify_watch.cluster_state import Clusters, ClusterState, Named
from sparkify_watch.lookout import Lookout
from sparkify_watch.page.tokens import make_token

PAGE = "/warehouse/cluster"
NAMED = Named("provisioned", "one", "us-east-1")
OURS = {"managed-by": "sparkify-warehouse", "expires_at": "2030-01-01T00:00:00+00:00"}


def state(status="available", tags=OURS, kind="provisioned", **more):
    if status in {"absent", "unknown"}:
        return ClusterState(kind, "one", status, is_loaded=True)
    made = datetime.now(UTC) - timedelta(hours=5)
    cluster = Cluster("one", status, "ra3.large", 2, "host", 5439, made, tags)
    return ClusterState(kind, "one", status, cluster, costs="About USD 1.", is_loaded=True, **more)


@pytest.fixture
def aws_says(monkeypatch):
    """Let AWS have said something a moment ago."""

    def say(*states, problems=(), named=NAMED):
        told = Clusters(states, named, tuple(problems), datetime.now(UTC))
        monkeypatch.setattr(cluster_state, "_LOOKOUT", Lookout(lambda: told, 1000.0))

    return say


def press(person, action, **fields):
    fields = {"token": make_token(person.user), "identifier": "one", **fields}
    return person.post(f"{PAGE}/{action}", fields)


def runs(person):
    return person.api("dags/redshift_cluster/dagRuns")["dag_runs"]


def test_an_available_cluster_is_shown_with_expiry_node_hours_and_costs_and_can_be_paused(op, aws_says):
    aws_says(state())
    text = op.get(PAGE).text
    for words in ("Cluster one: available", "2030-01-01 00:00 UTC", "10.0 at most", "About USD 1."):
        assert words in text
    assert "Prices are unconfirmed" in text
    assert "Pause one" in text
    assert press(op, "pause").status_code == 303
    [run] = runs(op)
    assert run["conf"] == {"action": "pause", "identifier": "one", "kind": "provisioned"}
    [entry] = op.api("eventLogs?order_by=-id&limit=1")["event_logs"]
    assert (entry["event"], entry["owner"]) == ("trigger_dag_run", "op")


def test_a_paused_one_is_resumed_for_so_many_hours_and_airflow_checks_how_many(op, aws_says):
    aws_says(state("paused"))
    assert "Resume one" in op.get(PAGE).text
    for hours in ("9000", "many", "9" * 400, "-1"):
        refused = press(op, "resume", hours_to_live=hours)
        assert refused.status_code == 400
        assert "Airflow says: Invalid input for param hours_to_live" in refused.text
    assert runs(op) == []
    assert press(op, "resume", hours_to_live="1.5").status_code == 303
    [run] = runs(op)
    assert run["conf"]["hours_to_live"] == 1.5


@pytest.mark.parametrize(
    ("found", "action", "why"),
    [
        (state("paused"), "pause", "it is paused"),
        (state("pausing"), "resume", "it is pausing"),
        (state("absent"), "resume", "it is absent"),
        (state("unknown"), "pause", "it is unknown"),
        (state(tags={}), "pause", "it is available"),
        (state(kind="serverless"), "pause", "it is available (serverless)"),
    ],
)
def test_what_cannot_be_done_now_is_not_offered_and_not_done(op, aws_says, found, action, why):
    aws_says(found)
    assert f"{action.capitalize()} one" not in op.get(PAGE).text
    refused = press(op, action)
    assert refused.status_code == 409
    assert why in refused.text
    assert press(op, action, identifier="two").status_code == 409
    assert runs(op) == []


def test_a_cluster_that_a_load_uses_is_paused_only_when_somebody_says_so_again(op, aws_says):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    aws_says(state())
    op.change("POST", "dags/stores_etl/dagRuns", {"logical_date": None})
    with create_session() as session:
        session.execute(update(DagRun).values(_state="running"))
    refused = press(op, "pause")
    assert refused.status_code == 409
    assert "1 runs use the cluster" in refused.text
    assert 'name="anyway"' in refused.text
    assert press(op, "pause", anyway="yes").status_code == 303


def test_a_viewer_reads_it_and_what_it_takes_to_change_it(viewer, aws_says):
    aws_says(state())
    text = viewer.get(PAGE).text
    assert "Cluster one: available" in text
    assert "To pause it takes the right to trigger the DAG redshift_cluster" in text
    assert "<button" not in text.split("<main", 1)[1]


def test_a_cluster_that_is_gone_and_an_aws_that_does_not_answer_are_said(op, aws_says, monkeypatch):
    aws_says(state("absent"))
    assert "There is no such cluster" in op.get(PAGE).text
    aws_says(state("unknown"), problems=["Could not connect"])
    assert "AWS does not answer as it should: Could not connect" in op.get(PAGE).text
    aws_says(named=None)
    assert "names no cluster but an address" in op.get(PAGE).text
    monkeypatch.setattr(cluster_state, "_LOOKOUT", Lookout(lambda: 1 / 0, 1000.0))
    assert "has not answered yet" in op.get(PAGE).text


def test_a_workgroup_is_not_to_be_paused(op, aws_says):
    aws_says(state(kind="serverless"), named=Named("serverless", "one", ""))
    text = op.get(PAGE).text
    assert "Workgroup one: available" in text
    assert "this page does not wake it" in text
