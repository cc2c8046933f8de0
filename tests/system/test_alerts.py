"""A run that fails and is mended, as those hear of it who are told."""

from datetime import UTC, datetime
from urllib.parse import quote

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
