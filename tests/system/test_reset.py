"""What warehouse_reset takes away, what it asks for first, and what a run brings back afterwards."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from definitions import DATASETS
from definitions.sparkify import SPARKIFY
from sandbox.parts import postgres
from sparkify.warehouse.schema import made_relation
from sparkify.warehouse.sql import split_statements
from tests.faults import datasets
from tests.faults.questions import of_strangers
from tests.pipeline import STAR
from tests.records import event
from tests.system.conftest import ROOT

TWO_DAYS = ("2018-11-14T00:00:00", "2018-11-16T00:00:00")
AN_HOUR = ("2018-11-15T10:00:00", "2018-11-15T11:00:00")
RECORDS = (
    "staged_files",
    "sources",
    "loads",
    "rejected_rows",
    "quality_results",
    "quality_measures",
    "changes_taken",
    "changes",
)
HIT = {"song": "Hit", "artist": "Name", "length": 1.5}

_seconds = itertools.count()


@pytest.fixture(scope="module")
def dag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags" / "warehouse_reset.py")).dags["warehouse_reset"]


@pytest.fixture
def loaded(warehouse, source, run_etl):
    """Two days of plays, one of a song that came after it; an hour of the first day was staged twice."""
    plays = {
        day: [
            event(f"2018-11-{day}T{hour:02}:30:00", sessionId=hour, userId=str(hour), **HIT)
            for hour in range(8, 12)
        ]
        for day in (14, 15)
    }
    for day, events in plays.items():
        source.put_events(f"2018-11-{day}", events)
    assert run_etl((TWO_DAYS[0], "2018-11-15T00:00:00")).state == "success"
    source.put_song("TRAAA1", song_id="SO1", title="Hit", artist_name="Name", duration=1.5)
    source.put_song("TRAAA2", song_id="SO2", artist_id="AR2")
    source.put_events("2018-11-14", [*plays[14], event("2018-11-14T09:45:00", song="Other")])
    assert run_etl(("2018-11-15T00:00:00", TWO_DAYS[1])).state == "success"
    assert warehouse.query("SELECT COUNT(*), COUNT(song_id) FROM songplays") == [(9, 8)]
    assert warehouse.query("SELECT COUNT(window_start), COUNT(*) FROM ops.changes") == [(1, 2)]
    return warehouse


@pytest.fixture
def filled(dag, warehouse):
    """A row in every loaded table, which no load has put there."""
    recreate(dag)
    at = "'2018-11-14 08:30:00'"
    warehouse.execute(
        f"INSERT INTO staging_events (ts) VALUES ({at})",
        "INSERT INTO staging_songs (song_id) VALUES ('SO1')",
        f"INSERT INTO users (user_id, level_as_of) VALUES (1, {at})",
        "INSERT INTO artists (artist_id) VALUES ('AR1')",
        "INSERT INTO songs (song_id) VALUES ('SO1')",
        f"INSERT INTO time VALUES ({at}, 8, 14, 46, 11, 2018, 3)",
        f"INSERT INTO songplays (songplay_id, start_time, user_id) VALUES ('x', {at}, 1)",
    )
    return warehouse


def reset(dag, *, conn_id="redshift_default", more_ddl=(), **params):
    """Run the DAG's operator, as a run with these params would."""
    operator = dag.get_task("reset_tables").prepare_for_execution()
    operator.conn_id = conn_id
    run = {"dag_id": "warehouse_reset", "run_id": "test_run", "task_id": "reset_tables"}
    instance = SimpleNamespace(**run, get_dr_count=lambda **_: 0)
    context = {"ti": instance, "params": {"action": "empty", "tables": [], "confirmation": "", **params}}
    operator.render_template_fields(context)
    operator.sql += more_ddl
    return operator.execute(context)


def empty(dag, *tables, **arguments):
    return reset(dag, tables=list(tables), confirmation=" ".join(tables), **arguments)


def recreate(dag, **arguments):
    return reset(dag, action="recreate", confirmation="sparkify", **arguments)


def everything(warehouse):
    """Every row of every table, the records in `ops` included."""
    records = {table: sorted(warehouse.query(f"SELECT * FROM ops.{table}"), key=repr) for table in RECORDS}
    return warehouse.contents() | records


def contradictions(warehouse):
    """What is wrong with the tables; that only sparkify_etl has written them is not to be expected here."""
    under_test = datasets.SPARKIFY
    known = of_strangers(under_test.dataset.loaded_by, under_test.tables)
    asked = {**under_test.contradictions, **under_test.in_the_end}
    return [what for what, sql in asked.items() if what not in known and warehouse.query(sql) != [(0,)]]


@pytest.mark.parametrize(
    "asked",
    [
        {"tables": ["songplays"]},
        {"tables": ["songplays"], "confirmation": None},
        {"tables": ["songplays"], "confirmation": "yes"},
        {"tables": ["songplays"], "confirmation": "users"},
        {"tables": ["songplays"], "confirmation": "songplays users"},
        {"tables": ["songplays", "users"], "confirmation": "songplays"},
        {"action": "recreate"},
        {"action": "recreate", "confirmation": "recreate"},
        {"action": "recreate", "confirmation": " ".join(STAR)},
    ],
)
def test_nothing_happens_before_the_right_confirmation_which_the_message_gives(dag, filled, asked):
    before = everything(filled)
    with pytest.raises(AirflowFailException, match="Nothing was changed, because the confirmation") as caught:
        reset(dag, **asked)
    assert everything(filled) == before
    reset(dag, **{**asked, "confirmation": str(caught.value).rpartition("confirmation: ")[2]})
    assert filled.counts()["songplays"] == 0


def test_a_table_of_another_user_under_one_of_the_names_is_not_dropped(dag, filled, sandbox):
    before = everything(filled)
    with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as admin:
        owner = admin.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'songs'").fetchone()[0]
        admin.execute("ALTER TABLE public.songs OWNER TO CURRENT_USER")
        try:
            with pytest.raises(AirflowFailException, match=r"Nothing was changed.*public\.songs of"):
                recreate(dag)
        finally:
            admin.execute(f'ALTER TABLE public.songs OWNER TO "{owner}"')
    assert everything(filled) == before


@pytest.mark.parametrize(
    "typed", ["users time songplays", "time,users, songplays", " time users\nsongplays "]
)
def test_the_names_may_be_typed_in_any_order(dag, filled, typed):
    tables = ["songplays", "users", "time"]
    assert reset(dag, tables=tables, confirmation=typed) == tables


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"tables": ["songplays", "ops.loads"]}, "There is no table ops.loads to empty"),
        ({"tables": ["plays"]}, "There is no table plays to empty. The tables are: staging_events, "),
        ({"tables": []}, "Choose at least one table"),
        ({"tables": None}, "Choose at least one table"),
        ({"action": "recreate", "tables": ["users"]}, "The action recreate is for all tables"),
        ({"action": "drop", "tables": ["users"]}, "The action is empty or recreate, not 'drop'"),
    ],
)
def test_what_cannot_be_meant_is_refused_whatever_the_confirmation(dag, filled, asked, message):
    before = everything(filled)
    for typed in (" ".join(asked.get("tables") or []), "sparkify"):
        with pytest.raises(AirflowFailException, match=message):
            reset(dag, **asked, confirmation=typed)
    assert everything(filled) == before


CHOICES = [
    ["staging_events"],
    ["staging_songs"],
    ["songs", "artists"],
    ["songplays"],
    ["users", "time"],
    list(SPARKIFY.tables),
]


@pytest.mark.parametrize("tables", CHOICES, ids="+".join)
def test_a_run_over_the_same_window_brings_back_what_was_emptied(dag, loaded, run_etl, tables):
    before = loaded.contents()
    assert empty(dag, *tables) == tables
    assert loaded.contents() == before | {table: [] for table in tables}
    assert run_etl(TWO_DAYS).state == "success"
    assert loaded.contents() == before
    assert loaded.query("SELECT COUNT(*), COUNT(song_id) FROM songplays") == [(9, 8)]
    assert contradictions(loaded) == []


def test_a_run_over_the_same_window_brings_back_what_was_dropped(dag, loaded, run_etl):
    before = loaded.contents()
    assert {"songplays", "store_sales"} <= set(recreate(dag))
    assert set(map(tuple, everything(loaded).values())) == {()}
    assert run_etl(TWO_DAYS).state == "success"
    assert loaded.contents() == before
    assert contradictions(loaded) == []


@pytest.mark.parametrize("conn_id", ["redshift_default", "postgres_sandbox"])
def test_recreated_tables_are_those_of_the_schema_whatever_they_were_before(dag, filled, conn_id):
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    before = sorted(filled.query(columns))
    filled.execute("ALTER TABLE users ADD COLUMN mood VARCHAR(16)", "DROP TABLE ops.changes")
    recreate(dag, conn_id=conn_id)
    assert sorted(filled.query(columns)) == before
    assert set(map(tuple, everything(filled).values())) == {()}


def test_an_empty_database_is_given_its_tables(dag, warehouse):
    recreate(dag)
    assert set(map(tuple, everything(warehouse).values())) == {()}


@pytest.mark.parametrize("conn_id", ["redshift_default", "postgres_sandbox"])
def test_what_was_emptied_stays_on_record_and_stands_for_no_hour(dag, loaded, conn_id):
    loads = "SELECT target_table, COUNT(*), COUNT(window_end) FROM ops.loads GROUP BY target_table"
    before = {table: row for table, *row in loaded.query(loads)}
    empty(dag, "staging_events", "users", conn_id=conn_id)
    after = {table: row for table, *row in loaded.query(loads)}
    changed = {table: [before[table][0] + 1, 0] for table in ("staging_events", "users")}
    assert after == before | changed
    assert sorted(
        loaded.query(
            "SELECT target_table, rows_deleted, rows_inserted FROM ops.loads WHERE dag_id = 'warehouse_reset'"
        )
    ) == [("staging_events", 9, 0), ("users", 5, 0)]
    assert loaded.query("SELECT DISTINCT dataset FROM ops.staged_files") == [("staging_songs",)]
    assert loaded.query("SELECT source_table FROM ops.changes") == [("staging_songs",)]


def test_the_next_run_does_not_look_back_at_hours_that_were_emptied(dag, loaded, run_etl):
    empty(dag, "staging_events", "songplays", "time")
    assert run_etl(AN_HOUR).state == "success"
    counts = loaded.counts()
    assert (counts["staging_events"], counts["songplays"], counts["time"]) == (1, 1, 1)


def test_plays_that_were_emptied_come_back_hour_by_hour_also_those_that_once_were_late(dag, loaded, run_etl):
    empty(dag, "songplays")
    assert run_etl(AN_HOUR).state == "success"
    assert loaded.query("SELECT start_time FROM songplays") == [(datetime(2018, 11, 15, 10, 30),)]
    assert contradictions(loaded) == []


def test_plays_that_were_loaded_while_there_were_no_songs_get_them_with_the_next_run(dag, loaded, run_etl):
    before = loaded.contents()
    empty(dag, "songs")
    loaded.execute("UPDATE songplays SET song_id = NULL, artist_id = NULL")
    assert run_etl(("2018-11-20T00:00:00", "2018-11-20T01:00:00")).state == "success"
    assert loaded.contents() == before


def test_rejected_rows_of_an_emptied_table_are_forgotten_and_no_others(dag, loaded):
    rejected = "SELECT 's3://b/k', 1, 'ts', 'x', 'bad', '{{}}', MAX(load_id) FROM ops.loads"
    rejected += " WHERE target_table = '{}'"
    for table in ("staging_events", "staging_songs"):
        loaded.execute(f"INSERT INTO ops.rejected_rows {rejected.format(table)}")
    empty(dag, "staging_events")
    assert loaded.query(
        "SELECT target_table FROM ops.rejected_rows AS r INNER JOIN ops.loads AS l ON r.load_id = l.load_id"
    ) == [("staging_songs",)]


def test_a_statement_that_fails_leaves_emptied_tables_as_they_were(dag, filled):
    before = everything(filled)
    filled.execute("ALTER TABLE ops.changes RENAME TO elsewhere")
    with pytest.raises(AirflowFailException, match="changes"):
        empty(dag, *STAR)
    filled.execute("ALTER TABLE ops.elsewhere RENAME TO changes")
    assert everything(filled) == before


def test_a_statement_that_fails_leaves_dropped_tables_as_they_were(dag, filled):
    before = everything(filled)
    with pytest.raises(AirflowFailException, match="no_such_type"):
        recreate(dag, more_ddl=["CREATE TABLE IF NOT EXISTS broken (id no_such_type)"])
    assert everything(filled) == before


def test_a_view_that_stands_on_a_table_keeps_it_from_being_dropped(dag, filled):
    filled.execute("CREATE VIEW of_an_analyst AS SELECT user_id FROM users")
    before = everything(filled)
    with pytest.raises(AirflowFailException, match="cannot drop table"):
        recreate(dag)
    assert everything(filled) == before


@pytest.mark.parametrize("action", [lambda dag: empty(dag, "users"), recreate], ids=["empty", "recreate"])
def test_a_load_that_has_begun_is_waited_for_and_may_read_what_it_loads_from(dag, filled, action):
    cursor = filled.connection.cursor()
    cursor.execute("LOCK TABLE ops.lock_songplays")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(action, dag)
        # Longer than PostgreSQL waits before it looks for a deadlock: it would then be this load that dies.
        time.sleep(1.5)
        is_waiting = not waiting.done()
        for table in STAR:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
        filled.execute("INSERT INTO users (user_id, level_as_of) VALUES (77, '2018-11-14')")
        assert "users" in waiting.result(timeout=30)
    assert is_waiting
    assert filled.counts()["users"] == 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"tables": ["ops.loads"], "confirmation": "ops.loads"}, "'ops.loads' is not one of"),
        ({"action": "drop"}, "'drop' is not one of"),
        ({"tables": ["users", "users"], "confirmation": "users"}, "non-unique"),
    ],
)
def test_the_form_takes_only_what_it_offers(dag, asked, message):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError, match=message):
        dag.test(logical_date=moment(), run_conf=asked)


def test_the_dag_fails_as_it_is_triggered_by_default_and_does_what_was_confirmed(dag, filled):
    before = everything(filled)
    # Without conf first: dag.test() leaves a run's conf in the params of the DAG object.
    assert dag.test(logical_date=moment()).state == "failed"
    assert everything(filled) == before
    asked = {"tables": ["songplays", "time"], "confirmation": "time songplays"}
    assert dag.test(logical_date=moment(), run_conf=asked).state == "success"
    assert filled.contents() == {table: before[table] for table in STAR} | {"songplays": [], "time": []}


def test_the_dag_refuses_while_a_run_of_sparkify_etl_is_under_way(dag, loaded, run_dag, capsys):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    run_id = run_dag(at=datetime(2018, 11, 15, 10, tzinfo=UTC)).run_id
    before = everything(loaded)
    asked = {"action": "empty", "tables": ["songplays"], "confirmation": "songplays"}
    with create_session() as session:
        session.query(DagRun).filter_by(run_id=run_id).one().state = "running"
    try:
        assert dag.test(logical_date=moment(), run_conf=asked).state == "failed"
    finally:
        with create_session() as session:
            session.query(DagRun).filter_by(run_id=run_id).one().state = "success"
    assert everything(loaded) == before
    assert "runs of sparkify_etl are under way: 1" in capsys.readouterr().out
    assert dag.test(logical_date=moment(), run_conf=asked).state == "success"


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_dataset_names_the_tables_that_its_files_make_in_their_order(dataset):
    texts = [(ROOT / "include" / name).read_text() for name in dataset.schema]
    made = [made_relation(statement) for text in texts for statement in split_statements(text)]
    assert [relation.name for relation in made if relation.kind == "TABLE"] == [
        *dataset.tables,
        *dataset.beside.values(),
    ]
    files = {
        path.relative_to(ROOT / "include") for path in (ROOT / "include" / dataset.name).glob("**/*.sql")
    }
    assert {path for path in files if "schema" in path.parts[1]} == set(map(Path, dataset.schema))
    assert {*dataset.published, *dataset.window_loads} <= set(dataset.tables)


def moment():
    """A logical date that no other run of the DAG has."""
    return datetime(2032, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_seconds))
