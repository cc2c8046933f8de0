"""Redshift's functions and clauses, through redshift_connector and psycopg."""

from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from redshift_connector import InterfaceError
from redshift_connector.interval import Interval

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg, connect_redshift

SECOND = datetime(2018, 11, 2, 11, 0, 1, 500_000)


@pytest.fixture(scope="module", params=["redshift_connector", "psycopg"])
def client(sandbox, request):
    """A client with a temp table `plays` of three rows."""
    connect = connect_psycopg if request.param == "psycopg" else connect_redshift
    with closing(connect(sandbox)) as connection:
        connection.autocommit = True
        client = Client(connection)
        client.run(
            "CREATE TEMP TABLE plays"
            " (id INT, ts TIMESTAMP, name VARCHAR(20), n BIGINT, d DECIMAL(8,2), r REAL)"
        )
        client.run(
            "INSERT INTO plays VALUES (1, '2018-11-01 10:00', 'a', 10, 1.5, 1.5),"
            " (2, '2018-11-02 11:00:01.5', 'b', 21, 2.5, 2.5), (3, NULL, NULL, NULL, NULL, NULL)"
        )
        yield client


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("DATEADD(day, 1, '2018-11-01')", datetime(2018, 11, 2)),
        ("dateadd(month, 12, '2016-02-29')", datetime(2017, 2, 28)),
        ("DATEADD(year, 1, DATE '2016-02-29')", datetime(2017, 3, 1)),
        ("DATEADD(year, 4, DATE '2016-02-29')", datetime(2020, 2, 29)),
        ("DATEADD('m', -30, '2018-11-01')", datetime(2018, 10, 31, 23, 30)),
        ("DATEADD(ms, 1541121934796, 'epoch')", datetime(2018, 11, 2, 1, 25, 34, 796_000)),
        ("DATEDIFF(year, '2008-12-31', '2009-01-01')", 1),
        ("DATEDIFF(hour, '2018-11-01 08:30', '2018-11-01 10:00')", 2),
        ("DATEDIFF(hr, '2018-11-01 23:00', '2018-11-02 01:00')", 2),
        ("DATEDIFF(day, DATE '2018-11-02', TIMESTAMP '2018-11-01 23:59')", -1),
        ("DATEDIFF(qtr, '2018-01-01', '2018-12-31')", 3),
        ("DATEDIFF(week, '2009-01-01', '2009-12-31')", 52),
        ("DATEDIFF(ms, '2018-11-01', '2018-11-01 00:00:00.5')", 500),
        ("EXTRACT(week FROM DATE '2018-12-31')", 1),
        ("EXTRACT(weekday FROM TIMESTAMP '2018-11-04 10:00')", 0),
        ("EXTRACT(dow FROM '2018-11-03')", 6),
        ("EXTRACT(sec FROM TIMESTAMP '2018-11-01 00:00:03.189717')", 3),
        ("EXTRACT(ms FROM TIMESTAMP '2018-11-01 00:00:43.101')", 101),
        ("EXTRACT(epoch FROM TIMESTAMP '2018-11-02 01:25:34.796')", 1541121934),
        ("EXTRACT(decade FROM TIMESTAMP '2000-06-01')", 201),
        ("DATE_PART(dow, TIMESTAMP '2018-11-02')", 5.0),
        ("DATE_PART('second', TIMESTAMP '2018-11-01 00:00:03.189717')", 3.189717),
        ("DATE_TRUNC('week', DATE '2018-11-04')", datetime(2018, 10, 29)),
        ("DATE_TRUNC('month', '2018-11-04 10:00')", datetime(2018, 11, 1)),
        (
            "TIMESTAMP 'epoch' + 1541121934796 / 1000.0 * INTERVAL '1 second'",
            datetime(2018, 11, 2, 1, 25, 34, 796_000),
        ),
        ("TRUNC(TIMESTAMP '2018-11-01 10:00')", date(2018, 11, 1)),
        ("LAST_DAY('2018-02-03')", date(2018, 2, 28)),
        ("ADD_MONTHS('2018-02-28', 1)", datetime(2018, 3, 31)),
        ("MONTHS_BETWEEN('2018-03-31', '2018-02-28')", 1.0),
        ("CONVERT_TIMEZONE('America/New_York', '2018-11-01 12:00')", datetime(2018, 11, 1, 8)),
        ("TO_CHAR(TIMESTAMP '2018-11-04 10:00', 'YYYY-MM-DD D')", "2018-11-04 1"),
        ("NVL(NULL, NULL, 'x')", "x"),
        ("NVL2(NULL, 1, 2)", 2),
        ("DECODE(NULL, 1, 'one', NULL, 'none', 'other')", "none"),
        ("DECODE(3, 1, 'one', 2, 'two')", None),
        ("ISNULL(NULL, 4)", 4),
        ("LEN('äb ')", 3),
        ("CHARINDEX('b', 'abc')", 2),
        ("CONCAT('a', NULL)", None),
        ("CONCAT(1, 'a')", "1a"),
        ("STRTOL('-0xff', 16)", -255),
        ("STRTOL('', 10)", 0),
        ("MD5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a"),
        ("FNV_HASH(1)", -5968735742475085980),
        ("FNV_HASH('Amazon Redshift')", 7783490368944507294),
        ("SHA2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("REGEXP_REPLACE('a.b.c', '[.]', '-')", "a-b-c"),
        ("REGEXP_REPLACE('ab', '(a)(b)', '$2$1')", "ba"),
        ("REGEXP_SUBSTR('abc123', '[0-9]+')", "123"),
        ("REGEXP_COUNT('aaa', 'a')", 3),
        ("SPLIT_PART('a,b', ',', 2)", "b"),
        ("""JSON_EXTRACT_PATH_TEXT('{"a": {"b": 1}}', 'a', 'b')""", "1"),
        ("JSON_EXTRACT_PATH_TEXT('{}', 'a')", None),  # the guide's page as of 2025
        ("IS_VALID_JSON('{')", False),
        ("7 / 2", 3),
        ("'1.5'::DECIMAL", Decimal(2)),
        ("CAST('2.5' AS NUMERIC(4,1))", Decimal("2.5")),
        ("CONVERT(INTEGER, '3')", 3),
        ("CONVERT(DECIMAL(4,1), '3.25')", Decimal("3.3")),
        ("'x'::NVARCHAR(4)", "x"),
        ("CAST('x' AS VARCHAR(MAX))", "x"),
        ("ROUND(2.567::FLOAT8, 1)", 2.6),
        (r"'it\'s ' || 'a\\b'", "it's a\\b"),
        ("'--' || '/*;*/'", "--/*;*/"),
    ],
)
def test_expression(client, expression, expected):
    ((found,),) = client.run(f"SELECT {expression}")
    assert found == expected
    assert isinstance(found, type(expected))


@pytest.mark.parametrize(
    ("query", "columns", "rows"),
    [
        ("SELECT AVG(id), SUM(n), AVG(n), AVG(r), COUNT(*) FROM plays",
         ["avg", "sum", "avg", "avg", "count"], [(2, 31, 15, 2.0, 3)]),
        ("SELECT SUM(n) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) FROM plays ORDER BY id",
         ["sum"], [(10,), (31,), (31,)]),
        ("SELECT LISTAGG(name, ',') WITHIN GROUP (ORDER BY id DESC) FROM plays", ["listagg"], [("b,a",)]),
        ("SELECT LISTAGG(DISTINCT id) WITHIN GROUP (ORDER BY id) AS ids FROM plays", ["ids"], [("123",)]),
        ("SELECT MEDIAN(n) AS middle FROM plays", ["middle"], [(15.5,)]),
        ("SELECT id, RATIO_TO_REPORT(n) OVER () AS part FROM plays WHERE id = 1", ["id", "part"], [(1, 1.0)]),
        ("SELECT APPROXIMATE COUNT(DISTINCT id) FROM plays", ["count"], [(3,)]),
        ("SELECT TOP 2 id FROM plays ORDER BY id DESC", ["id"], [(3,), (2,)]),
        ("SELECT x.id FROM (SELECT TOP 1 id FROM plays ORDER BY 1) x", ["id"], [(1,)]),
        ("SELECT id FROM plays MINUS SELECT 2 ORDER BY 1", ["id"], [(1,), (3,)]),
        ("SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) AS k FROM plays p QUALIFY k <= 2 ORDER BY k",
         ["id", "k"], [(3, 1), (2, 2)]),
        ("SELECT p.id, upper(name), 1 FROM plays p WHERE id < 3 QUALIFY RANK() OVER (ORDER BY ts DESC) = 1",
         ["id", "upper", "?column?"], [(2, "B", 1)]),
        ("SELECT * FROM (SELECT id, n FROM plays) p QUALIFY ROW_NUMBER() OVER (ORDER BY id) = 1",
         ["id", "n"], [(1, 10)]),
        ("SELECT p.*, q.name AS other FROM (SELECT id FROM plays) p JOIN plays q ON p.id = q.id"
         " QUALIFY ROW_NUMBER() OVER (ORDER BY p.id) = 2", ["id", "other"], [(2, "b")]),
        ("WITH best AS (SELECT name, n FROM plays p QUALIFY RANK() OVER (ORDER BY n DESC) = 1)"
         " SELECT COUNT(*) AS k FROM best", ["k"], [(1,)]),
        ("SELECT name, MAX(n) FROM plays GROUP BY name HAVING MAX(n) > 0"
         " QUALIFY ROW_NUMBER() OVER (ORDER BY MAX(n)) = 1", ["name", "max"], [("a", 10)]),
        ("SELECT NVL(name, 'x'), NVL2(name, DATEADD(day, 1, ts), DATEADD(day, 1, SYSDATE)) > '2018-11-02'"
         " FROM plays ORDER BY 1", ["coalesce", "?column?"], [("a", True), ("b", True), ("x", True)]),
        ('SELECT id AS "MixedCase", "ID" FROM "PLAYS" WHERE id = 1', ["mixedcase", "id"], [(1, 1)]),
        ("SELECT EXTRACT(hour FROM ts), DATE_PART(year, ts), DATEADD(h, 1, ts), DATEDIFF(d, ts, ts)"
         " FROM plays WHERE id = 1", ["date_part", "pgdate_part", "date_add", "date_diff"],
         [(10, 2018.0, datetime(2018, 11, 1, 11), 0)]),
        ("SELECT GETDATE() <= SYSDATE + INTERVAL '1 day', GETDATE() = DATE_TRUNC('second', GETDATE())",
         ["?column?", "?column?"], [(True, True)]),
        ("SELECT CURRENT_DATE - TRUNC(SYSDATE) FROM plays LIMIT 1", ["?column?"], [(0,)]),
        ("SELECT id -- NVL( a comment\n FROM /* SYSDATE */ plays WHERE name = 'a'", ["id"], [(1,)]),
    ],
)  # fmt: skip
def test_query(client, query, columns, rows):
    assert client.run(query) == rows
    assert client.columns == columns


def test_bound_values_take_the_types_their_drivers_give_them(client):
    start, end = datetime(2018, 11, 2), datetime(2018, 11, 3)
    assert client.run("SELECT id FROM plays WHERE ts >= %s AND ts < %s", start, end) == [(2,)]
    assert client.run("SELECT DATEADD(day, %s, ts) FROM plays WHERE id = %s", 1, 1) == [
        (datetime(2018, 11, 2, 10),)
    ]
    assert client.run("SELECT DATEDIFF(hour, %s, %s)", start, end) == [(24,)]
    assert client.run("SELECT NVL(%s, 'none'), LEN(%s)", None, "abc") == [("none", 3)]
    assert client.run("SELECT id FROM plays WHERE ts = %s", SECOND) == [(2,)]


@pytest.mark.parametrize(
    ("interval", "found"),
    [
        ("3 days", timedelta(days=3)),
        ("-2 days -3 hours", timedelta(days=-2, hours=-3)),
        ("40000 days 04:05:06.789012", timedelta(40000, 4 * 3600 + 5 * 60 + 6, 789012)),
        ("0", timedelta()),
    ],
)
def test_an_interval_has_its_length(client, interval, found):
    query = f"SELECT 1, INTERVAL '{interval}', 'x', CAST(NULL AS INTERVAL), INTERVAL '{interval}'"
    for _ in range(2):  # prepared, and again
        assert client.run(query) == [(1, found, "x", None, found)]


def test_an_interval_beside_longer_values_has_its_length_in_every_row(client):
    query = "SELECT id * INTERVAL '1 day', REPEAT('x', 100000), id FROM plays ORDER BY id"
    assert client.run(query) == [(timedelta(days=n), "x" * 100_000, n) for n in (1, 2, 3)]
    assert client.run("SELECT MAX(ts) - MIN(ts) FROM plays") == [(SECOND - datetime(2018, 11, 1, 10),)]


@pytest.mark.parametrize("length", [timedelta(days=3), timedelta(days=-1, microseconds=5), timedelta()])
def test_a_bound_interval_has_its_length(client, length):
    query = "SELECT ts + %s, %s FROM plays WHERE id = %s"
    for _ in range(2):
        assert client.run(query, length, length, 1) == [(datetime(2018, 11, 1, 10) + length, length)]


def test_redshift_connector_reads_and_sends_months(sandbox):
    with closing(connect_redshift(sandbox)) as connection:
        client = Client(connection)
        [[found]] = client.run("SELECT INTERVAL '-14 months 1 day'")
        assert (found.months, found.days, found.microseconds) == (-14, 0, 86_400_000_000)
        [[moment]] = client.run("SELECT TIMESTAMP '2018-11-01' + %s", Interval(months=14))
        assert moment == datetime(2020, 1, 1)


def test_an_interval_that_redshift_connector_cannot_read_ends_the_session(sandbox):
    with closing(connect_redshift(sandbox)) as connection, pytest.raises(InterfaceError):
        Client(connection).run("SELECT INTERVAL '32768 months'")


def test_statements_that_change_rows(client):
    client.run("CREATE TEMP TABLE #changes (LIKE plays INCLUDING DEFAULTS)")
    client.run("INSERT INTO #changes SELECT * FROM plays WHERE id < 3")
    client.run("UPDATE #changes SET name = p.name || '!' FROM plays p WHERE p.id = #changes.id")
    assert client.run("SELECT name FROM #changes ORDER BY id") == [("a!",), ("b!",)]
    client.run("DELETE FROM #changes USING plays WHERE plays.id = #changes.id AND plays.id = 1")
    client.run("DELETE #changes WHERE id = 7")
    assert client.run("SELECT COUNT(*) FROM #changes") == [(1,)]
    client.run("SELECT TOP 1 * INTO #copy FROM #changes")
    assert client.run("SELECT id FROM #copy") == [(2,)]
    client.run("DROP TABLE #changes")
    client.run("DROP TABLE #copy")


MERGE = (
    "MERGE INTO merged USING (SELECT id, name FROM plays) s ON merged.id = s.id"
    " WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)"
)


def test_merge(client):
    client.run("CREATE TEMP TABLE merged (id INT, name VARCHAR(9))")
    client.run("INSERT INTO merged VALUES (1, 'old'), (9, 'kept')")
    client.run(MERGE)
    assert client.run("SELECT * FROM merged ORDER BY id") == [(1, "a"), (2, "b"), (3, None), (9, "kept")]
    twice = MERGE.replace("FROM plays", "FROM plays UNION ALL SELECT 1, 'again'")
    assert client.fail(twice) == ("XX000", "Found multiple matches to update the same tuple.")
    client.run("DROP TABLE merged")


def test_merge_remove_duplicates(client):
    client.run("CREATE TEMP TABLE merged (id INT, name VARCHAR(9))")
    client.run("INSERT INTO merged VALUES (1, 'old'), (1, 'older'), (9, 'kept')")
    client.run("CREATE TEMP TABLE source AS SELECT id, name FROM plays")
    client.run("MERGE INTO merged USING source ON merged.id = source.id REMOVE DUPLICATES")
    assert client.run("SELECT * FROM merged ORDER BY id") == [(1, "a"), (2, "b"), (3, None), (9, "kept")]
    client.run("DROP TABLE merged")
    client.run("DROP TABLE source")
