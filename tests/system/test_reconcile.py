"""What sparkify_reconcile says of a warehouse, and what it starts to mend it."""

import copy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.stage.reconciliation import Reconciliation
from sparkify.window import Window
from tests.contexts import task_context
from tests.records import event
from tests.system.conftest import ROOT

WINDOW = ("2018-11-15T00:00:00", "2018-11-17T00:00:00")


@pytest.fixture(scope="module")
def dag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags" / "reconcile.py")).dags["sparkify_reconcile"]


@pytest.fixture
def loaded(warehouse, source, run_etl):
    """Two days, loaded; the source as it was then."""
    put_days(source)
    assert run_etl(WINDOW).state == "success"
    return warehouse


def put_days(source, *more):
    for day in (15, 16):
        plays = [event(f"2018-11-{day}T{hour:02}:30:00", sessionId=hour) for hour in range(8, 12)]
        source.put_events(f"2018-11-{day}", [*plays, *(one for one in more if one["day"] == day)])


def late(day, at, **fields):
    return {**event(f"2018-11-{day}T{at}", sessionId=99, **fields), "day": day}


def compare(dag, *, fail, window=WINDOW):
    from airflow.sdk.execution_time.context import VariableAccessor

    operator = dag.get_task("compare").prepare_for_execution()
    context = task_context(*(f"{end}+00:00" for end in window))
    context["params"]["reload"] = not fail
    context["var"] = {"value": VariableAccessor(deserialize_json=False)}
    operator.render_template_fields(context)
    return operator.execute(context)


def stretch(day, start, end):
    """Hours of a day as the conf of the run that loads them."""
    at = datetime(2018, 11, day, tzinfo=UTC)
    return {
        "window_start": (at + timedelta(hours=start)).isoformat(),
        "window_end": (at + timedelta(hours=end)).isoformat(),
    }


def test_a_warehouse_that_is_what_its_source_says_has_no_hour_that_differs(dag, loaded):
    assert compare(dag, fail=True) == []


def test_nothing_is_changed_by_comparing(dag, source, loaded):
    put_days(source, late(15, "09:40:00"))
    before = loaded.contents()
    compare(dag, fail=False)
    assert loaded.contents() == before
    assert loaded.query("SELECT COUNT(*) FROM ops.loads WHERE task_id = 'test_task'") == [(0,)]


HALF_PAST_EIGHT = "WHERE start_time = '2018-11-15 08:30:00'"
DAMAGES = {
    "an event lost": ("DELETE FROM staging_events WHERE ts = '2018-11-15 09:30:00'", [stretch(15, 9, 10)]),
    "plays lost": ("DELETE FROM songplays WHERE start_time >= '2018-11-16 09:00'", [stretch(16, 9, 12)]),
    "a moment lost": ("DELETE FROM time WHERE start_time = '2018-11-16 08:30:00'", [stretch(16, 8, 9)]),
    "a play changed": (f"UPDATE songplays SET level = 'paid' {HALF_PAST_EIGHT}", [stretch(15, 8, 9)]),
    "a play doubled": (
        f"INSERT INTO songplays SELECT * FROM songplays {HALF_PAST_EIGHT}",
        [stretch(15, 8, 9)],
    ),
    "an event moved": (
        "UPDATE staging_events SET ts = DATEADD(hour, 12, ts) WHERE ts = '2018-11-15 11:30'",
        [stretch(15, 11, 12), stretch(15, 23, 24)],
    ),
}


@pytest.mark.parametrize(("damage", "hours"), DAMAGES.values(), ids=DAMAGES.keys())
def test_the_hours_that_differ_are_listed_and_no_others(dag, loaded, damage, hours):
    loaded.execute(damage)
    assert compare(dag, fail=False) == hours


def test_an_hour_that_no_run_has_loaded_differs(dag, warehouse, source, run_etl):
    put_days(source)
    run_etl(("2018-11-15T00:00:00", "2018-11-15T09:00:00"))
    run_etl(("2018-11-15T10:00:00", "2018-11-17T00:00:00"))
    assert compare(dag, fail=False) == [stretch(15, 9, 10)]


def test_late_data_beyond_the_look_back_is_found(dag, source, loaded):
    put_days(source, late(15, "09:40:00", level="paid"), late(16, "20:00:00", page="Home", song=None))
    assert compare(dag, fail=False) == [stretch(15, 9, 10), stretch(16, 20, 21)]


def test_the_message_names_the_windows_and_the_log_has_the_rows_of_each_side(dag, source, loaded, capsys):
    put_days(source, late(15, "09:40:00"))
    with pytest.raises(AirflowFailException) as caught:
        compare(dag, fail=True)
    message = str(caught.value)
    assert (
        "[2018-11-15T00:00:00+00:00, 2018-11-17T00:00:00+00:00) that are not what their source files say: 1"
        in message
    )
    assert "2018-11-15T09:00:00+00:00 to 2018-11-15T10:00:00+00:00" in message
    assert "window_start and window_end" in message
    log = capsys.readouterr().out
    assert "source 9, staging_events 8, songplays 8, time 8" in log
    assert "2018-11-15 09:00  2       1               1          1     staging_events" in log


def test_a_run_for_each_stretch_of_hours_that_differ_mends_the_warehouse(dag, source, loaded, run_etl):
    put_days(source, late(15, "09:40:00"), late(15, "10:40:00"), late(16, "20:00:00"))
    windows = compare(dag, fail=False)
    assert windows == [stretch(15, 9, 11), stretch(16, 20, 21)]
    for window in windows:
        run_etl((window["window_start"][:19], window["window_end"][:19]))
    assert compare(dag, fail=True) == []


def test_both_dags_stage_and_load_events_alike(dag):
    from airflow.dag_processing.dagbag import DagBag

    etl = DagBag(str(ROOT / "dags" / "sparkify_etl.py")).dags["sparkify_etl"]
    stage, compare = etl.get_task("stage_events"), dag.get_task("compare")
    for name in ("table", "bucket", "work_bucket", "key_pattern", "jsonpaths", "copy_options", "time_column"):
        assert getattr(stage, name) == compare.staging[name], name
    for table, sql in zip(compare.loaded_tables, compare.loaded_sql, strict=True):
        load = etl.get_task(f"load_{table}")
        assert (load.sql, load.time_column) == (sql, compare.loaded_time_column)


def test_each_stretch_of_hours_that_differ_triggers_a_run_that_sparkify_etl_accepts(dag, source, loaded):
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.exceptions import DagRunTriggerException

    put_days(source, late(15, "09:40:00"), late(16, "20:00:00"))
    etl = DagBag(str(ROOT / "dags" / "sparkify_etl.py")).dags["sparkify_etl"]
    for conf in compare(dag, fail=False):
        reload_hours = dag.get_task("reload_hours").unmap({"conf": conf})
        active = SimpleNamespace(get_dag=lambda dag_id: SimpleNamespace(is_paused=dag_id != etl.dag_id))
        with pytest.raises(DagRunTriggerException) as caught:
            reload_hours.execute({"ti": active, "task": reload_hours})
        assert caught.value.trigger_dag_id == etl.dag_id
        assert caught.value.wait_for_completion
        params = copy.deepcopy(etl.params)
        for name, value in caught.value.conf.items():
            params[name] = value
        assert params.validate()["window_start"] == conf["window_start"]


def test_many_stretches_become_a_hundred_windows_that_hold_every_hour():
    start = datetime(2018, 11, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=2 * n + n // 50) for n in range(300)]
    whole = Window(start, start + timedelta(days=60))
    found = Reconciliation(whole, {hour: ["songplays"] for hour in hours}, {}).windows
    assert len(found) == 100
    assert all(any(one.start <= hour < one.end for one in found) for hour in hours)
    assert len(Reconciliation(whole, {hour: ["songplays"] for hour in hours[:30]}, {}).windows) == 30


def test_the_dag_succeeds_without_a_difference_and_fails_with_one(dag, source, loaded):
    conf = {"window_start": f"{WINDOW[0]}Z", "window_end": f"{WINDOW[1]}Z"}
    at = datetime(2031, 1, 1, tzinfo=UTC)
    run = dag.test(logical_date=at, run_conf=conf)
    assert run.state == "success"
    assert {ti.task_id: ti.state for ti in run.get_task_instances()} == {
        "compare": "success",
        "reload_hours": "skipped",
        "compare_again": "skipped",
    }
    loaded.execute("DELETE FROM songplays")
    assert dag.test(logical_date=at + timedelta(hours=1), run_conf=conf).state == "failed"
