"""Materialized views: what is stored, when it follows its tables, who may what, and what tools read of it."""

import pytest

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg, connect_redshift, wait_until

# As dbt-redshift writes it, with the database's name.
DBT_CREATE = """create materialized view "sparkify"."mvs"."plays_by_user"
    backup no
    diststyle key
    distkey (user_id)
    sortkey (user_id,plays)
    auto refresh no
as (
    select user_id, count(*) as plays from mvs.plays group by user_id
)"""
PASSWORD = "Aa0alice"


@pytest.fixture(params=["redshift_connector", "psycopg"])
def client(request, sandbox):
    """A session that commits each statement, and a schema with a table."""
    with connect_psycopg(sandbox) as master:
        master.execute("DROP SCHEMA IF EXISTS mvs CASCADE")
        master.execute("CREATE SCHEMA mvs")
        master.execute("CREATE TABLE mvs.plays (user_id INTEGER, level VARCHAR(10))")
        master.execute("INSERT INTO mvs.plays VALUES (1, 'free'), (1, 'paid'), (2, 'free')")
        if request.param == "psycopg":
            yield Client(master)
        else:
            connection = connect_redshift(sandbox)
            connection.autocommit = True
            yield Client(connection)
            connection.close()
        master.execute("DROP SCHEMA mvs CASCADE")


def stale(client, name="plays_by_user"):
    return client.run(f"SELECT is_stale FROM stv_mv_info WHERE name = '{name}'") == [("t",)]


def test_a_view_keeps_its_rows_until_it_is_refreshed(client):
    client.run(DBT_CREATE)
    rows = "SELECT user_id, plays FROM mvs.plays_by_user ORDER BY 1"
    assert client.run(rows) == [(1, 2), (2, 1)]
    assert not stale(client)
    for change, expected in (
        ("INSERT INTO mvs.plays VALUES (3, 'paid')", [(1, 2), (2, 1), (3, 1)]),
        ("DELETE FROM mvs.plays WHERE user_id = 1", [(2, 1), (3, 1)]),
        ("UPDATE mvs.plays SET user_id = 4 WHERE user_id = 3", [(2, 1), (4, 1)]),
        ("TRUNCATE mvs.plays", []),
    ):
        before = client.run(rows)
        client.run(change)
        assert client.run(rows) == before
        assert stale(client)
        client.run("REFRESH MATERIALIZED VIEW mvs.plays_by_user")
        assert client.run(rows) == expected
        assert not stale(client)


def test_another_sessions_changes_make_it_stale(client, sandbox):
    client.run(DBT_CREATE)
    with connect_psycopg(sandbox) as other:
        other.execute("INSERT INTO mvs.plays VALUES (3, 'paid')")
    wait_until(lambda: stale(client))


def test_what_depends_on_it_is_refreshed_by_cascade_only(client):
    client.run(DBT_CREATE)
    client.run("CREATE MATERIALIZED VIEW mvs.total AS SELECT SUM(plays) AS n FROM mvs.plays_by_user")
    client.run("CREATE MATERIALIZED VIEW mvs.twice AS SELECT n * 2 AS n FROM mvs.total")
    client.run("INSERT INTO mvs.plays VALUES (3, 'paid')")
    client.run("REFRESH MATERIALIZED VIEW mvs.plays_by_user")
    assert client.run("SELECT n FROM mvs.twice") == [(6,)]
    client.run("REFRESH MATERIALIZED VIEW mvs.plays_by_user CASCADE")
    assert client.run("SELECT n FROM mvs.twice") == [(8,)]
    deps = (
        "SELECT TRIM(name), TRIM(ref_schema), TRIM(ref_name) FROM stv_mv_deps WHERE schema = 'mvs' ORDER BY 1"
    )
    assert client.run(deps) == [("total", "mvs", "plays_by_user"), ("twice", "mvs", "total")]
    refreshed = (
        "SELECT TRIM(mv_name), COUNT(*), MIN(status) FROM svl_mv_refresh_status "
        "WHERE schema_name = 'mvs' AND endtime >= starttime AND xid > 0 "
        "AND starttime > (SELECT starttime FROM stv_sessions WHERE process = pg_backend_pid()) "
        "GROUP BY mv_name ORDER BY 1"
    )
    status = "Refresh successfully recomputed MV from scratch"
    assert client.run(refreshed) == [("plays_by_user", 2, status), ("total", 1, status), ("twice", 1, status)]
    assert client.fail("DROP MATERIALIZED VIEW mvs.total")[0] == "2BP01"
    assert client.fail("DROP TABLE mvs.plays")[0] == "2BP01"
    client.run("DROP MATERIALIZED VIEW mvs.plays_by_user CASCADE")
    assert client.run("SELECT COUNT(*) FROM svv_mv_info WHERE schema_name = 'mvs'") == [(0,)]


def test_a_refresh_is_undone_with_its_transaction(client):
    client.run(DBT_CREATE)
    client.run("BEGIN")
    client.run("INSERT INTO mvs.plays VALUES (3, 'paid')")
    client.run("REFRESH MATERIALIZED VIEW mvs.plays_by_user")
    assert client.run("SELECT COUNT(*) FROM mvs.plays_by_user") == [(3,)]
    client.run("ROLLBACK")
    assert client.run("SELECT COUNT(*) FROM mvs.plays_by_user") == [(2,)]


def test_dbt_finds_it_and_its_configuration(client):
    """The statements of dbt-redshift's macros that list relations and describe a materialized view."""
    client.run(DBT_CREATE)
    assert client.run(
        "select table_name, case when view_definition ilike '%create materialized view%' "
        "then 'materialized_view' else 'view' end "
        "from information_schema.views where table_schema ilike 'mvs'"
    ) == [("plays_by_user", "materialized_view")]
    assert client.run(
        "select tb.database, tb.schema, tb.table, tb.diststyle, tb.sortkey1, mv.autorefresh "
        "from svv_table_info tb left join svv_mv_info mv on mv.database_name = tb.database "
        "and mv.schema_name = tb.schema and mv.name = tb.table "
        "where tb.table ilike 'plays_by_user' and tb.schema ilike 'mvs' and tb.database ilike 'sparkify'"
    ) == [("sparkify", "mvs", "plays_by_user", "KEY(user_id)", "user_id", "f")]
    [(definition,)] = client.run(
        "select vw.definition from pg_views vw where vw.viewname = 'plays_by_user' and vw.schemaname = 'mvs' "
        "and vw.definition ilike '%create materialized view%'"
    )
    assert definition == DBT_CREATE + ";"
    columns = (
        "select column_name from information_schema.columns where table_name = 'plays_by_user' order by 1"
    )
    assert client.run(columns) == [("plays",), ("user_id",)]
    client.run('alter materialized view "sparkify"."mvs"."plays_by_user" auto refresh no')
    client.run('refresh materialized view "sparkify"."mvs"."plays_by_user"')
    client.run('drop materialized view if exists "sparkify"."mvs"."plays_by_user" cascade')
    client.run('drop materialized view if exists "sparkify"."mvs"."plays_by_user" cascade')


def test_only_its_owner_refreshes_alters_and_drops_it(client, sandbox):
    client.run(DBT_CREATE)
    client.run(f"CREATE USER alice PASSWORD '{PASSWORD}'")
    try:
        client.run("GRANT USAGE ON SCHEMA mvs TO alice")
        with connect_psycopg(sandbox, user="alice", password=PASSWORD) as connection:
            alice = Client(connection)
            assert alice.fail("SELECT * FROM mvs.plays_by_user")[0] == "42501"
            client.run("GRANT SELECT ON mvs.plays_by_user TO alice")
            assert len(alice.run("SELECT * FROM mvs.plays_by_user")) == 2
            for statement in (
                "REFRESH MATERIALIZED VIEW mvs.plays_by_user",
                "ALTER MATERIALIZED VIEW mvs.plays_by_user AUTO REFRESH NO",
                "DROP MATERIALIZED VIEW mvs.plays_by_user",
                "CREATE MATERIALIZED VIEW public.mine AS SELECT user_id FROM mvs.plays",
                "SELECT pg_internal.declare_materialized_view('mvs.plays_by_user', 'mine')",
                "SELECT pg_internal.store_refresh('mvs.plays_by_user')",
            ):
                assert alice.fail(statement)[0] == "42501", statement
    finally:
        client.run("REVOKE ALL ON mvs.plays_by_user FROM alice")
        client.run("REVOKE ALL ON SCHEMA mvs FROM alice")
        client.run("DROP USER alice")


def test_what_cannot_be_done_with_one_is_refused(client):
    client.run(DBT_CREATE)
    client.run("CREATE VIEW mvs.plain AS SELECT * FROM mvs.plays")
    client.run("CREATE TEMP TABLE passing (a INTEGER)")
    for statement, code in (
        ("CREATE MATERIALIZED VIEW mvs.m AS SELECT * FROM mvs.plain", "0A000"),
        ("CREATE MATERIALIZED VIEW mvs.m AS SELECT * FROM passing", "0A000"),
        ("CREATE MATERIALIZED VIEW mvs.plays_by_user AS SELECT 1 AS a", "42P07"),
        ("ALTER TABLE mvs.plays_by_user RENAME TO other", "0A000"),
        ("ALTER TABLE mvs.plays_by_user RENAME COLUMN plays TO other", "0A000"),
        ("DROP VIEW mvs.plays_by_user", "42809"),
        ("DROP TABLE mvs.plays_by_user", "42809"),
        ("INSERT INTO mvs.plays_by_user VALUES (1, 1)", "42809"),
        ("TRUNCATE mvs.plays_by_user", "42809"),
        ("DROP MATERIALIZED VIEW mvs.plain", "42809"),
        ("REFRESH MATERIALIZED VIEW mvs.plain", "42809"),
    ):
        assert client.fail(statement)[0] == code, statement
    client.run("DROP TABLE passing")
