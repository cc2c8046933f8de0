"""What warehouse_maintenance removes, what stays, and what loads, comparisons and checks then say."""

import itertools
from datetime import UTC, date, datetime

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tests.pipeline import STAR
from tests.records import event
from tests.system.conftest import ROOT, execute

DAYS = ("2018-11-13T00:00:00", "2018-11-17T00:00:00")
HIT = {"song": "Hit", "artist": "Name", "length": 1.5}
STAGED_DAYS = "SELECT DISTINCT DATE_TRUNC('day', ts) FROM staging_events ORDER BY 1"

_numbers = itertools.count()


def dag_of(file, dag_id):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags" / file)).dags[dag_id]


@pytest.fixture(scope="module")
def dag():
    return dag_of("warehouse_maintenance.py", "warehouse_maintenance")


def days_since(day):
    """How many days to keep so that those from this one on stay."""
    return (datetime.now(UTC).date() - date.fromisoformat(day)).days


def maintain(dag, task_id, **params):
    """Run one task of the DAG; loads are settled at once unless said otherwise."""
    given = {name: param.value for name, param in dag.params.items()} | {"settled_days": 0} | params
    return execute(dag.get_task(task_id), given, f"maintenance_{next(_numbers)}")


def forget(dag, before="2018-11-15", table="staging_events", **params):
    kept = {f"keep_days_{table.replace('.', '_')}": days_since(before)}
    return maintain(dag, "forget_rows", **kept, **params)[table]


def plays(day, *hours, **fields):
    return [
        event(f"2018-11-{day}T{hour:02}:30:00", sessionId=hour, userId=str(hour), **fields) for hour in hours
    ]


def put_days(source):
    for day in (13, 14, 15, 16):
        source.put_events(f"2018-11-{day}", plays(day, 8, 9, 10, **HIT))


@pytest.fixture
def loaded(warehouse, source, run_etl):
    """Four days of three plays each, loaded in one run; every play has its song."""
    put_days(source)
    source.put_song("TRAAA1", song_id="SO1", title="Hit", artist_name="Name", duration=1.5)
    assert run_etl(DAYS).state == "success"
    return warehouse


def staged_days(warehouse):
    return [day.day for (day,) in warehouse.query(STAGED_DAYS)]


def star(warehouse):
    return warehouse.contents(*(table for table in STAR if not table.startswith("staging_")))


def run_task(name, run_id="cleared", **params):
    """One task of sparkify_etl by itself, as after it was cleared."""
    etl = dag_of("sparkify_etl.py", "sparkify_etl")
    given = {param: value.value for param, value in etl.params.items()} | params
    return execute(etl.get_task(name), given, run_id)


def window(start, end):
    return {"window_start": f"{start}Z", "window_end": f"{end}Z"}


def test_without_a_retention_every_row_stays(dag, loaded):
    before = loaded.contents()
    assert maintain(dag, "forget_rows") == {}
    assert loaded.contents() == before


def test_a_variable_gives_a_retention_to_every_run(dag, loaded, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_KEEP_DAYS_STAGING_EVENTS", str(days_since("2018-11-16")))
    assert maintain(dag, "forget_rows") == {"staging_events": 9}
    assert staged_days(loaded) == [16]


@pytest.mark.parametrize("days", [91, -400, "many", "4.5"])
def test_a_number_of_days_that_runs_look_back_at_is_refused(dag, loaded, days):
    with pytest.raises(AirflowFailException, match="is no number of days to keep staging_events"):
        maintain(dag, "forget_rows", keep_days_staging_events=days)
    assert staged_days(loaded) == [13, 14, 15, 16]


def test_old_days_are_forgotten_one_transaction_each_and_facts_keep_their_rows(dag, loaded):
    before = star(loaded)
    assert forget(dag, "2018-11-15") == 6
    assert staged_days(loaded) == [15, 16]
    assert star(loaded) == before
    recorded = "SELECT rows_deleted FROM ops.loads WHERE dag_id = 'warehouse_maintenance'"
    assert loaded.query(recorded) == [(3,), (3,)]
    assert forget(dag, "2018-11-15") == 0


def test_rows_that_were_staged_lately_stay_however_old_they_are(dag, loaded):
    assert forget(dag, settled_days=1) == 0
    assert staged_days(loaded) == [13, 14, 15, 16]


def test_a_forgotten_window_is_loaded_again_by_a_run_over_it(dag, source, loaded, run_etl):
    before = loaded.contents()
    forget(dag, "2018-11-16")
    assert run_etl(("2018-11-13T00:00:00", "2018-11-16T00:00:00")).state == "success"
    assert loaded.contents() == before
    # And it may be forgotten again.
    assert forget(dag, "2018-11-16") == 9
    assert star(loaded) == {table: rows for table, rows in before.items() if not table.startswith("staging")}


def test_a_forgotten_window_takes_in_what_its_file_says_now(dag, source, loaded, run_etl):
    forget(dag, "2018-11-16")
    source.put_events("2018-11-14", [*plays(14, 8, 9, **HIT), *plays(14, 11, **HIT)])
    assert run_etl(("2018-11-14T00:00:00", "2018-11-15T00:00:00")).state == "success"
    starts = "SELECT start_time FROM songplays WHERE start_time < '2018-11-15' ORDER BY 1"
    assert [(at.day, at.hour) for (at,) in loaded.query(starts)] == [
        (13, 8), (13, 9), (13, 10), (14, 8), (14, 9), (14, 11),
    ]  # fmt: skip
    assert loaded.query("SELECT COUNT(*) FROM songplays WHERE song_id IS NULL") == [(0,)]


def test_one_hour_of_a_forgotten_day_comes_back_alone(dag, loaded, run_etl):
    before = star(loaded)
    forget(dag, "2018-11-16")
    assert run_etl(("2018-11-14T09:00:00", "2018-11-14T10:00:00")).state == "success"
    assert star(loaded) == before
    assert loaded.query("SELECT COUNT(*) FROM staging_events WHERE ts < '2018-11-16'") == [(1,)]


def test_a_wide_window_over_forgotten_and_kept_days_ends_as_it_was(dag, loaded, run_etl):
    before = loaded.contents()
    forget(dag, "2018-11-15")
    assert run_etl(DAYS).state == "success"
    assert loaded.contents() == before


def test_runs_do_not_look_back_at_forgotten_days(dag, source, loaded, run_etl):
    forget(dag, "2018-11-16")
    before = star(loaded)
    source.put_events("2018-11-15", plays(15, 8))
    assert run_etl(("2018-11-16T08:00:00", "2018-11-16T09:00:00")).state == "success"
    assert star(loaded) == before
    assert staged_days(loaded) == [16]


def test_runs_still_look_back_at_kept_days(dag, source, loaded, run_etl):
    forget(dag, "2018-11-15")
    source.put_events("2018-11-15", plays(15, 8, **HIT))
    assert run_etl(("2018-11-16T08:00:00", "2018-11-16T09:00:00")).state == "success"
    assert loaded.query("SELECT COUNT(*) FROM songplays WHERE start_time < '2018-11-16'") == [(7,)]


@pytest.mark.parametrize("task", ["load_songplays", "load_time"])
def test_a_load_that_is_cleared_alone_does_not_take_forgotten_rows_for_gone(dag, loaded, task):
    forget(dag, "2018-11-15")
    before = star(loaded)
    with pytest.raises(AirflowFailException, match="retention has removed them"):
        run_task(task, **window("2018-11-14T08:00:00", "2018-11-15T09:00:00"))
    assert star(loaded) == before


def test_users_whose_newest_play_is_forgotten_stay(dag, loaded, source, run_etl):
    source.put_events("2018-11-13", plays(13, 20))
    assert run_etl(("2018-11-13T00:00:00", "2018-11-14T00:00:00")).state == "success"
    forget(dag, "2018-11-15")
    before = star(loaded)
    with pytest.raises(AirflowFailException, match="retention has removed them"):
        run_task("load_users", **window("2018-11-13T00:00:00", "2018-11-14T00:00:00"))
    assert star(loaded) == before


def test_a_user_is_not_taken_for_gone_because_older_plays_are_forgotten(dag, loaded, source, run_etl):
    forget(dag, "2018-11-16")
    # The newest play of user 8 was a mistake; the others are no longer staged.
    source.put_events("2018-11-16", plays(16, 9, 10, **HIT))
    assert run_etl(("2018-11-16T00:00:00", "2018-11-17T00:00:00")).state == "success"
    assert loaded.query("SELECT user_id FROM users ORDER BY 1") == [(8,), (9,), (10,)]
    plays_of_8 = "SELECT COUNT(*) FROM songplays WHERE user_id = 8"
    assert loaded.query(plays_of_8) == [(3,)]


def test_songs_of_forgotten_plays_stay_when_the_catalogue_changes(dag, loaded, source, run_etl):
    forget(dag, "2018-11-16")
    source.put_song("TRAAA1", song_id="SO1", title="Hit", artist_name="Name", duration=1.5, year=1999)
    source.put_song("TRAAA2", song_id="SO2", artist_id="AR2", title="Other", artist_name="Else", duration=3.5)
    assert run_etl(("2018-11-16T00:00:00", "2018-11-17T00:00:00")).state == "success"
    assert loaded.query("SELECT COUNT(*) FROM songplays WHERE song_id IS NULL") == [(0,)]


def test_rows_wait_until_every_table_has_taken_in_that_they_changed(
    dag, loaded, source, run_etl, monkeypatch
):
    monkeypatch.setattr("sparkify.warehouse.tries.time.sleep", lambda _: None)
    # A late hour that all have taken in, and one that only its run has staged.
    source.put_events("2018-11-14", plays(14, 8, 9, 10, 11))
    assert run_etl(("2018-11-15T08:00:00", "2018-11-15T09:00:00")).state == "success"
    source.put_events("2018-11-14", plays(14, 8, 9, 10, 11, 12))
    run_task("stage_events", **window("2018-11-15T08:00:00", "2018-11-15T09:00:00"))
    with pytest.raises(AirflowException, match="staging_events keeps its rows of 2018-11-14T12:00:00"):
        forget(dag, "2018-11-16")
    assert staged_days(loaded) == [14, 15, 16]
    assert run_etl(("2018-11-16T08:00:00", "2018-11-16T09:00:00")).state == "success"
    assert loaded.query("SELECT COUNT(*) FROM songplays WHERE start_time < '2018-11-15'") == [(8,)]
    assert forget(dag, "2018-11-16") == 8


def compare(task="compare", **params):
    reconcile = dag_of("reconcile.py", "sparkify_reconcile")
    given = {"reload": False, **window(*DAYS), **params}
    return execute(reconcile.get_task(task), given, "compared")


def test_comparing_leaves_out_what_is_forgotten_and_nothing_else(dag, loaded, run_etl):
    forget(dag, "2018-11-15")
    assert compare() == []
    loaded.execute("DELETE FROM songplays WHERE start_time = '2018-11-15 08:30:00'")
    with pytest.raises(AirflowFailException, match=r"Hours of .* that are not .*: 1, in these windows"):
        compare()
    # What was loaded again is compared again.
    assert run_etl(DAYS).state == "success"
    loaded.execute("DELETE FROM songplays WHERE start_time = '2018-11-13 08:30:00'")
    with pytest.raises(AirflowFailException, match=r"Hours of .* that are not .*: 1, in these windows"):
        compare()


def test_checks_of_a_forgotten_window_hold_and_find_what_is_wrong_with_a_kept_one(dag, loaded):
    forget(dag, "2018-11-15")
    run_task("check_quality", **window(*DAYS))
    loaded.execute("DELETE FROM staging_events WHERE ts >= '2018-11-16'")
    with pytest.raises(AirflowException, match="songplays has every play of staging_events once"):
        run_task("check_quality", "again", **window(*DAYS))


def test_a_month_of_the_second_dataset_is_forgotten_as_a_whole_and_loaded_again(dag, warehouse, source):
    from tests.system.test_stores import LYON, PARIS, put_sales, put_store

    etl = dag_of("stores_etl.py", "stores_etl")
    put_store(source, PARIS)
    for month in ("2018-09", "2018-10", "2018-11"):
        put_sales(source, month, (PARIS, 1), (LYON, 2))

    def load(start, end):
        given = {name: param.value for name, param in etl.params.items()} | window(start, end)
        run_id = f"run_{next(_numbers)}"
        for task in etl.topological_sort():
            execute(task, given, run_id)

    load("2018-09-01T00:00:00", "2018-12-01T00:00:00")
    before = warehouse.contents("staging_sales", "store_sales")
    # The cut lies in November, whose file is kept whole.
    assert forget(dag, "2018-11-20", "staging_sales") == 4
    assert warehouse.contents("store_sales")["store_sales"] == before["store_sales"]
    assert warehouse.query("SELECT DISTINCT month FROM staging_sales") == [(datetime(2018, 11, 1),)]
    load("2018-11-01T00:00:00", "2018-12-01T00:00:00")
    assert warehouse.contents("store_sales")["store_sales"] == before["store_sales"]
    load("2018-09-01T00:00:00", "2018-11-01T00:00:00")
    assert warehouse.contents("staging_sales", "store_sales") == before


def test_a_dataset_that_nobody_has_loaded_has_nothing_to_forget(dag, loaded):
    assert maintain(dag, "forget_rows", keep_days_staging_sales=100, keep_days_ops_loads=100) == {
        "ops.loads": 0
    }


def test_the_form_refuses_fewer_days_than_runs_look_back(dag):
    from airflow.sdk.exceptions import ParamValidationError

    for name in ("keep_days_staging_sales", "keep_days_ops_staged_files"):
        param = dag.params.get_param(name)
        assert (param.resolve(None), param.resolve(92)) == (None, 92)
        with pytest.raises(ParamValidationError, match="91 is"):
            param.resolve(91)


def test_a_run_of_the_dag_forgets_and_then_vacuums_and_analyzes_both_datasets_and_the_records(dag, loaded):
    days = {
        "keep_days_staging_events": days_since("2018-11-15"),
        "keep_days_ops_loads": 92,
        "settled_days": 1,
    }
    done = dag.test(run_conf=days)
    assert done.state == "success"
    [kept] = [task for task in done.get_task_instances() if task.task_id == "keep_up_tables"]
    statements = kept.xcom_pull(task_ids="keep_up_tables")
    assert 'VACUUM FULL "songplays" TO 90 PERCENT' in statements
    assert {'ANALYZE "staging_songs"', 'ANALYZE "ops"."loads"'} <= set(statements)
