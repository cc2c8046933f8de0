"""What Redshift converts by itself and which names it finds, in every protocol; published statements.

Single answers are in the conformance suite (implicit_conversions.yaml, lateral_aliases.yaml).
"""

from contextlib import closing
from datetime import datetime

import pytest

from tests.sandbox.redshift.endpoint_clients import (
    Client,
    connect_psycopg,
    connect_redshift,
    in_background,
    wait_until,
    waiting,
)

EVENTS = [
    # sessionid, ts, userid, level, page
    (139, 1541121934796, "10", "free", "NextSong"),
    (139, 1541122176796, "10", "paid", "NextSong"),
    (582, 1541207123796, "8", "free", "NextSong"),
    (582, 1541207123796, "8", "free", "Home"),
]


@pytest.fixture(scope="module", params=["redshift_connector", "psycopg", "psycopg extended"])
def client(sandbox, request):
    """A client with the staging tables that published projects make."""
    connect = connect_redshift if request.param == "redshift_connector" else connect_psycopg
    with closing(connect(sandbox)) as connection:
        connection.autocommit = True
        if "extended" in request.param:
            connection.prepare_threshold = 0
        client = Client(connection)
        client.run(
            "CREATE TEMP TABLE events"
            " (sessionid INT, ts BIGINT, userid VARCHAR(20), level VARCHAR(10), page VARCHAR(20))"
        )
        for event in EVENTS:
            client.run("INSERT INTO events VALUES (%s, %s, %s, %s, %s)", *event)
        client.run("CREATE TEMP TABLE users (userid INT, level VARCHAR(10))")
        client.run("INSERT INTO users VALUES (8, 'free'), (10, 'free'), (15, 'paid')")
        yield client


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (  # the stock statement of the course's Airflow project
            "SELECT md5(events.sessionid || events.start_time) AS songplay_id, events.start_time FROM"
            " (SELECT TIMESTAMP 'epoch' + ts/1000 * INTERVAL '1 second' AS start_time, *"
            "  FROM events WHERE page = 'NextSong') events ORDER BY start_time LIMIT 1",
            [("798e742b7da06af14c817fe8ca1d6a6e", datetime(2018, 11, 2, 1, 25, 34))],
        ),
        (
            "SELECT DISTINCT TIMESTAMP 'epoch' + ts/1000 * INTERVAL '1 second' AS start_time,"
            " EXTRACT(hour FROM start_time) AS hour, EXTRACT(day FROM start_time) AS day,"
            " EXTRACT(week FROM start_time) AS week, EXTRACT(month FROM start_time) AS month,"
            " EXTRACT(year FROM start_time) AS year, EXTRACT(dayofweek FROM start_time) AS weekday"
            " FROM events WHERE start_time IS NOT NULL ORDER BY start_time LIMIT 1",
            [(datetime(2018, 11, 2, 1, 25, 34), 1, 2, 44, 11, 2018, 5)],
        ),
        (
            "SELECT DISTINCT CAST(userid AS INT), level FROM events WHERE page = 'NextSong' AND userid NOT IN"
            " (SELECT DISTINCT userid FROM users WHERE level = 'paid') ORDER BY 1, 2",
            [(8, "free"), (10, "free"), (10, "paid")],
        ),
        (
            "SELECT u.userid FROM users u JOIN events e ON u.userid = e.userid AND e.level = 'paid'",
            [(10,)],
        ),
        ("SELECT COUNT(*) FROM events WHERE userid = 8 AND sessionid LIKE '58%'", [(2,)]),
        ("SELECT DISTINCT LEFT(ts, 4), LEN(sessionid) FROM events", [("1541", 3)]),
        (
            "WITH e AS (SELECT sessionid * 2 AS s, s + 1 AS t FROM events) SELECT MAX(t) AS m, m + 1 FROM e",
            [(1165, 1166)],
        ),
    ],
)
def test_statements_of_published_projects_run_unchanged(client, sql, expected):
    # A % in a text is psycopg's only where there are values.
    assert client.run(sql) == expected


@pytest.mark.parametrize(
    ("sql", "values", "expected"),
    [
        ("SELECT COUNT(*) FROM events WHERE userid = %s", [8], [(2,)]),
        ("SELECT COUNT(*) FROM events WHERE sessionid = %s", ["139"], [(2,)]),
        ("SELECT COUNT(*) FROM events WHERE userid IN (%s, %s)", [8, 10], [(4,)]),
        ("SELECT MIN(sessionid || %s) FROM events", ["-x"], [("139-x",)]),
        ("SELECT sessionid + 1 AS s, s + 1 FROM events WHERE s > %s LIMIT 1", [500], [(583, 584)]),
        (
            "SELECT a AS b, b + 1 FROM (SELECT sessionid AS a FROM events WHERE userid = %s LIMIT 1) x"
            " WHERE b > %s",
            ["8", 1],
            [(582, 583)],
        ),
    ],
)
def test_bound_values_take_part(client, sql, values, expected):
    assert client.run(sql, *values) == expected


def test_a_column_takes_priority_over_an_alias_as_soon_as_there_is_one(client):
    client.run("CREATE TEMP TABLE p (clicks INT, impressions INT)")
    client.run("INSERT INTO p VALUES (1, 4)")
    query = "SELECT clicks * 100 AS probability, probability + 1 AS one_more FROM p"
    assert client.run(query) == [(100, 101)]
    client.run("ALTER TABLE p ADD COLUMN probability INT DEFAULT 7")
    assert client.run(query) == [(100, 8)]
    assert client.columns == ["probability", "one_more"]
    client.run("DROP TABLE p")


def test_an_alias_that_is_repeated_gives_its_name_to_the_column(client):
    client.run("SELECT sessionid * 2 AS s, s, s::BIGINT FROM events")
    assert client.columns == ["s", "s", "s"]


def test_tables_and_views_are_made_of_such_queries(client):
    client.run(
        "CREATE TEMP TABLE made AS SELECT sessionid AS s, s || '-' || ts AS k FROM events WHERE s = 582"
    )
    client.run("CREATE VIEW pg_temp.shown AS SELECT s + 1 AS t, t || k AS u FROM made")
    assert client.run("SELECT DISTINCT u FROM shown") == [("583582-1541207123796",)]
    client.run("DROP VIEW shown")
    client.run("DROP TABLE made")


def test_no_text_goes_into_a_number(client):
    """github.com/National-Clinical-Cohort-Collaborative/Phenotype_Data_Acquisition, issue 232."""
    code, message = client.fail("INSERT INTO users (userid) SELECT userid FROM events")
    assert code == "42804"
    assert message == 'column "userid" is of type integer but expression is of type character varying'


def test_what_an_insert_of_distinct_rows_is_sorted_by_need_not_be_selected(client):
    client.run("CREATE TEMP TABLE d (k INT)")
    client.run("INSERT INTO d SELECT DISTINCT CAST(userid AS INT) FROM events ORDER BY ts DESC, page")
    assert client.run("SELECT k FROM d ORDER BY k") == [(8,), (10,)]
    assert (
        client.fail("INSERT INTO d SELECT DISTINCT CAST(userid AS INT) FROM events ORDER BY nosuch")[0]
        == "42703"
    )
    assert client.fail("SELECT DISTINCT userid FROM events ORDER BY ts")[0] == "42P10"
    client.run("DROP TABLE d")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT sessionid AS s, s FROM nosuch", "42P01"),
        ("SELECT nosuch AS s, s FROM events", "42703"),
        ("SELECT COUNT(*) AS n FROM events WHERE n > 1", "42803"),
        ("SELECT sessionid AS s, COUNT(*) FROM events GROUP BY s HAVING s > 1", "42703"),
    ],
)
def test_an_error_is_the_statements_own_and_the_session_goes_on(client, sql, code):
    assert client.fail(sql)[0] == code
    assert client.run("SELECT 1 AS one, one + 1") == [(1, 2)]


def test_aliases_that_stand_for_too_much_are_refused(client):
    doubled = ", ".join(f"a{number} + a{number} AS a{number + 1}" for number in range(60))
    assert client.fail(f"SELECT 1 AS a0, {doubled}")[0] == "54001"
    nested = "events"
    for number in range(400):
        nested = f"(SELECT sessionid, sessionid AS a, a + 1 AS b FROM {nested}) s{number}"
    assert client.fail(f"SELECT COUNT(*) FROM {nested}")[0] == "54001"
    assert client.run("SELECT 1 AS one, one + 1") == [(1, 2)]


def test_several_statements_of_one_message_are_one_transaction(sandbox):
    with closing(connect_psycopg(sandbox)) as connection:
        client = Client(connection)
        client.run("CREATE TEMP TABLE m (a INT)")
        client.run("INSERT INTO m VALUES (1); INSERT INTO m SELECT a + 1 AS b FROM m WHERE b = 2")
        assert client.run("SELECT SUM(a) FROM m") == [(3,)]
        client.fail("INSERT INTO m VALUES (5); SELECT a AS b, b / 0 FROM m")
        assert client.run("SELECT SUM(a) FROM m") == [(3,)]


def test_in_a_transaction_the_statement_and_its_error_are_parts_of_it(sandbox):
    with closing(connect_psycopg(sandbox)) as connection:
        connection.autocommit = False
        client = Client(connection)
        client.run("CREATE TEMP TABLE m (a INT)")
        client.run("INSERT INTO m SELECT 1 AS a WHERE a = 1")
        assert client.run("SELECT a AS b, b + 1 FROM m") == [(1, 2)]
        assert client.fail("SELECT a AS b, b, c FROM m")[0] == "42703"
        assert client.fail("SELECT 1")[0] == "25P02"
        connection.rollback()


@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_a_writer_with_aliases_waits_before_it_reads(sandbox, protocol):
    """The question that the relay asks takes no snapshot before the lock."""
    with closing(connect_psycopg(sandbox)) as first, closing(connect_psycopg(sandbox)) as second:
        if protocol == "extended":
            second.prepare_threshold = 0
        first.execute("CREATE TABLE waits (a INT)")
        try:
            first.execute("INSERT INTO waits VALUES (1)")
            first.execute("BEGIN")
            first.execute("UPDATE waits SET a = 2")
            second.execute("BEGIN")
            update = "UPDATE waits SET a = a + (SELECT 10 AS b WHERE b = 10)"
            done = in_background(lambda: second.execute(update))
            wait_until(lambda: waiting(sandbox))
            first.execute("COMMIT")
            done()
            second.execute("COMMIT")
            assert first.execute("SELECT a FROM waits").fetchall() == [(12,)]
        finally:
            first.execute("DROP TABLE waits")


def test_conversions_of_equal_values_join_by_hash(sandbox):
    with closing(connect_psycopg(sandbox)) as connection:
        connection.execute("CREATE TEMP TABLE j (i INT, v VARCHAR(9))")
        plan = connection.execute("EXPLAIN SELECT * FROM j a JOIN j b ON a.i = b.v").fetchall()
        assert any("Hash" in line or "Merge" in line for (line,) in plan), plan
        plan = connection.execute("EXPLAIN SELECT * FROM j WHERE i NOT IN (SELECT v FROM j)").fetchall()
        assert any("hashed SubPlan" in line for (line,) in plan), plan
