"""What the table of refusals says is refused, with what to write instead, and nothing that looks like it."""

from pathlib import Path

import pytest

from sandbox.redshift.dialect import absent, absent_commands, refused_commands, refused_functions
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
        ("SELECT * FROM t LEFT JOIN s ON t.a = s.a AND s.b = (SELECT MAX(b) FROM u WHERE u.a = s.a)",
         "XX000", CORRELATED),
        ("SELECT * FROM t FULL OUTER JOIN s ON t.a = s.a AND EXISTS (SELECT 1 FROM u WHERE u.a = t.a), u",
         "XX000", CORRELATED),
        ("SELECT t.a, (SELECT COUNT(s.a) FROM s WHERE s.a = t.a) AS list FROM t GROUP BY list, t.a",
         "XX000", CORRELATED),
        ("SELECT t.a, NVL((SELECT MAX(s.a) FROM s WHERE s.a = t.a), 0) + 1 AS n FROM t GROUP BY 1, 2",
         "XX000", CORRELATED),
        ("SELECT COUNT(*) FROM t GROUP BY (SELECT MAX(s.a) FROM s WHERE s.a = t.a)", "XX000", CORRELATED),
        ("SELECT (SELECT MAX(s.a) FROM s WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)) FROM t",
         "XX000", CORRELATED),
        ("SELECT COALESCE((SELECT SUM(s.a) OVER () FROM s WHERE s.a = t.a), 0) FROM t", "XX000", CORRELATED),
        ("SELECT 1 FROM t WHERE a IN (SELECT s.a FROM s JOIN u ON u.a IN (SELECT v.a FROM v WHERE v.b = t.b)"
         ")", "XX000", CORRELATED),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t AS x WHERE a IN (SELECT 1 FROM t y WHERE y.a = t.a))",
         "XX000", CORRELATED),
        ("UPDATE t SET a = (SELECT MAX(s.a) FROM s WHERE EXISTS (SELECT 1 FROM u WHERE u.b = t.b))",
         "XX000", CORRELATED),
        ("VALUES (1), (2)", "42601", 'syntax error at or near "VALUES"'),
        ("SELECT xmin FROM t", "42703", 'column "xmin" does not exist'),
        ("DELETE FROM t WHERE t.ctid NOT IN (SELECT MIN(ctid) FROM t GROUP BY a)", "42703", '"ctid"'),
        ("SELECT a FROM t WHERE a IN ('{1}'::int[])", "0A000", "Specified types or functions"),
        ("SELECT a::bit(4) FROM t", "0A000", "Specified types or functions"),
        ("SELECT B'101' FROM t", "0A000", "Specified types or functions"),
        ("SELECT inet '10.0.0.1', a FROM t", "0A000", "Specified types or functions"),
        ("SELECT CAST(b AS money) FROM t", "0A000", "Specified types or functions"),
        ("SELECT b::name FROM t", "0A000", "Specified types or functions"),
        ("SELECT b::\"char\" FROM t", "0A000", "Specified types or functions"),
        ("SELECT json '{}'", "42704", 'type "json" does not exist'),
        ("SELECT jsonb'{}'", "42704", 'type "jsonb" does not exist'),
        ("SELECT '[1,2]'::int4range", "42704", 'type "int4range" does not exist'),
        ("SELECT b::tsvector FROM t", "42704", 'type "tsvector" does not exist'),
        ("UPDATE t SET (a, b) = (2, 'y')", "42601", 'syntax error at or near "("'),
        ("UPDATE t x SET (a, b) = (SELECT a, b FROM s)", "42601", 'syntax error at or near "("'),
        ("TABLE t", "42601", 'syntax error at or near "TABLE"'),
        ("WITH x AS (TABLE t) SELECT * FROM x", "42601", 'syntax error at or near "TABLE"'),
        ("SELECT a FROM t UNION ALL TABLE s", "42601", 'syntax error at or near "TABLE"'),
        ("INSERT INTO t (a) TABLE s", "42601", 'syntax error at or near "TABLE"'),
        ("CREATE TABLE x AS TABLE t", "42601", 'syntax error at or near "TABLE"'),
        ("SELECT a FROM ONLY t", "42601", 'syntax error at or near "ONLY"'),
        ("UPDATE ONLY t SET a = 1", "42601", 'syntax error at or near "ONLY"'),
        ("DELETE FROM ONLY t", "42601", 'syntax error at or near "ONLY"'),
        ("SELECT a FROM t WHERE a = ANY('{1,2}')", "0A000", "ANY of this kind is not supported"),
        ("SELECT a FROM t WHERE a = some ('{1}')", "0A000", "some of this kind is not supported"),
        ("SELECT a FROM t WHERE b LIKE ANY ('{x}')", "0A000", "ANY of this kind is not supported"),
        ("SELECT a FROM t WHERE a > ANY (SELECT a FROM s)", "0A000", "ANY of this kind"),
        ("SELECT a FROM t WHERE a >= ALL ((SELECT a FROM s))", "0A000", "ALL of this kind"),
        ("SELECT ROW(a, b) FROM t", "42601", 'syntax error at or near "ROW"'),
        ("SELECT b COLLATE \"C\" FROM t", "42601", 'syntax error at or near "COLLATE"'),
        ("SELECT a FROM t ORDER BY b COLLATE \"en_US\" DESC", "42601", 'at or near "COLLATE"'),
        ("SELECT COLLATION FOR (b) FROM t", "42601", 'syntax error at or near "COLLATION"'),
        ("SELECT a FROM t ORDER BY a USING >", "42601", 'syntax error at or near "USING"'),
        ("SELECT j.a FROM t JOIN s USING (a) AS j", "42601", 'syntax error at or near "AS"'),
        ("SELECT a FROM t GROUP BY DISTINCT a", "42601", 'syntax error at or near "DISTINCT"'),
        ("SELECT COUNT(a ORDER BY b) FROM t", "42601", 'syntax error at or near "ORDER"'),
        ("SELECT SUM(DISTINCT a ORDER BY a) FROM t", "42601", 'syntax error at or near "ORDER"'),
        ("SELECT SUM(a) OVER (ORDER BY a ROWS UNBOUNDED PRECEDING EXCLUDE TIES) FROM t", "42601",
         'syntax error at or near "EXCLUDE"'),
        ("SELECT * FROM GENERATE_SERIES(1, 3) WITH ORDINALITY", "42601", 'at or near "ORDINALITY"'),
        ("SELECT a FROM t WHERE a BETWEEN SYMMETRIC 2 AND 1", "42601", 'at or near "SYMMETRIC"'),
        ("SELECT a FROM t WHERE b IS NOT NFC NORMALIZED", "42601", 'at or near "NORMALIZED"'),
        ("SELECT '{}' IS JSON", "42601", 'syntax error at or near "JSON"'),
        ("SELECT CURRENT_CATALOG", "42703", 'column "CURRENT_CATALOG" does not exist'),
        ("SELECT a FROM t WHERE b = current_role", "42703", 'column "current_role" does not exist'),
        ("SELECT system_user", "42703", 'column "system_user" does not exist'),
        ("SELECT a FROM t LIMIT (SELECT 1)", "42601", 'syntax error at or near "("'),
        ("SELECT a FROM t LIMIT NULL", "42601", "syntax error at or near"),
        ("SELECT FROM t", "42601", 'syntax error at or near "SELECT"'),
        ("SELECT a FROM t WHERE EXISTS (SELECT FROM s)", "42601", 'syntax error at or near "SELECT"'),
        ("SELECT", "42601", 'syntax error at or near "SELECT"'),
        ("WITH RECURSIVE x (n) AS (SELECT 1 UNION SELECT n + 1 FROM x WHERE n < 3) SELECT n FROM x",
         "42601", 'syntax error at or near "UNION"'),
        ("WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SEARCH DEPTH FIRST BY n SET o"
         " SELECT n FROM x", "42601", 'syntax error at or near "SEARCH"'),
        ("WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) CYCLE n SET c USING p"
         " SELECT n FROM x", "42601", 'syntax error at or near "CYCLE"'),
        ("INSERT INTO t AS x VALUES (1)", "42601", 'syntax error at or near "AS"'),
        ("INSERT INTO u.t AS x VALUES (1)", "42601", 'syntax error at or near "AS"'),
        ("INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES (1)", "42601", 'or near "OVERRIDING"'),
        ("SELECT a INTO UNLOGGED x FROM t", "42601", 'syntax error at or near "UNLOGGED"'),
        ("SELECT b @@ 'a' FROM t", "42883", "operator does not exist: @@"),
        ("SELECT b ^@ 'a' FROM t", "42883", "operator does not exist: ^@"),
        ("SELECT SUBSTRING(b SIMILAR 'x' ESCAPE '#') FROM t", "42601", 'at or near "SIMILAR"'),
        ("SELECT 0x1F", "42601", 'syntax error at or near "0x1F"'),
        ("SELECT 1_000", "42601", 'syntax error at or near "1_000"'),
        ("SELECT concat_ws(',', b, b) FROM t", "0A000", 'Function "concat_ws()" not supported.'),
        ("EXPLAIN ANALYZE SELECT 1", "42601", 'syntax error at or near "ANALYZE"'),
        ("EXPLAIN (FORMAT JSON) SELECT 1", "42601", 'syntax error at or near "("'),
        ("DECLARE c SCROLL CURSOR FOR SELECT 1", "42601", 'syntax error at or near "SCROLL"'),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "42601", 'syntax error at or near "WITH"'),
        ("BEGIN DEFERRABLE", "42601", 'syntax error at or near "DEFERRABLE"'),
        ("COMMIT AND CHAIN", "42601", 'syntax error at or near "AND"'),
        ("PREPARE TRANSACTION 'x'", "42601", 'syntax error at or near "TRANSACTION"'),
        ("COMMIT PREPARED 'x'", "42601", 'syntax error at or near "PREPARED"'),
        ("SET ROLE NONE", "42601", 'syntax error at or near "ROLE"'),
        ("SET CONSTRAINTS ALL DEFERRED", "42601", 'syntax error at or near "CONSTRAINTS"'),
        ("ANALYZE (VERBOSE) t", "42601", 'syntax error at or near "("'),
        ("GRANT USAGE ON SEQUENCE x TO y", "42601", 'syntax error at or near "SEQUENCE"'),
        ("GRANT ALL ON ALL SEQUENCES IN SCHEMA x TO y", "42601", 'or near "SEQUENCES"'),
        ("CREATE ROLE x LOGIN", "42601", 'syntax error at or near "LOGIN"'),
        ("ALTER USER x WITH SUPERUSER", "42601", 'syntax error at or near "SUPERUSER"'),
        ("CREATE VIEW v WITH (security_barrier) AS SELECT 1", "42601", 'syntax error at or near "WITH"'),
        ("ALTER TABLE t DROP COLUMN IF EXISTS a", "42601", 'syntax error at or near "IF"'),
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


@pytest.mark.parametrize("name", sorted(refused_functions.WORDS))
def test_a_function_that_redshift_does_not_have_is_refused_where_it_is_called_only(name):
    with pytest.raises(Refusal) as error:
        translate(f"SELECT 1, {name.upper()} (a, 'x') FROM t")
    assert error.value.fields.message == f'Function "{name}()" not supported.'
    assert translate(f"SELECT {name}, t.{name}, '{name}(a)' AS {name} FROM {name} AS t")
    assert translate(f"INSERT INTO public.{name} (a) SELECT a FROM t")


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
        "SELECT a FROM t WHERE a <> ALL (SELECT a FROM s) OR a = ANY (SELECT a FROM s)",
        "SELECT a FROM t WHERE a = SOME ((SELECT a FROM s))",
        "SELECT COUNT(ALL a), ALL_VISIBLE.a FROM t, all_visible",
        "MERGE INTO t USING (SELECT a FROM s) AS x ON t.a = x.a WHEN MATCHED THEN UPDATE SET a = (x.a)"
        " WHEN NOT MATCHED THEN INSERT (a) VALUES (x.a)",
        "UPDATE t SET a = (SELECT MAX(a) FROM s)",
        "SET json TO 'x'",
        "SELECT json, \"json\", 'x' AS json FROM t WHERE b = 'json'",
        "SELECT date '2018-11-01', timestamp '2018-11-01', interval '1 day', varchar 'x' FROM t",
        "SELECT name, oid, path, line, box FROM t",
        "SELECT 'pg_class'::regclass, 'x'::name",
        "SELECT a FROM t WHERE (a, b) IN ((1, 'x')) AND (a, b) = (1, 'x')",
        "SELECT row, only_a FROM t ORDER BY ROW_NUMBER() OVER (ORDER BY a)",
        "DELETE FROM t USING (SELECT a FROM s) AS x WHERE t.a = x.a",
        "SELECT * FROM t JOIN s USING (a, b)",
        "SELECT COUNT(DISTINCT a) FROM t GROUP BY b ORDER BY b",
        "SELECT RANK() OVER (ORDER BY a NULLS FIRST), b FROM t ORDER BY a",
        "SELECT a FROM (SELECT a FROM t ORDER BY a LIMIT 1) ORDER BY a",
        "SELECT exclude, search, cycle, overriding, unlogged, normalized FROM t",
        "SELECT a FROM t WHERE a IN (SELECT a FROM s ORDER BY a LIMIT 5) LIMIT 5",
        "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x), y AS (SELECT 1 UNION SELECT 2)"
        " SELECT n FROM x",
        "INSERT INTO t SELECT a AS x FROM s",
        "INSERT INTO t DEFAULT VALUES",
        "SELECT a FROM t WHERE b SIMILAR TO 'x%' OR SUBSTRING(b FROM 'x') = 'x'",
        "SELECT '0x1F', '1_000', x1_000, a1_0, 1e5, 1.5E-3, .5 FROM t",
        "SELECT 'a@@b', b || '^@' FROM t",
        "SELECT 2 ^ (@ -5)",
        "EXPLAIN VERBOSE SELECT 1",
        "DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1 AS scroll",
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
        "SET TIME ZONE 'UTC'",
        "SET role TO x",
        "ANALYZE VERBOSE t",
        "GRANT SELECT ON types TO x",
        "GRANT SELECT ON ALL TABLES IN SCHEMA x TO y",
        "GRANT USAGE ON SCHEMA sequences TO y",
        "CREATE USER login PASSWORD 'Abcdef12' NOCREATEDB VALID UNTIL '2030-01-01'",
        "CREATE VIEW v AS WITH x AS (SELECT 1 AS a) SELECT a FROM x",
        "ALTER TABLE t DROP COLUMN a CASCADE",
        "SELECT OBJ_DESCRIPTION('t'::regclass)",
        "SELECT LISTAGG(text) WITHIN GROUP (ORDER BY sequence) FROM stl_querytext",
        "CREATE TABLE x (a BIGINT IDENTITY NOT NULL, b BIGINT GENERATED BY DEFAULT AS IDENTITY)",
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
        "SELECT * FROM t JOIN s ON t.a = s.a AND s.b = (SELECT MAX(b) FROM u WHERE u.a = s.a)",
        "SELECT * FROM t LEFT JOIN s ON t.a = s.a JOIN v ON v.a = (SELECT MAX(u.a) FROM u WHERE u.b = v.b)",
        "SELECT * FROM t LEFT JOIN s ON s.b = (SELECT MAX(u.b) FROM u) WHERE s.a = (SELECT MAX(u.a) FROM u"
        " WHERE u.b = s.b)",
        "SELECT t.a, (SELECT COUNT(s.a) FROM s WHERE s.a = t.a) AS list FROM t GROUP BY t.a, t.b + 2",
        "SELECT t.a, (SELECT COUNT(s.a) FROM s) AS list FROM t GROUP BY list, t.a",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t NATURAL JOIN s WHERE a IN (SELECT 1 FROM u WHERE u.a ="
        " t.a))",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t, t x WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a))",
        "SELECT t.a, (SELECT LISTAGG(s.b) WITHIN GROUP (ORDER BY s.b) FROM s WHERE s.a = t.a) FROM t",
        "UPDATE t SET a = (SELECT MAX(s.a) FROM s WHERE s.b = t.b)",
        "INSERT INTO t (SELECT s.a FROM s WHERE EXISTS (SELECT 1 FROM u WHERE u.a = s.a))",
        "WITH t AS (SELECT s.a FROM s WHERE EXISTS (SELECT 1 FROM u WHERE u.a = s.a)) SELECT t.a FROM t",
        "SELECT s.a FROM s UNION ALL (SELECT t.a FROM t WHERE t.a IN (SELECT u.a FROM u WHERE u.a = t.a))",
        "SELECT q.xmin FROM (SELECT MIN(a) AS xmin FROM t) q",
        "WITH x (xmin) AS (SELECT a FROM t) SELECT xmin FROM x",
        "SELECT MIN(a) xmin FROM t ORDER BY xmin",
        "SELECT MIN(a) AS xmin FROM t",
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


RULES = (*TABLE, LIKE_WITH_ATTRIBUTES, *refused_commands.TABLE, *absent.TABLE)
COMMANDS = (*absent_commands.TABLE, *absent_commands.ELSEWHERE)


@pytest.mark.parametrize("refused", [*RULES, *COMMANDS], ids=lambda refused: refused.name)
def test_the_page_lists_every_refusal_with_its_source(refused):
    assert f"| {refused.name} |" in (ROOT / "docs/sandbox-refusals.md").read_text()
    assert refused.source
    assert refused.hint
