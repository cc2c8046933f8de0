"""KeepUpTablesOperator: which tables are vacuumed and analyzed, how long, and what is said of the rest."""

import json
from functools import partial

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox.parts import postgres
from sparkify.operators import KeepUpTablesOperator
from tests.contexts import task_context
from tests.sandbox.redshift.endpoint_clients import admin_rows, run_apart

SMALL, LARGE = "INSERT INTO upkeep.small SELECT {}", "INSERT INTO upkeep.large SELECT {} FROM upkeep.digits"
INFO = """SELECT "table", unsorted, stats_off, tbl_rows - estimated_visible_rows FROM svv_table_info
    WHERE schema = 'upkeep' AND "table" <> 'digits' ORDER BY 1"""


@pytest.fixture
def run(sandbox):
    """Run statements, each in a session of its own; two tables are there, sorted and analyzed."""
    run = partial(run_apart, sandbox, user=sandbox.loader)
    run("DROP SCHEMA IF EXISTS upkeep CASCADE", "CREATE SCHEMA upkeep")
    run(
        "CREATE TABLE upkeep.digits (a INT)",
        "INSERT INTO upkeep.digits VALUES (1), (2), (3), (4), (5), (6), (7)",
    )
    run("CREATE TABLE upkeep.small (a INT) SORTKEY (a)", "CREATE TABLE upkeep.large (a INT) SORTKEY (a)")
    run(SMALL.format(1), SMALL.format(2), LARGE.format(1), LARGE.format(2))
    run("VACUUM upkeep.small", "VACUUM upkeep.large", "ANALYZE upkeep.small", "ANALYZE upkeep.large")
    yield run
    run("DROP SCHEMA upkeep CASCADE")


def keep_up(conn_id="redshift_default", **arguments):
    tables = ["upkeep.large", "upkeep.small", "upkeep.empty", "no_such_table"]
    operator = KeepUpTablesOperator(task_id="keep_up", conn_id=conn_id, tables=tables, **arguments)
    # Those in ops are other tests'.
    done = operator.execute(task_context())
    return [sql for sql in done if "upkeep" in sql]


def test_tables_that_are_in_order_are_left_alone(run, conn_id):
    assert keep_up(conn_id) == []


def test_unsorted_rows_are_sorted_and_statistics_renewed_small_tables_first(run, conn_id):
    run(SMALL.format(3), LARGE.format(3), "CREATE TABLE upkeep.empty (a INT) SORTKEY (a)")
    assert keep_up(conn_id) == [
        'VACUUM FULL "upkeep"."small" TO 90 PERCENT',
        'ANALYZE "upkeep"."small"',
        'VACUUM FULL "upkeep"."large" TO 90 PERCENT',
        'ANALYZE "upkeep"."large"',
    ]
    assert [tuple(map(int, row)) for _, *row in run(INFO)] == [(0, 0, 0), (0, 0, 0)]
    assert keep_up(conn_id) == []


def test_deleted_rows_are_taken_away_without_sorting(run, conn_id):
    run("DELETE FROM upkeep.small WHERE a = 1")
    assert keep_up(conn_id, stats_off_percent=100) == ['VACUUM DELETE ONLY "upkeep"."small" TO 80 PERCENT']
    assert [int(row[3]) for row in run(INFO)] == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "done"),
    [
        ({"unsorted_percent": 50}, ['ANALYZE "upkeep"."small"']),
        (
            {"unsorted_percent": "25", "stats_off_percent": "50"},
            ['VACUUM FULL "upkeep"."small" TO 75 PERCENT'],
        ),
        ({"stats_off_percent": 50, "boost": "True"}, ['VACUUM FULL "upkeep"."small" TO 90 PERCENT BOOST']),
        ({"unsorted_percent": 50, "stats_off_percent": 50}, []),
    ],
)
def test_only_what_is_beyond_a_threshold_is_done(run, arguments, done):
    run(SMALL.format(3))
    assert keep_up(**arguments) == done


def test_what_no_time_is_left_for_is_named_and_done_by_the_next_run(run, conn_id):
    run(SMALL.format(3))
    with pytest.raises(AirflowFailException, match=r'VACUUM FULL "upkeep"."small" .*: no time was left'):
        keep_up(conn_id, max_minutes=0)
    assert len(keep_up(conn_id)) == 2


def test_a_vacuum_that_takes_too_long_is_ended_and_smaller_tables_are_done_before(run, sandbox, conn_id):
    run(SMALL.format(3), LARGE.format(3))
    with psycopg.connect(postgres.admin_dsn(sandbox)) as holder:
        # What keeps VACUUM waiting and nobody else.
        holder.execute("LOCK upkeep.large IN SHARE UPDATE EXCLUSIVE MODE")
        with pytest.raises(AirflowFailException, match=r'VACUUM FULL "upkeep"."large" .*: no time') as told:
            keep_up(conn_id, max_minutes=2 / 60)
    assert "small" not in str(told.value)
    assert [int(row[1]) for row in run(INFO)] == [33, 0]


def test_a_table_of_another_user_is_named_because_nothing_changes(run, sandbox):
    run(SMALL.format(3))
    with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as admin:
        owner = admin.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'small'").fetchone()[0]
        admin.execute("ALTER TABLE upkeep.small OWNER TO CURRENT_USER")
        admin.execute(f'GRANT SELECT ON upkeep.small TO "{owner}"')
        try:
            with pytest.raises(
                AirflowFailException, match="changed nothing: the table belongs to another user"
            ):
                keep_up()
        finally:
            admin.execute(f'ALTER TABLE upkeep.small OWNER TO "{owner}"')


def test_who_may_not_read_svv_table_info_is_told_what_to_grant(run, sandbox, monkeypatch):
    before = admin_rows(sandbox, "SELECT has_table_privilege('public', 'svv_table_info', 'SELECT')")[0][0]
    admin_run = partial(_as_admin, sandbox)
    admin_run(
        "CREATE ROLE stranger LOGIN PASSWORD 'Stranger1'", "REVOKE SELECT ON svv_table_info FROM PUBLIC"
    )
    extra = {
        "login": "stranger",
        "password": "Stranger1",
        "schema": sandbox.database,
        "extra": {"ssl": False},
    }
    where = {"conn_type": "redshift", "host": "127.0.0.1", "port": sandbox.redshift_port}
    monkeypatch.setenv("AIRFLOW_CONN_STRANGER", json.dumps({**where, **extra}))
    try:
        with pytest.raises(AirflowFailException, match='GRANT SELECT ON svv_table_info TO "stranger"'):
            keep_up("stranger")
    finally:
        admin_run("DROP ROLE stranger", *(["GRANT SELECT ON svv_table_info TO PUBLIC"] if before else []))


def _as_admin(settings, *statements):
    with psycopg.connect(postgres.admin_dsn(settings), autocommit=True) as admin:
        for sql in statements:
            admin.execute(sql)
