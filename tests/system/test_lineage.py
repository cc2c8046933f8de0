"""What the tasks tell OpenLineage, and the way back from a column of the star to a field of a file."""

import json
import sys

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.records import event
from tests.system.conftest import ROOT, prepare
from tests.system.lineage_events import Graph, Node, check_events, emit, read_events

DAY = {"window_start": "2018-11-15T00:00:00Z", "window_end": "2018-11-16T00:00:00Z"}
EVENTS = "log_data/2018/11/2018-11-15-events.json"
SONG = "song_data/A/A/A/TRAAA1.json"


@pytest.fixture
def told(tmp_path):
    """Run the tasks of a DAG, and return the events that they and all before them have told of."""
    path = tmp_path / "lineage.json"

    def run(dag_id, file="", only="", **params):
        from airflow.dag_processing.dagbag import DagBag

        dag = DagBag(str(ROOT / "dags" / f"{file or dag_id}.py")).dags[dag_id]
        params = {name: param.value for name, param in dag.params.items()} | params
        for task in dag.topological_sort():
            if only not in ("", task.task_id):
                continue
            operator, context = prepare(task, params, "test_run")
            context["ti"].get_dr_count = lambda **_: 0
            try:
                operator.execute(context)
            except AirflowFailException:
                emit(path, operator, failed=True)
            else:
                emit(path, operator)
        return read_events(path)

    return run


def test_the_way_back_from_every_column_of_the_star_ends_at_fields_of_files(warehouse, source, told):
    source.put_song("TRAAA1", song_id="SO1")
    source.put_events("2018-11-15", [event("2018-11-15T09:00:00"), event("2018-11-15T10:00:00", sessionId=2)])
    events = told("sparkify_etl", **DAY)
    check_events(events)
    graph = Graph.of(events)

    assert graph.sources("sparkify.public.songplays", "song_id") == {Node(SONG, "song_id")}
    assert graph.sources("sparkify.public.users", "level_as_of") == {Node(EVENTS, "ts")}
    assert graph.sources("sparkify.public.songplays", "songplay_id") == {
        Node(EVENTS, field) for field in ("sessionId", "itemInSession", "ts", "userId")
    }
    for table in ("songplays", "users", "songs", "artists", "time"):
        for column in graph.schemas[f"sparkify.public.{table}"]:
            ends = graph.sources(f"sparkify.public.{table}", column)
            assert {node.dataset for node in ends} <= {EVENTS, SONG}, column
            assert ends, column

    assert graph.schemas["sparkify.public.time"]["start_time"].startswith("timestamp")
    read, written = graph.jobs["sparkify_etl.stage_events"]
    assert (read, written) == ({EVENTS}, {"sparkify.public.staging_events"})
    [staged] = [one for one in events if one["job"]["name"].endswith("stage_events")]
    assert staged["inputs"][0]["namespace"] == f"s3://{source.bucket}"
    assert staged["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert staged["outputs"][0]["namespace"].startswith("redshift://")


def test_checks_are_told_of_with_the_table_they_are_about_also_where_they_fail(warehouse, source, told):
    source.put_events("2018-11-15", [event("2018-11-15T09:00:00")])
    told("sparkify_etl", **DAY, allow_no_songs=True)
    warehouse.execute("DELETE FROM users")
    events = told("sparkify_etl", only="check_quality", **DAY)
    check_events(events)
    assert (events[-1]["job"]["name"], events[-1]["eventType"]) == ("sparkify_etl.check_quality", "FAIL")
    checks = {one["name"]: one["inputFacets"]["dataQualityAssertions"] for one in events[-1]["inputs"]}
    failed = [one for one in checks["sparkify.public.songplays"]["assertions"] if not one["success"]]
    assert [one["name"] for one in failed] == ["foreign_key songplays(user_id) -> users(user_id)"]
    assert failed[0]["assertion"] == "foreign_key"
    assert all(one["success"] for one in checks["sparkify.public.time"]["assertions"])


def test_work_on_the_tables_themselves_is_told_of(warehouse, source, told, tmp_path):
    made = Graph.of(told("sparkify_etl", only="create_tables")).jobs["sparkify_etl.create_tables"][1]
    assert {"sparkify.public.songplays", "sparkify.ops.loads"} <= made
    folder = tmp_path / "log_data/2018/11"
    folder.mkdir(parents=True)
    (tmp_path / EVENTS).write_text(json.dumps(event("2018-11-15T09:00:00")))
    told("upload_source", folder=str(tmp_path), bucket="")
    told("sparkify_etl", **DAY, allow_no_songs=True)
    told("sparkify_reconcile", file="reconcile", only="compare", **DAY)
    told("warehouse_maintenance", keep_days_staging_events=365, settled_days=0)
    events = told("warehouse_reset", tables=["songplays"], confirmation="songplays")
    check_events(events)
    graph = Graph.of(events)
    uploaded = {f"{source.bucket}/{name}" for name in graph.jobs["upload_source.upload"][1]}
    assert uploaded == {f"{source.bucket}/{EVENTS}"}
    compared = next(one for one in events if one["job"]["name"] == "sparkify_reconcile.compare")
    [songplays] = [one for one in compared["inputs"] if one["name"] == "sparkify.public.songplays"]
    [check] = songplays["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (check["assertion"], check["success"]) == ("equals_source", True)
    assert songplays["inputFacets"]["inputStatistics"]["rowCount"] == 1
    reset = events[-1]["outputs"][0]
    assert reset["name"] == "sparkify.public.songplays"
    assert reset["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "TRUNCATE"


def test_a_load_does_without_openlineage(warehouse, source, run_etl, monkeypatch):
    for name in ("openlineage", "openlineage_sql", "airflow.providers.openlineage"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in [
        name for name in sys.modules if name.startswith(("openlineage.", "airflow.providers.openl"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "sparkify.operators.openlineage", raising=False)
    source.put_events("2018-11-15", [event("2018-11-15T09:00:00")])
    assert run_etl((DAY["window_start"][:-1], DAY["window_end"][:-1])).state == "success"
    assert "sparkify.operators.openlineage" not in sys.modules
