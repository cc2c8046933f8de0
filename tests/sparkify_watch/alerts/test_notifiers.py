"""What each callback tells, through Airflow's own Variables and a real receiver."""

import json
import time
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG, BaseOperator, Variable

from sparkify.operators import DataQualityOperator
from sparkify_watch.alerts import (
    CauseNotifier,
    ExpiryNotifier,
    LateLoadNotifier,
    LateRunNotifier,
    RunNotifier,
)
from sparkify_watch.alerts.telling import PREFIX
from tests.sparkify_watch.alerts.fixtures import set_connection

with DAG("etl", schedule=None) as DAG_OF_LOADS:
    LOAD = BaseOperator(task_id="load")
    CHECK = DataQualityOperator(task_id="check", checks="[]")


def ended(reason="success", task=LOAD, run_id="run 1", hour=9, cause=None):
    """The context of a DAG's callback."""
    instance = SimpleNamespace(task_id=task.task_id, xcom_pull=lambda **_: cause)
    return {
        "dag": DAG_OF_LOADS,
        "run_id": run_id,
        "reason": reason,
        "task": task,
        "ti": instance,
        "params": {
            "window_start": f"2018-11-15T{hour:02}:00:00+00:00",
            "window_end": f"2018-11-15T{hour + 1:02}:00:00+00:00",
        },
    }


def failed(**fields):
    return ended("task_failure", **fields)


def deadline(run_id="run 1", **fields):
    """The context of a deadline's callback."""
    run = {
        "dag_id": "etl",
        "dag_run_id": run_id,
        "run_type": "scheduled",
        "state": "running",
        "conf": {},
        "data_interval_start": "2018-11-15T09:00:00Z",
        "data_interval_end": "2018-11-15T10:00:00Z",
    }
    return {"dag_run": run | fields, "deadline": {"id": "1", "deadline_time": "2018-11-15T11:00:00Z"}}


def told(receiver):
    return [(one["kind"], one["state"]) for one in receiver.documents]


def test_failures_of_loads_and_of_checks_are_two_kinds_of_one_state(webhook, as_task):
    for context in (ended(), failed(cause="No such file."), failed(), failed(task=CHECK), failed(task=CHECK)):
        RunNotifier()(context)
    RunNotifier()(ended())
    RunNotifier()(ended())
    assert told(webhook) == [("failed_run", "bad"), ("quality_error", "bad"), ("quality_error", "good")]
    assert webhook.documents[0]["cause"] == "No such file."
    assert len({one["id"] for one in webhook.documents}) == 3


def test_an_all_clear_says_which_hours_are_still_not_loaded(webhook, as_task):
    RunNotifier()(failed(hour=9))
    RunNotifier()(failed(hour=10))
    RunNotifier()(ended(hour=12))
    RunNotifier()(failed(hour=13))
    RunNotifier()(ended(hour=9))
    left = [[(one["start"][11:16], one["end"][11:16]) for one in told["left"]] for told in webhook.documents]
    assert left == [
        [("09:00", "10:00")],
        [("09:00", "11:00")],
        [("09:00", "11:00"), ("13:00", "14:00")],
        [("10:00", "11:00"), ("13:00", "14:00")],
    ]


@pytest.mark.parametrize("reason", ["timed_out", "all_tasks_deadlocked"])
def test_a_run_that_no_task_has_failed_is_told_of_without_a_window(webhook, as_task, reason):
    RunNotifier()({"dag": DAG_OF_LOADS, "run_id": "run 1", "reason": reason})
    (alert,) = webhook.documents
    assert (alert["kind"], alert["window"]) == ("failed_run", None)
    assert reason in alert["cause"]


def test_a_receiver_that_was_away_hears_at_the_next_run_what_holds_then(webhook, as_task, monkeypatch):
    webhook.status = 503
    RunNotifier()(failed())
    RunNotifier()(failed(run_id="run 2"))
    assert len(webhook.documents) == 1, "it rests for some minutes"
    webhook.status = 200
    forget_silence()
    RunNotifier()(failed(run_id="run 3"))
    RunNotifier()(failed(run_id="run 4"))
    assert [one["run_id"] for one in webhook.documents] == ["run 1", "run 3"]
    assert len({one["id"] for one in webhook.documents}) == 1, "the same change"


def forget_silence():
    key = f"{PREFIX}runs_etl"
    memory = json.loads(Variable.get(key))
    Variable.set(key, json.dumps(memory | {"silent": {}}))


def test_who_was_away_for_all_of_it_hears_nothing_afterwards(webhook, as_task):
    webhook.status = 503
    RunNotifier()(failed())
    webhook.status = 200
    RunNotifier()(ended())
    assert [one["state"] for one in webhook.documents] == ["bad"]


def test_a_process_that_ends_while_it_tells_has_somebody_told_again_rather_than_never(
    webhook, as_task, monkeypatch
):
    with monkeypatch.context() as patch:

        def die(_alerts):
            raise KeyboardInterrupt

        patch.setattr("sparkify_watch.alerts.telling.deliver", die)
        with pytest.raises(KeyboardInterrupt):
            RunNotifier()(failed(run_id="run 1"))
    RunNotifier()(failed(run_id="run 2"))
    RunNotifier()(failed(run_id="run 3"))
    (alert,) = webhook.documents
    assert alert["run_id"] == "run 2"
    assert alert["id"].endswith("/1")


def test_a_target_that_comes_later_hears_of_what_is_bad_once(webhook, as_task, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_ALERTS", "log")
    RunNotifier()(failed())
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_ALERTS", "log webhook:alerts")
    RunNotifier()(failed())
    RunNotifier()(failed())
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_ALERTS", "log")
    RunNotifier()(ended())
    assert told(webhook) == [("failed_run", "bad")]
    assert json.loads(Variable.get(f"{PREFIX}runs_etl"))["told"] == {}


def test_a_late_load_is_told_of_once_and_again_when_it_has_come(webhook, as_task):
    for run_id in ("run 1", "run 1", "run 2"):
        LateRunNotifier()(deadline(run_id))
    LateLoadNotifier()(failed(run_id="run 1"))
    LateLoadNotifier()(ended(run_id="run 3"))
    assert told(webhook) == [("late_load", "bad")]
    LateLoadNotifier()(ended(run_id="run 2"))
    LateLoadNotifier()(ended(run_id="run 4"))
    assert told(webhook) == [("late_load", "bad"), ("late_load", "good")]
    assert webhook.documents[0]["window"]["start"] == "2018-11-15T09:00:00+00:00"
    assert "2018-11-15T11:00:00Z" in webhook.documents[0]["cause"]


@pytest.mark.parametrize(
    "fields", [{"run_type": "backfill"}, {"run_type": "manual"}, {"state": "success"}, {"state": "failed"}]
)
def test_a_run_that_nobody_waits_for_is_never_late(webhook, as_task, fields):
    LateRunNotifier()(deadline(**fields))
    assert webhook.documents == []


def test_without_an_airflow_around_it_nobody_is_told(webhook, metadata):
    RunNotifier()(failed())
    assert webhook.documents == []


def test_a_run_that_succeeds_as_always_costs_one_look(webhook, as_task, monkeypatch):
    reads = []
    known = Variable.get
    monkeypatch.setattr(
        "sparkify_watch.alerts.telling.Variable.get",
        lambda key, **more: reads.append(key) or known(key, **more),
    )
    RunNotifier()(ended())
    assert reads == [f"{PREFIX}runs_etl"]


def test_the_cause_is_kept_without_what_steers_a_terminal_and_without_secrets(as_task, monkeypatch):
    from airflow.sdk.log import mask_secret

    mask_secret("swordfish-7")
    pushed = {}
    instance = SimpleNamespace(xcom_push=pushed.setdefault)
    error = ValueError("password swordfish-7 of \x1b[31mx" + "y" * 9000)
    CauseNotifier()({"ti": instance, "exception": error})
    (cause,) = pushed.values()
    assert cause.startswith("password *** of \\x1b[31mxy")
    assert len(cause.encode()) <= 3000
    CauseNotifier()({"ti": instance, "exception": None})


def test_a_receiver_that_hangs_holds_a_run_up_for_its_limit_and_no_more(webhook, as_task, monkeypatch):
    monkeypatch.setattr("sparkify_watch.alerts.delivery.SECONDS", 0.5)
    set_connection(monkeypatch, "second", host=webhook.url)
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_ALERTS", "webhook:alerts webhook:second")
    RunNotifier()(ended())
    webhook.hangs = True
    began = time.monotonic()
    for number in range(5):
        RunNotifier()(failed(run_id=f"run {number}"))
    assert time.monotonic() - began < 3


def test_a_cluster_about_to_expire_is_told_of_until_it_has_time_again(webhook, as_task, monkeypatch):
    found = {}
    monkeypatch.setattr("sparkify_watch.alerts.expiry.find_expiring", lambda _aws, _now: found)
    context = ended(task=SimpleNamespace(task_id="find", aws_conn_id="aws_default", region="us-east-1"))
    ExpiryNotifier()(context)
    found["provisioned_a"] = "It expires at noon."
    ExpiryNotifier()(context)
    found["serverless_a"] = "It expires at one."
    ExpiryNotifier()(context)
    del found["provisioned_a"]
    ExpiryNotifier()(context)
    ExpiryNotifier()(context)
    assert [(one["subject"], one["state"]) for one in webhook.documents] == [
        ("cluster_provisioned_a", "bad"),
        ("cluster_serverless_a", "bad"),
        ("cluster_provisioned_a", "good"),
    ]
