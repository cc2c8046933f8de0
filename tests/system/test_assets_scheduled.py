"""Under a real scheduler: a DAG scheduled on the star runs by itself, and every task tells OpenLineage."""

import json
import re
from datetime import datetime

import pytest

from sandbox import lifecycle
from sandbox.parts.settings import SOURCE_BUCKET
from tests.pipeline import Source, Warehouse
from tests.records import event
from tests.sandbox.aws.client import client
from tests.sandbox.redshift.endpoint_clients import connect_redshift
from tests.system.airflow_service import AirflowService
from tests.system.conftest import ROOT
from tests.system.lineage_events import Graph, Node, check_events, read_events

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

EVENTS = "log_data/2018/11/2018-11-15-events.json"
SONG = "song_data/A/A/A/TRAAA1.json"


def example():
    """The DAG file that docs/assets.md shows."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs/assets.md").read_text(), re.DOTALL)[0]


@pytest.fixture
def service(new_settings, tmp_path):
    (tmp_path / "plays_per_hour.py").write_text(example())
    settings = new_settings()
    lifecycle.up(settings)
    path = "airflow.dag_processing.bundles.local.LocalDagBundle"
    folders = {"example": {"path": str(tmp_path)}, "dags-folder": {}}
    bundles = [{"name": name, "classpath": path, "kwargs": kwargs} for name, kwargs in folders.items()]
    transport = {"type": "file", "log_file_path": str(tmp_path / "lineage.json"), "append": True}
    found = AirflowService(
        settings,
        AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=json.dumps(bundles),
        AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(transport),
        AIRFLOW__OPENLINEAGE__NAMESPACE="tests",
    )
    try:
        found.start()
        yield found
    finally:
        found.stop()
        lifecycle.down(settings.home)


def test_a_dag_scheduled_on_the_star_runs_for_the_window_of_the_load_that_woke_it(service, tmp_path):
    source = Source(client(service.settings, "s3"), SOURCE_BUCKET)
    source.put_song("TRAAA1", song_id="SO1")
    source.put_events("2018-11-15", [event("2018-11-15T09:00:00"), event("2018-11-15T11:00:00", sessionId=2)])
    window = {"window_start": "2018-11-15T09:00:00+00:00", "window_end": "2018-11-15T10:00:00+00:00"}
    service.wait_until(lambda: waits_for_songplays(service), "plays_per_hour waits for songplays")
    loaded = service.run("sparkify_etl", **window).succeeded()

    [woken] = service.wait_until(lambda: runs_of(service, "plays_per_hour"), "plays_per_hour runs")
    assert woken["run_type"] == "asset_triggered"
    counted = service.ended("plays_per_hour", woken["dag_run_id"]).succeeded()
    counted.says("count_plays", "Window [2018-11-15T09:00:00+00:00, 2018-11-15T10:00:00+00:00)")
    with connect_redshift(service.settings) as connection:
        rows = Warehouse(connection).query("SELECT hour, plays FROM plays_per_hour")
    assert rows == [(datetime(2018, 11, 15, 9), 1)]

    events = service.wait_until(lambda: complete_events(tmp_path, loaded.tasks), "lineage is written")
    check_events(events)
    graph = Graph.of(events)
    assert graph.sources("sparkify.public.songplays", "song_id") == {Node(SONG, "song_id")}
    assert graph.sources("sparkify.public.plays_per_hour", "hour") == {Node(EVENTS, "ts")}


def waits_for_songplays(service):
    assets = service.request("GET", "assets?name_pattern=redshift_default.songplays")["assets"]
    return any(dag["dag_id"] == "plays_per_hour" for asset in assets for dag in asset["scheduled_dags"])


def runs_of(service, dag_id):
    return service.request("GET", f"dags/{dag_id}/dagRuns")["dag_runs"]


def complete_events(folder, tasks):
    """The events, once each task of sparkify_etl and of the DAG that it woke has told of its end."""
    path = folder / "lineage.json"
    events = read_events(path) if path.exists() else []
    ended = {one["job"]["name"] for one in events if one["eventType"] == "COMPLETE"}
    wanted = {f"sparkify_etl.{task}" for task in tasks} | {"plays_per_hour.count_plays"}
    return events if wanted <= ended else []
