"""replay_rejected under a real scheduler: from a load that failed to the run that takes the row in."""

import json
from collections.abc import Iterator

import pytest

from sandbox import lifecycle
from sandbox.parts.settings import SOURCE_BUCKET
from tests.pipeline import Source, Warehouse
from tests.records import event
from tests.sandbox.aws.client import client
from tests.sandbox.redshift.endpoint_clients import connect_redshift
from tests.system.airflow_service import AirflowService

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
HOURS = {"window_start": "2018-11-15T09:00:00Z", "window_end": "2018-11-15T11:00:00Z"}
KEY = "log_data/2018/11/2018-11-15-events.json"
ROWS = [event("2018-11-15T09:30:00"), event("2018-11-15T10:30:00", itemInSession=1)]


@pytest.fixture(scope="module")
def settings(new_settings):
    found = new_settings()
    lifecycle.up(found)
    yield found
    lifecycle.down(found.home)


@pytest.fixture(scope="module")
def source(settings) -> Source:
    found = Source(client(settings, "s3"), SOURCE_BUCKET)
    found.put_events("2018-11-15", [ROWS[0], {**ROWS[1], "status": "fine"}])
    found.put_song("TRAAA1")
    return found


@pytest.fixture(scope="module")
def airflow(settings, source) -> Iterator[AirflowService]:
    service = AirflowService(settings)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def test_a_row_that_failed_a_load_comes_in_by_a_run_that_the_replay_triggers(airflow, settings, source):
    assert airflow.run("sparkify_etl", **HOURS).state == "failed"
    asked = airflow.run("replay_rejected").succeeded()
    asked.says("correct", "waits for its file to be corrected")
    assert asked.tasks["load_again"] == "skipped"
    given = json.dumps({"file": KEY, "line": 2, "row": ROWS[1]})
    done = airflow.run("replay_rejected", dry_run=False, corrections=given).succeeded()
    assert done.tasks == {"correct": "success", "load_again": "success", "check_settled": "success"}
    done.says("check_settled", "Files loaded again: 1; rows of them still rejected: 0")
    runs = airflow.request("GET", "dags/sparkify_etl/dagRuns?order_by=-run_after&limit=1")["dag_runs"]
    assert runs[0]["conf"]["window_end"] == "2018-11-15T11:00:00+00:00"
    assert "rejected rows were corrected" in runs[0]["note"]
    warehouse = Warehouse(connect_redshift(settings, user=settings.loader))
    assert warehouse.counts()["songplays"] == 2
    assert warehouse.query("SELECT line, settled_by > load_id FROM ops.settled_rows") == [(2, True)]
