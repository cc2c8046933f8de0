"""Tables made by a query or after another table, and views."""

import pytest

from tests.sandbox.redshift.table_definitions import FULL, definition

pytest_plugins = ("tests.sandbox.redshift.table_fixtures",)


def test_like_takes_types_not_null_lengths_and_attributes_but_no_keys(client):
    client.run("CREATE TABLE users (user_id INT PRIMARY KEY)")
    client.run(FULL)
    client.run("CREATE TABLE copied (LIKE plays)")
    assert definition(client, "copied") == definition(client, "plays")
    assert client.run(
        "SELECT count(*) FROM information_schema.table_constraints WHERE table_name = 'copied'"
    ) == [(0,)]
    client.run("INSERT INTO copied VALUES (1, '2018-11-01', NULL, 'paid', 1)")
    assert client.fail("INSERT INTO copied (play_id, start_time, level) VALUES (1, '2018-11-01', 'ääa')") == (
        "22001",
        "value too long for type character varying(4)",
    )
    client.run("CREATE TEMP TABLE with_defaults (LIKE plays INCLUDING DEFAULTS)")
    client.run("INSERT INTO with_defaults (play_id, start_time) VALUES (1, '2018-11-01')")
    assert client.run("SELECT user_id FROM with_defaults") == [(7,)]


def test_keys_of_a_table_made_by_a_query_may_be_numbers_of_its_columns(client):
    client.run("CREATE TABLE t DISTKEY (2) SORTKEY (2, 1) AS SELECT 1 AS a, 2 AS b")
    assert [row[3:5] for row in definition(client, "t")] == [(False, 2), (True, 1)]
    client.fail("CREATE TABLE u DISTKEY (3) AS SELECT 1 AS a, 2 AS b")
    client.fail("CREATE TABLE u (a INT) DISTKEY (1)")


def test_create_table_as_takes_attributes(client):
    client.run("CREATE TABLE source (a INT, b VARCHAR(9))")
    client.run("INSERT INTO source VALUES (1, NULL)")
    client.run("CREATE TABLE made DISTKEY (a) SORTKEY (b) AS SELECT a, NVL(b, 'none') AS b FROM source")
    assert client.run("SELECT * FROM made") == [(1, "none")]
    assert [row[3:5] for row in definition(client, "made")] == [(True, 0), (False, 1)]
    client.run("CREATE TABLE named (x, y) AS SELECT a, b FROM source")
    assert [row[0] for row in definition(client, "named")] == ["x", "y"]
    assert client.fail("CREATE TABLE wrong SORTKEY (c) AS SELECT a FROM source")[0] == "42703"
    assert client.fail("SELECT 1 FROM wrong")[0] == "42P01"


@pytest.mark.parametrize(
    "make",
    [
        *(
            "CREATE TABLE kept AS SELECT *",
            "CREATE TEMP TABLE kept AS SELECT *",
            "CREATE TABLE #kept AS SELECT *",
        ),
        *("CREATE TABLE IF NOT EXISTS kept AS SELECT *", "SELECT * INTO kept", "SELECT * INTO #kept"),
        *("SELECT * INTO TEMP TABLE kept", "WITH x AS (SELECT 1) SELECT * INTO TEMPORARY kept"),
    ],
)
def test_a_table_made_by_a_query_keeps_lengths_in_bytes_and_scales_but_not_not_null(client, make):
    long = "l" * 60
    client.run(f"CREATE TABLE source (a VARCHAR(4) NOT NULL, c CHAR(2), {long} VARCHAR(2), d DECIMAL(5,2))")
    client.run("INSERT INTO source VALUES ('€a', 'x', 'ä', 1.255)")
    table = "#kept" if "#" in make else "kept"
    client.run(f"{make} FROM source")
    assert client.run(f"SELECT a, d::VARCHAR(9) FROM {table}") == [("€a", "1.26")]
    for column, value, type_ in (
        ("a", "€€", "character varying(4)"),
        ("a", "abcde", "character varying(4)"),
        ("c", "ä", "character(2)"),
        (long, "äx", "character varying(2)"),
    ):
        found = client.fail(f"INSERT INTO {table} ({column}) VALUES (%s)", value)
        assert found == ("22001", f"value too long for type {type_}")
    assert client.fail(f"INSERT INTO {table} (d) VALUES (1000)")[0] == "22003"
    client.run(f"INSERT INTO {table} (a, c, d) VALUES (NULL, 'y', 2.345)")
    assert client.run(f"SELECT a, c, d::VARCHAR(9) FROM {table} WHERE c = 'y'") == [(None, "y ", "2.35")]


def test_create_table_as_with_attributes_and_names_keeps_lengths_in_bytes(client):
    client.run("CREATE TABLE source (a VARCHAR(4))")
    client.run("CREATE TABLE made (b) SORTKEY (b) AS SELECT a FROM source")
    assert [row[1] for row in definition(client, "made")] == ["character varying(4)"]
    assert client.fail("INSERT INTO made VALUES ('€€')")[0] == "22001"
    client.run("CREATE TABLE shortened AS SELECT '€€€€€'::VARCHAR(4) AS a")
    client.run("SELECT 'a€€€€€'::VARCHAR(7) AS a INTO #cut")
    assert client.run("SELECT * FROM shortened") == [("€",)]
    assert client.run("SELECT * FROM #cut") == [("a€€",)]


def test_create_table_if_not_exists_as_leaves_an_older_table_as_it_is(client):
    client.run("BEGIN")
    client.run("CREATE TABLE t (a VARCHAR(4))")
    client.run("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS b")
    client.run("COMMIT")
    client.run("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS b")
    assert [row[0] for row in definition(client, "t")] == ["a"]
    assert client.fail("INSERT INTO t VALUES ('€€')")[0] == "22001"


def test_create_table_if_not_exists_leaves_an_older_table_as_it_is(client):
    client.run("CREATE TABLE t (a INT)")
    client.run("CREATE TABLE IF NOT EXISTS t (a INT PRIMARY KEY SORTKEY DISTKEY, gone INT UNIQUE)")
    assert definition(client, "t") == [("a", "integer", "az64", False, 0, False)]


def test_views_with_and_without_schema_binding(client):
    client.run("CREATE TABLE t (a INT)")
    client.run("CREATE OR REPLACE VIEW v AS SELECT NVL(a, 0) AS a FROM t")
    client.run("CREATE VIEW late AS SELECT a FROM tables.t WITH NO SCHEMA BINDING")
    client.run("INSERT INTO t VALUES (NULL)")
    assert client.run("SELECT v.a, late.a FROM v, late") == [(0, None)]
