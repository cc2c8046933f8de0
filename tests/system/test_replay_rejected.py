"""From a row that no load took to tables that are what a clean file gives, with replay_rejected."""

import copy
import itertools
import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException

from definitions import DATASETS
from tests.faults.runs import wait_until
from tests.records import event, sale, song, store
from tests.system.conftest import ROOT, execute

DAY = ("2018-11-15T00:00:00", "2018-11-16T00:00:00")
KEY = "log_data/2018/11/2018-11-15-events.json"
SALES = "sales_data/2018/2018-11-sales.json"
NOVEMBER = ("2018-11-01T00:00:00", "2018-12-01T00:00:00")
TABLES = [table for dataset in DATASETS for table in dataset.tables]
OPEN = "SELECT line FROM ops.rejected_rows UNION ALL SELECT line FROM ops.refused_rows ORDER BY 1"
SETTLED = "SELECT line, COUNT(*) FROM ops.settled_rows GROUP BY line ORDER BY line"

_numbers = itertools.count()


class Xcoms(SimpleNamespace):
    def xcom_push(self, key, value):
        self.pushed = {**getattr(self, "pushed", {}), key: value}


class Dags:
    """The DAGs as a scheduler runs them, in this process."""

    def __init__(self):
        files = ("sparkify_etl.py", "stores_etl.py", "replay_rejected.py")
        self.dags = {k: dag for name in files for k, dag in DagBag(str(ROOT / "dags" / name)).dags.items()}

    def params(self, dag_id, given):
        return {name: param.value for name, param in self.dags[dag_id].params.items()} | given

    def load(self, dataset, **conf):
        """Run a loading DAG; the tasks after one that fails are not run, and its error is raised."""
        dag_id, run_id = f"{dataset}_etl", f"test_run_{next(_numbers)}"
        params = self.params(dag_id, {"allow_no_songs": True, **conf})
        for task in self.dags[dag_id].topological_sort():
            execute(task, params, run_id)

    def correct(self, **params):
        """Run the task `correct`; return the windows to load again and what is pushed for the check."""
        from airflow.sdk.execution_time.context import VariableAccessor

        operator = self.dags["replay_rejected"].get_task("correct").prepare_for_execution()
        instance = Xcoms(dag_id="replay_rejected", run_id=f"test_run_{next(_numbers)}", task_id="correct")
        context = {
            "ti": instance,
            "params": self.params("replay_rejected", {"dry_run": False, **params}),
            "var": {"value": VariableAccessor(deserialize_json=False)},
        }
        operator.render_template_fields(context)
        return operator.execute(context), instance.pushed["replayed"]

    def check(self, replayed):
        operator = self.dags["replay_rejected"].get_task("check_settled").prepare_for_execution()
        operator.replayed = json.dumps(replayed)
        return operator.execute({})

    def replay(self, dataset="sparkify", **params):
        """The whole DAG; returns the windows that were loaded again."""
        windows, replayed = self.correct(dataset=dataset, **params)
        for conf in windows:
            self.load(dataset, **conf)
        self.check(replayed)
        return windows


@pytest.fixture(scope="module")
def dags(sandbox, airflow_db):
    return Dags()


def window(start, end):
    return {"window_start": f"{start}+00:00", "window_end": f"{end}+00:00"}


def corrected(key, line, row):
    return json.dumps({"file": key, "line": line, "row": row})


def loaded_clean(warehouse, dags, dataset, *windows):
    """Every table after the source, as it is now, was loaded into empty ones."""
    records = ("loads", "staged_files", "sources", "changes", "changes_taken")
    empty = {("public", name) for name in [*TABLES, "plays_by_song"]} | {("ops", name) for name in records}
    there = {(row[0], row[1]) for row in warehouse.query("SELECT schemaname, tablename FROM pg_tables")}
    warehouse.execute(*(f"DELETE FROM {schema}.{table}" for schema, table in sorted(empty & there)))
    for one in windows:
        dags.load(dataset, **window(*one))
    return contents(warehouse, dataset)


def contents(warehouse, dataset):
    [tables] = [one.tables for one in DATASETS if one.name == dataset]
    return warehouse.contents(*tables)


PLAYS = [event(f"2018-11-15T{hour:02}:30:00", sessionId=hour, userId=str(hour % 3)) for hour in range(8, 12)]
STRAY = {**PLAYS[1], "ts": event("2018-11-20T09:30:00")["ts"]}


def test_a_tolerated_stray_is_corrected_and_comes_in_once_however_often_it_is_replayed(
    warehouse, source, dags
):
    source.put_song("TRAAA1", **song())
    source.put_events("2018-11-15", [PLAYS[0], STRAY, *PLAYS[2:]])
    dags.load("sparkify", keep_strays=True, **window(*DAY))
    assert warehouse.query(OPEN) == [(2,)]
    given = {"corrections": corrected(KEY, 2, PLAYS[1])}
    assert dags.replay(**given) == [{**window(*DAY), "keep_strays": True}]
    assert (warehouse.query(OPEN), warehouse.query(SETTLED)) == ([], [(2, 1)])
    found = contents(warehouse, "sparkify")
    for more in (given, {}, given):
        assert dags.replay(**more) == []
    dags.load("sparkify", **window(*DAY))
    assert contents(warehouse, "sparkify") == found
    assert warehouse.query(SETTLED) == [(2, 1)]
    source.put_events("2018-11-15", PLAYS)
    assert loaded_clean(warehouse, dags, "sparkify", DAY) == found


def test_a_load_that_failed_says_why_and_its_window_is_loaded_once_its_file_is_mended(
    warehouse, source, dags
):
    source.put_events("2018-11-15", [*PLAYS[:2], {**PLAYS[2], "sessionId": "ten"}, PLAYS[3]])
    # S3 tells whole seconds: what was written in that of the load may have been mended since.
    written = int(time.time())
    wait_until(lambda: time.time() >= written + 1, "the clock's next second")
    hours = ("2018-11-15T09:00:00", "2018-11-15T11:00:00")
    with pytest.raises(AirflowFailException, match=rf"{KEY} line 3, column session_id"):
        dags.load("sparkify", **window(*hours))
    [why] = warehouse.query(
        'SELECT line, "column", value, dag_id, task_id, target_table, window_start FROM ops.refused_rows'
    )
    assert why[:3] == (3, "session_id", "ten")
    assert why[3:6] == ("sparkify_etl", "stage_events", "staging_events")
    assert why[6].isoformat() == hours[0]
    assert dags.correct() == ([], {})
    source.put_events("2018-11-15", PLAYS)
    assert dags.replay() == [window(*hours)]
    assert (warehouse.query(OPEN), warehouse.query(SETTLED)) == ([], [(3, 1)])
    found = contents(warehouse, "sparkify")
    assert [len(found[name]) for name in ("staging_events", "songplays")] == [2, 2]
    assert loaded_clean(warehouse, dags, "sparkify", hours) == found


def test_sales_that_were_refused_are_corrected_line_by_line(warehouse, source, dags):
    for number in range(3):
        source.put(f"store_data/store-{number}.json", json.dumps(store(number)))
    rows = [sale(number, "2018-11") for number in range(3)]
    broken = [{**rows[0], "actual": "many"}, rows[1], {**rows[2], "month": "2018-13-01"}]
    source.put(SALES, "".join(json.dumps(one) + "\n" for one in broken))
    given = []
    for number in (0, 2):
        with pytest.raises(AirflowFailException, match=f"line {number + 1}"):
            dags.load("stores", **window(*NOVEMBER))
        given.append(corrected(SALES, number + 1, rows[number]))
        windows, replayed = dags.correct(dataset="stores", corrections=given[-1])
        assert windows == [window(*NOVEMBER)]
    dags.load("stores", **windows[0])
    dags.check(replayed)
    assert warehouse.query(OPEN) == []
    found = contents(warehouse, "stores")
    assert len(found["store_sales"]) == 3
    source.put(SALES, "".join(json.dumps(one) + "\n" for one in rows))
    assert loaded_clean(warehouse, dags, "stores", NOVEMBER) == found


@pytest.mark.long
def test_corrected_rows_may_come_in_a_file_of_the_source_bucket(warehouse, source, dags):
    source.put_events("2018-11-15", [PLAYS[0], STRAY])
    dags.load("sparkify", keep_strays=True, **window(*DAY))
    source.put("corrected/15.json", corrected(f"s3://{source.bucket}/{KEY}", 2, None))
    dags.replay(corrections_key="corrected/15.json")
    assert (warehouse.query(OPEN), warehouse.query(SETTLED)) == ([], [(2, 1)])
    assert warehouse.counts()["staging_events"] == 1
    with pytest.raises(AirflowFailException, match=r"corrected/16\.json, is not there"):
        dags.correct(corrections_key="corrected/16.json")


@pytest.mark.long
def test_a_dry_run_changes_nothing_and_says_what_would_become_of_each_row(warehouse, source, dags, capsys):
    source.put_events("2018-11-15", [STRAY, {**STRAY, "itemInSession": 7}])
    dags.load("sparkify", keep_strays=True, **window(*DAY))
    etag = source.s3.head_object(Bucket=source.bucket, Key=KEY)["ETag"]
    given = {"corrections": corrected(KEY, 1, PLAYS[1])}
    assert dags.correct(dry_run=True, **given) == ([], {})
    assert source.s3.head_object(Bucket=source.bucket, Key=KEY)["ETag"] == etag
    shown = capsys.readouterr().out
    assert "corrected: will be loaded again" in shown
    assert "waits for its file to be corrected" in shown
    assert "Windows to load again: [2018-11-15T00:00:00+00:00, 2018-11-16T00:00:00+00:00)" in shown


@pytest.mark.long
def test_rows_that_nobody_corrected_stay_open_beside_those_that_come_in(warehouse, source, dags):
    other = {**STRAY, "itemInSession": 7}
    source.put_events("2018-11-15", [PLAYS[0], STRAY, other])
    dags.load("sparkify", keep_strays=True, **window(*DAY))
    dags.replay(corrections=corrected(KEY, 2, PLAYS[1]))
    assert (warehouse.query(OPEN), warehouse.query(SETTLED)) == ([(3,)], [(2, 1)])
    assert warehouse.counts()["staging_events"] == 2


@pytest.mark.long
def test_a_row_that_is_no_better_than_before_fails_the_check_and_is_named(warehouse, source, dags):
    source.put_events("2018-11-15", [PLAYS[0], STRAY])
    dags.load("sparkify", keep_strays=True, **window(*DAY))
    with pytest.raises(AirflowFailException, match=rf"Rejected again.*1 rows.\n.*{KEY} line 2, column ts"):
        dags.replay(corrections=corrected(KEY, 2, {**STRAY, "level": "paid"}))


@pytest.mark.long
def test_a_changed_file_that_was_left_for_later_is_taken_in_once_it_is_mended(warehouse, source, dags):
    source.put_events("2018-11-15", PLAYS[:2])
    dags.load("sparkify", **window(*DAY))
    source.put_events("2018-11-15", [*PLAYS[:2], {**PLAYS[2], "ts": "soon"}])
    dags.load("sparkify", **window("2018-11-16T00:00:00", "2018-11-16T01:00:00"))
    assert warehouse.query(OPEN) == [(3,)]
    dags.replay(corrections=corrected(KEY, 3, PLAYS[2]))
    assert (warehouse.query(OPEN), warehouse.query(SETTLED)) == ([], [(3, 1)])
    assert warehouse.counts()["songplays"] == 3


@pytest.mark.long
def test_a_song_file_that_failed_a_run_is_loaded_by_a_run_of_the_same_window(warehouse, source, dags):
    source.put_events("2018-11-15", PLAYS)
    key = source.put_song("TRAAA1", **{**song(), "duration": "long"})
    with pytest.raises(AirflowFailException, match=f"{key} line 1, column duration"):
        dags.load("sparkify", **window(*DAY))
    source.put_song("TRAAA1", **song())
    assert dags.replay(file=key) == [window(*DAY)]
    assert warehouse.query(OPEN) == []
    assert warehouse.query("SELECT COUNT(*) FROM songplays WHERE song_id = 'SO1'") == [(4,)]


@pytest.mark.long
def test_only_the_files_of_a_load_or_the_file_that_is_named_are_looked_at(warehouse, source, dags):
    for day in ("2018-11-15", "2018-11-16"):
        source.put_events(day, [{**STRAY, "sessionId": 5}])
        dags.load("sparkify", keep_strays=True, **window(f"{day}T00:00:00", f"{day}T01:00:00"))
    for day in ("2018-11-15", "2018-11-16"):
        source.put_events(day, [event(f"{day}T00:30:00")])
    [(load_id,)] = warehouse.query("SELECT load_id FROM ops.rejected_rows WHERE file LIKE '%16-events.json'")
    [first], _ = dags.correct(file=KEY)
    [second], _ = dags.correct(load_id=load_id)
    both, _ = dags.correct()
    assert first["window_start"] == "2018-11-15T00:00:00+00:00"
    assert second["window_start"] == "2018-11-16T00:00:00+00:00"
    assert both == [first, second]


@pytest.mark.long
def test_a_dataset_that_is_none_and_corrections_that_fit_nowhere_are_refused(warehouse, source, dags):
    source.put_events("2018-11-15", PLAYS)
    dags.load("sparkify", **window(*DAY))
    with pytest.raises(AirflowFailException, match=r"'films' is no dataset\. Those are: sparkify, stores"):
        dags.correct(dataset="films")
    with pytest.raises(AirflowFailException, match="no rejected row at line 1"):
        dags.correct(corrections=corrected(KEY, 1, PLAYS[1]))


def test_each_window_triggers_a_run_that_the_loading_dag_accepts(dags):
    from airflow.sdk.exceptions import DagRunTriggerException

    conf = {**window(*DAY), "keep_strays": True}
    task = dags.dags["replay_rejected"].get_task("load_again").unmap({"conf": conf})
    for dataset in ("sparkify", "stores"):
        operator = copy.copy(task)
        operator.render_template_fields({"params": {"dataset": dataset}})
        active = SimpleNamespace(get_dag=lambda _: SimpleNamespace(is_paused=False))
        with pytest.raises(DagRunTriggerException) as caught:
            operator.execute({"ti": active, "task": operator})
        assert caught.value.trigger_dag_id == f"{dataset}_etl"
        assert caught.value.wait_for_completion
        assert caught.value.note
        params = copy.deepcopy(dags.dags[f"{dataset}_etl"].params)
        for name, value in caught.value.conf.items():
            params[name] = value
        assert params.validate()["window_start"] == conf["window_start"]


@pytest.mark.long
def test_the_dag_says_what_it_would_do_and_ends_where_there_is_nothing_to_load(warehouse, source, dags):
    source.put_events("2018-11-15", [PLAYS[0], STRAY])
    dags.load("sparkify", keep_strays=True, **window(*DAY))
    dag = DagBag(str(ROOT / "dags" / "replay_rejected.py")).dags["replay_rejected"]
    # Its template reads what `correct` has pushed.
    dag.get_task("check_settled").trigger_rule = "all_done"
    run = dag.test(logical_date=datetime(2031, 1, 1, tzinfo=UTC), run_conf={})
    assert {ti.task_id: ti.state for ti in run.get_task_instances()} == {
        "correct": "success",
        "load_again": "skipped",
        "check_settled": "success",
    }
