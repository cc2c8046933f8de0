"""A run that fails and is mended, as those hear of it who are told."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from definitions import DATASETS
from sparkify_watch.alerts import CauseNotifier, LateLoadNotifier, RunNotifier
from tests.records import event
from tests.sparkify_watch.alerts.fixtures import call_back, metadata, receiver, webhook
from tests.system.conftest import ROOT

__all__ = ["metadata", "receiver", "webhook"]

ETL = ROOT / "dags" / "sparkify_etl.py"
TEN = datetime(2018, 11, 15, 10, tzinfo=UTC)


def test_a_run_that_fails_and_is_mended_gives_one_alert_with_its_cause_and_one_all_clear(
    run_dag, warehouse, source, metadata, webhook
):
    source.put("log_data/2018/11/2018-11-15-events.json", '{"ts": 1, "page": \n')
    failed = run_dag(TEN, allow_no_songs=True)
    assert failed.state == "failed"
    call_back(ETL, failed)
    call_back(ETL, failed)

    source.put_events("2018-11-15", [event("2018-11-15T09:30:00")])
    mended = run_dag(TEN, allow_no_songs=True)
    assert mended.state == "success"
    call_back(ETL, mended)

    bad, good = webhook.documents
    assert (bad["state"], bad["kind"], bad["subject"]) == ("bad", "failed_run", "sparkify_etl")
    assert "2018-11-15-events.json" in bad["cause"]
    assert "line 1" in bad["cause"]
    assert bad["window"] == {"start": "2018-11-15T09:00:00+00:00", "end": "2018-11-15T10:00:00+00:00"}
    assert bad["left"] == [bad["window"]]
    assert bad["remedy"]
    assert bad["links"]["run"].endswith(f"/dags/sparkify_etl/runs/{quote(bad['run_id'])}")
    assert (good["state"], good["kind"], good["left"]) == ("good", "failed_run", [])


def test_every_dag_tells_of_its_runs_and_every_scheduled_load_has_a_deadline():
    from airflow.dag_processing.dagbag import DagBag

    dags = DagBag(str(ROOT / "dags")).dags
    for dag in dags.values():
        told = {
            type(each) for kind in (dag.on_failure_callback, dag.on_success_callback) for each in listed(kind)
        }
        has_deadline = dag.dag_id in {one.loaded_by for one in DATASETS}
        assert told == ({RunNotifier, LateLoadNotifier} if has_deadline else {RunNotifier}), dag.dag_id
        assert bool(dag.deadline) == has_deadline, dag.dag_id
        for task in dag.tasks:
            assert CauseNotifier in map(type, listed(task.on_failure_callback)), task


def listed(callbacks):
    return callbacks if isinstance(callbacks, list) else [callbacks]


def test_a_deadline_is_an_hour_after_the_interval_of_a_dag(etl_dag):
    assert [alert.interval for alert in listed(etl_dag().deadline)] == [timedelta(hours=2)]
