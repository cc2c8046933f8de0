"""What the table of refusals says is refused, with what to write instead, and nothing that looks like it."""

from pathlib import Path

import pytest

from sandbox.redshift.dialect.refusal_table import LIKE_WITH_ATTRIBUTES, TABLE
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.dialect.translation import Context, Dialect

CORRELATED = "This type of correlated subquery pattern is not supported due to internal error"
ROOT = Path(__file__).resolve().parents[3]


def translate(sql):
    return Dialect().translate(sql, Context())


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM x", "42601", 'at or near "INSERT"'),
        ("EXPLAIN WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM x", "42601", 'or near "INSERT"'),
        ("WITH x AS (SELECT 1 AS a) MERGE INTO t USING x ON t.a = x.a REMOVE DUPLICATES", "42601", '"MERGE"'),
        ("WITH x AS (DELETE FROM t WHERE a = 1) SELECT 1", "42601", 'syntax error at or near "DELETE"'),
        ("WITH x AS (INSERT INTO t VALUES (1)) SELECT 1", "42601", 'syntax error at or near "INSERT"'),
        ("WITH x AS (UPDATE t SET a = 2) SELECT 1", "42601", 'syntax error at or near "UPDATE"'),
        ("WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x", "42601", 'near "MATERIALIZED"'),
        ("WITH x AS NOT MATERIALIZED (SELECT 1) SELECT * FROM x", "42601", 'near "MATERIALIZED"'),
        ("SELECT * FROM t FETCH FIRST 5 ROWS ONLY", "42601", 'syntax error at or near "FETCH"'),
        ("SELECT * FROM t ORDER BY a FETCH NEXT ROW ONLY", "42601", 'syntax error at or near "FETCH"'),
        ("SELECT * FROM t OFFSET 5 ROWS", "42601", 'syntax error at or near "ROWS"'),
        ("SELECT * FROM t TABLESAMPLE BERNOULLI (10)", "42601", 'syntax error at or near "BERNOULLI"'),
        ("SELECT MODE() WITHIN GROUP (ORDER BY a) FROM t", "42601", 'syntax error at or near "WITHIN"'),
        ("SELECT RANK(1) WITHIN GROUP (ORDER BY a) FROM t", "42601", 'syntax error at or near "WITHIN"'),
        ("SELECT a FROM t EXCEPT ALL SELECT a FROM s", "42601", 'syntax error at or near "ALL"'),
        ("SELECT a FROM t INTERSECT ALL (SELECT a FROM s)", "42601", 'syntax error at or near "ALL"'),
        ("SELECT to_timestamp(ts / 1000.0) FROM t", "42883", "function to_timestamp with one argument"),
        ("SELECT '{}'::json", "42704", 'type "json" does not exist'),
        ("SELECT b::jsonb ->> 'a' FROM t", "42704", 'type "jsonb" does not exist'),
        ("SELECT CAST(b AS uuid) FROM t", "42704", 'type "uuid" does not exist'),
        ("SELECT ARRAY(SELECT a FROM t)", "0A000", "ARRAY constructors are not supported"),
        ("SELECT a, f IS TRUE AS x FROM t", "XX000", "Not implemented"),
        ("SELECT f IS NOT FALSE FROM t", "XX000", "Not implemented"),
        ("INSERT INTO u SELECT f IS UNKNOWN FROM t", "XX000", "Not implemented"),
        ("SELECT date_bin('15 minutes', ts, ts) FROM t", "0A000", 'Function "date_bin()" not supported.'),
        ("SELECT jsonb_array_elements(b) FROM t", "0A000", '"jsonb_array_elements()" not supported.'),
        (
            "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM s WHERE NOT EXISTS"
            " (SELECT 1 FROM u WHERE t.a = u.a))",
            "XX000",
            CORRELATED,
        ),
        ("SELECT 1 FROM t x WHERE a = (SELECT MAX(a) FROM s WHERE (b > (SELECT b FROM u WHERE u.a = x.a)))",
         "XX000", CORRELATED),
        ("DELETE FROM t WHERE a IN (SELECT a FROM s WHERE b IN (SELECT b FROM u WHERE u.a = t.a))",
         "XX000", CORRELATED),
        ("SELECT a FROM t WHERE a IN (SELECT SUM(a) FROM s WHERE s.b = t.b GROUP BY s.b)",
         "XX000", CORRELATED),
        ("SELECT a FROM t WHERE a NOT IN (SELECT SUM(s.a) OVER () FROM s WHERE s.b = t.b)",
         "XX000", CORRELATED),
        ("VALUES (1), (2)", "42601", 'syntax error at or near "VALUES"'),
        ("SELECT xmin FROM t", "42703", 'column "xmin" does not exist'),
        ("DELETE FROM t WHERE t.ctid NOT IN (SELECT MIN(ctid) FROM t GROUP BY a)", "42703", '"ctid"'),
        ("SELECT a FROM t WHERE a = ANY ('{1}'::int[])", "0A000", "Specified types or functions"),
        ("SELECT CAST(b AS bytea) FROM t", "0A000", "Specified types or functions"),
        ("CREATE TABLE x (LIKE t) DISTKEY (a)", "0A000", "DISTKEY cannot be set in CREATE TABLE (LIKE)"),
        ("CREATE TABLE x (LIKE t INCLUDING DEFAULTS) BACKUP NO", "0A000", "BACKUP cannot be set"),
    ],
)  # fmt: skip
def test_what_postgresql_alone_runs_is_refused_with_what_to_write_instead(sql, code, message):
    with pytest.raises(Refusal) as error:
        translate(sql)
    fields = error.value.fields
    assert fields.sqlstate == code
    assert message in fields.message
    assert fields.hint


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t WITH x AS (SELECT 1 AS a) SELECT a FROM x",
        "WITH x AS (SELECT 1 AS a) DELETE FROM t USING x WHERE t.a = x.a",
        "WITH x AS (SELECT 1 AS a) UPDATE t SET b = 'q' FROM x WHERE t.a = x.a",
        "UPDATE t SET b = x.b FROM (WITH y AS (SELECT 1 AS a) SELECT a FROM y) x WHERE t.a = x.a",
        "SELECT 1 FROM t WHERE f IS TRUE OR f IS NOT FALSE",
        "SELECT CASE WHEN f IS TRUE THEN 1 END, SUM(CASE WHEN f IS FALSE THEN 1 END) FROM t",
        "SELECT f = TRUE AS x FROM t WHERE f IS TRUE",
        "SELECT a FROM t JOIN s ON t.f IS TRUE",
        "SELECT COUNT(*) FROM t GROUP BY a HAVING MAX(a) > 1 AND TRUE IS TRUE",
        "SELECT a IS NULL, TRUE FROM t",
        "SELECT t.fetch, t.rows, t.offset FROM t",
        "SELECT SUM(a) OVER (ORDER BY t.offset DESC ROWS UNBOUNDED PRECEDING) FROM t",
        "SELECT a FROM t tablesample WHERE a IN (1)",
        'SELECT mode, "filter", lateral FROM t',
        "SELECT a AS mode, b AS json, c AS fetch FROM t",
        "SELECT json, uuid AS xml FROM t",
        "SELECT LISTAGG(b, ',') WITHIN GROUP (ORDER BY b) FROM t",
        "SELECT a FROM t UNION ALL SELECT a FROM s",
        "SELECT a FROM t WHERE a > ALL (SELECT a FROM s)",
        "SELECT to_timestamp('2018', 'YYYY')",
        "SELECT 'x::json FETCH FIRST 5 ROWS ONLY' -- WITH x AS (DELETE FROM t)",
        "WITH format (a) AS (SELECT 1) SELECT a FROM format",
        "SELECT div.p FROM t AS div (p, q)",
        "FETCH NEXT FROM c",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM s WHERE s.a = t.a)",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM s WHERE EXISTS (SELECT 1 FROM t WHERE t.a = s.a))",
        "SELECT a FROM t WHERE a IN (SELECT MAX(a) FROM s WHERE s.b = t.b GROUP BY s.b)",
        "SELECT a FROM t WHERE a IN (SELECT SUM(a) FROM s GROUP BY s.b)",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM s WHERE s.a IN (SELECT u.a FROM x.u WHERE u.b = s.b))",
        "SELECT a FROM t WHERE a = (SELECT MAX(a) FROM (SELECT a, SUM(b) OVER () FROM s) q WHERE q.a = t.a)",
        "SELECT q.xmin FROM (SELECT MIN(a) AS xmin FROM t) q",
        "WITH x (xmin) AS (SELECT a FROM t) SELECT xmin FROM x",
        "SELECT MIN(a) xmin FROM t ORDER BY xmin",
        "SELECT MIN(a) AS xmin, ST_XMin(a) FROM t",
        "SELECT xmin.a FROM t, xmin",
        "SELECT '{1}'::int[]",
        "SELECT a::varchar, b::int FROM t",
        "CREATE TABLE x (LIKE t INCLUDING DEFAULTS)",
    ],
)
def test_what_redshift_runs_is_not_refused(sql):
    assert translate(sql)


def test_no_sql_of_the_project_is_refused():
    texts = [path.read_text() for path in sorted((ROOT / "include").rglob("*.sql"))]
    assert texts
    for text in texts:
        assert translate(text)


@pytest.mark.parametrize("rule", [*TABLE, LIKE_WITH_ATTRIBUTES], ids=lambda rule: rule.name)
def test_the_page_lists_every_refusal(rule):
    page = " ".join((ROOT / "docs/sandbox.md").read_text().split())
    refused = page.partition("## What is refused")[2].partition("## What differs")[0]
    assert rule.name in refused
    assert rule.source
