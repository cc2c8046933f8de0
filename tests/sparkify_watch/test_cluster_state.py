"""What the page says of clusters, as the sandbox's AWS describes them, and whether the mirror may connect."""

import dataclasses
import json
import threading
import time

import pytest

from sparkify.cluster.life import pause_cluster
from sparkify_watch import cluster_state
from sparkify_watch.cluster_state import Named, find_clusters, find_named, look_again, may_connect
from sparkify_watch.lookout import Lookout
from tests.sparkify.cluster import steps
from tests.sparkify.cluster.steps import PLAN, do, make_boundary, provision

pytest_plugins = ("tests.sparkify.cluster.steps",)

PATIENCE = 20.0
SERVERLESS = dataclasses.replace(PLAN, kind="serverless")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(cluster_state, "_LOOKOUT", Lookout(cluster_state._look, 0.0))


@pytest.fixture
def loads_go_to(monkeypatch):
    """Let the connection of the loads name a cluster or workgroup."""

    def go(**extra):
        connection = {"conn_type": "redshift", "schema": "dev", "extra": {"iam": True, **extra}}
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))

    return go


@pytest.mark.parametrize(
    ("connection", "named"),
    [
        (
            {"extra": {"cluster_identifier": "one", "region": "eu-west-1"}},
            Named("provisioned", "one", "eu-west-1"),
        ),
        ({"extra": {"serverless_work_group": "two"}}, Named("serverless", "two", "")),
        ({"host": "one.abc.eu-west-1.redshift.amazonaws.com"}, Named("provisioned", "one", "")),
        ({"host": "two.1234.eu-west-1.redshift-serverless.amazonaws.com"}, Named("serverless", "two", "")),
        ({"host": "127.0.0.1"}, None),
    ],
)
def test_a_connection_names_its_cluster_in_its_extra_or_by_its_host(monkeypatch, connection, named):
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps({"conn_type": "redshift", **connection}))
    assert find_named() == named


def test_without_a_connection_none_is_named(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", raising=False)
    assert find_named() is None


@pytest.mark.long
def test_a_cluster_is_shown_from_nothing_to_nothing_and_connected_to_only_while_it_answers(
    world, aws, loads_go_to
):
    loads_go_to(cluster_identifier="steps", region="us-east-1")
    [state] = find_clusters(PATIENCE).states
    assert (state.status, state.is_loaded, state.actions) == ("absent", True, ())
    assert (may_connect().is_open, may_connect().reason) == (False, "the cluster steps is absent.")

    provision(world, aws)
    [state] = find_clusters(PATIENCE).states
    assert (state.status, state.is_ours, state.actions) == ("available", True, ("pause",))
    assert state.expires.endswith("UTC")
    assert "1 x ra3.large at about USD 0.543 an hour" in state.costs
    assert may_connect().is_open

    do(world, aws, pause_cluster)
    assert may_connect().reason == "the cluster steps is pausing."
    world.time.pass_phase()
    [state] = find_clusters(PATIENCE).states
    assert (state.status, state.actions) == ("paused", ("resume",))
    assert may_connect() == cluster_state.Admission(
        is_open=False, can_be_asked=False, reason="the cluster steps is paused."
    )


@pytest.mark.long
def test_a_cluster_of_somebody_else_is_shown_and_left_alone(world, aws, loads_go_to):
    loads_go_to(cluster_identifier="steps")
    provision(world, aws)
    arn = f"arn:aws:redshift:us-east-1:{aws.account}:cluster:steps"
    world.client("redshift").delete_tags(ResourceName=arn, TagKeys=["managed-by"])
    try:
        [state] = find_clusters(PATIENCE).states
        assert (state.status, state.is_ours, state.actions) == ("available", False, ())
        assert may_connect().is_open
    finally:
        # Nothing but ours is removed after a test.
        tags = [{"Key": "managed-by", "Value": "sparkify-warehouse"}]
        world.client("redshift").create_tags(ResourceName=arn, Tags=tags)


@pytest.mark.long
def test_ours_is_shown_also_where_loads_go_elsewhere_and_an_expiry_that_is_none_is_said(
    world, aws, monkeypatch
):
    monkeypatch.setenv(
        "AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps({"conn_type": "redshift", "host": "127.0.0.1"})
    )
    provision(world, aws)
    arn = f"arn:aws:redshift:us-east-1:{aws.account}:cluster:steps"
    world.client("redshift").create_tags(ResourceName=arn, Tags=[{"Key": "expires_at", "Value": "soon"}])
    found = find_clusters(PATIENCE)
    [state] = found.states
    assert (found.named, state.is_loaded, state.status) == (None, False, "available")
    assert "no time such as" in state.expires
    assert may_connect().is_open


@pytest.mark.long
def test_a_workgroup_is_not_woken_unless_a_load_has_woken_it_or_a_person_says_so(world, aws, loads_go_to):
    make_boundary(world, SERVERLESS)
    loads_go_to(serverless_work_group="steps")
    from sparkify.cluster.steps import make_cluster, remove_cluster

    do(world, aws, *steps.MAKE[:3], make_cluster, plan=SERVERLESS)
    world.time.pass_phase()
    try:
        [state] = find_clusters(PATIENCE).states
        assert (state.kind, state.status, state.actions) == ("serverless", "available", ())
        assert "8 RPUs" in state.costs
        admission = may_connect()
        assert (admission.is_open, admission.can_be_asked) == (False, True)
        assert "may be asleep" in admission.reason
        assert may_connect(is_awake=lambda: True).is_open
    finally:
        do(world, aws, remove_cluster, plan=SERVERLESS)
        world.time.pass_phase()
        do(world, aws, *steps.REMOVE[1:], plan=SERVERLESS)


def test_where_aws_does_not_answer_that_is_said_soon_and_a_paused_cluster_would_not_be_woken(
    monkeypatch, loads_go_to
):
    loads_go_to(cluster_identifier="steps", region="us-east-1")
    nobody = {"conn_type": "aws", "extra": {"endpoint_url": "http://127.0.0.1:9"}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(nobody))
    began = time.monotonic()
    found = find_clusters(PATIENCE)
    assert time.monotonic() - began < 8
    assert [(state.status, state.is_loaded) for state in found.states] == [("unknown", True)]
    assert "127.0.0.1:9" in found.problems[0]
    assert may_connect().is_open


class TestLookout:
    def test_who_asks_waits_no_longer_than_they_say_and_gets_the_last_answer(self):
        slow, answers = threading.Event(), iter([1, 2])

        def ask():
            answer = next(answers)
            if answer == 2:
                slow.wait(PATIENCE)
            return answer

        lookout = Lookout(ask, 0.0)
        assert lookout.get(PATIENCE) == 1
        assert lookout.get(0.01) == 1
        slow.set()
        assert lookout.get(PATIENCE) == 2

    def test_before_the_first_answer_there_is_none(self):
        never = threading.Event()
        assert Lookout(lambda: never.wait(PATIENCE), 10.0).get(0.01) is None
        never.set()

    def test_an_answer_is_kept_for_its_time_or_until_it_is_forgotten(self):
        count = iter(range(10))
        lookout = Lookout(lambda: next(count), 1000.0)
        assert [lookout.get(PATIENCE) for _ in range(3)] == [0, 0, 0]
        lookout.forget()
        assert lookout.get(PATIENCE) == 1

    def test_a_question_that_fails_leaves_the_last_answer_and_is_asked_again(self):
        said = iter(["good", RuntimeError("no"), "better"])

        def ask():
            found = next(said)
            if isinstance(found, Exception):
                raise found
            return found

        lookout = Lookout(ask, 0.0)
        assert [lookout.get(PATIENCE) for _ in range(3)] == ["good", "good", "better"]

    def test_only_one_asks_at_a_time(self):
        busy, most = 0, 0
        lock = threading.Lock()

        def ask():
            nonlocal busy, most
            with lock:
                busy += 1
                most = max(most, busy)
            threading.Event().wait(0.02)
            with lock:
                busy -= 1

        lookout = Lookout(ask, 0.0)
        askers = [threading.Thread(target=lookout.get, args=(PATIENCE,)) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert most == 1


def test_what_was_just_changed_is_looked_at_anew():
    look_again()
    assert cluster_state._LOOKOUT._answered_at == float("-inf")
