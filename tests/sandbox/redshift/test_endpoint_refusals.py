"""What Redshift refuses, the endpoint refuses, and the session goes on."""

from contextlib import closing

import pytest

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg, connect_redshift

LEADER = "Specified types or functions (one per INFO message) not supported on Redshift tables."
S3 = "LOAD source is not supported. (Hint: only S3 or DynamoDB or EMR based load is allowed)"


@pytest.fixture(scope="module", params=["redshift_connector", "psycopg"])
def client(sandbox, request):
    """A client with a temp table t (a INT, b VARCHAR(9))."""
    connect = connect_psycopg if request.param == "psycopg" else connect_redshift
    with closing(connect(sandbox)) as connection:
        connection.autocommit = True
        client = Client(connection)
        client.run("CREATE TEMP TABLE t (a INT, b VARCHAR(9))")
        client.run("INSERT INTO t VALUES (1, 'x')")
        yield client


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("INSERT INTO t VALUES (1, 'x') ON CONFLICT DO NOTHING", "42601", 'syntax error at or near "ON"'),
        ("INSERT INTO t VALUES (1, 'x') RETURNING a", "42601", 'syntax error at or near "RETURNING"'),
        ("UPDATE t SET a = 2 RETURNING *", "42601", 'syntax error at or near "RETURNING"'),
        ("CREATE INDEX i ON t (a)", "0A000", 'SQL command "CREATE INDEX i ON t (a)" not supported.'),
        ("CREATE UNIQUE INDEX i ON t (a)", "0A000", "SQL command"),
        ("CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION f()", "0A000", "SQL command"),
        ("CREATE SEQUENCE s", "0A000", 'SQL command "CREATE SEQUENCE s" not supported.'),
        ("CREATE EXTENSION pgcrypto", "0A000", "SQL command"),
        ("CREATE TYPE mood AS ENUM ('sad')", "0A000", "SQL command"),
        ("CREATE MATERIALIZED VIEW v AUTO REFRESH YES AS SELECT 1", "0A000", "AUTO REFRESH YES is not"),
        ("CREATE FUNCTION f() RETURNS INT AS 'SELECT 1' LANGUAGE sql", "0A000", "CREATE FUNCTION is not in"),
        ("DROP INDEX i", "0A000", "SQL command"),
        ("SAVEPOINT a", "0A000", 'SQL command "SAVEPOINT a" not supported.'),
        ("ROLLBACK TO SAVEPOINT a", "0A000", "SQL command"),
        ("DO $$ BEGIN END $$", "0A000", "SQL command"),
        ("LISTEN x", "0A000", "SQL command"),
        ("SELECT DISTINCT ON (a) * FROM t", "0A000", "SELECT DISTINCT ON is not supported"),
        ("SELECT * FROM t, LATERAL (SELECT 1) x", "42601", 'syntax error at or near "LATERAL"'),
        ("SELECT * FROM (VALUES (1), (2)) x", "42601", 'syntax error at or near "VALUES"'),
        ("SELECT ARRAY[1, 2]", "0A000", "ARRAY constructors are not supported"),
        ("SELECT COUNT(*) FILTER (WHERE a = 1) FROM t", "42601", 'syntax error at or near "("'),
        ("SELECT a IS DISTINCT FROM 1 FROM t", "42601", 'syntax error at or near "DISTINCT"'),
        ("SELECT * FROM t FOR UPDATE", "0A000", "SELECT FOR UPDATE/SHARE is not supported"),
        ("SELECT SUM(a) OVER w FROM t WINDOW w AS (ORDER BY a)", "42601", 'syntax error at or near "WINDOW"'),
        ("SELECT SUM(a) OVER (ORDER BY a) FROM t", "42601", "Aggregate window functions with an ORDER BY"),
        ("SELECT FIRST_VALUE(a) OVER (PARTITION BY b ORDER BY a) FROM t", "42601", "Aggregate window funct"),
        ("SELECT SUM(a) OVER (ORDER BY a RANGE UNBOUNDED PRECEDING) FROM t", "42601", "syntax error"),
        ("WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a, 'y' FROM x", "42601", "syntax error at or near"),
        ("SELECT * FROM t FETCH FIRST 1 ROWS ONLY", "42601", 'syntax error at or near "FETCH"'),
        ("SELECT a = 1 IS TRUE FROM t", "XX000", "Not implemented"),
        ("SELECT TO_TIMESTAMP(a) FROM t", "42883", "function TO_TIMESTAMP with one argument does not exist"),
        ("SELECT ctid FROM t", "42703", 'column "ctid" does not exist'),
        ("SELECT STRING_AGG(b, ',') FROM t", "0A000", 'Function "string_agg()" not supported.'),
        ("SELECT ARRAY_AGG(a) FROM t", "0A000", 'Function "array_agg()" not supported.'),
        ("SELECT PG_SLEEP(1)", "0A000", 'Function "pg_sleep()" not supported.'),
        ("SELECT NOW() FROM t", "0A000", LEADER),
        ("SELECT a FROM t WHERE CURRENT_TIMESTAMP > '2018-01-01'", "0A000", LEADER),
        ("INSERT INTO t SELECT GENERATE_SERIES(1, 3)", "0A000", LEADER),
        ("SELECT * FROM t JOIN GENERATE_SERIES(1, 3) g ON g = a", "0A000", LEADER),
        ("SELECT * FROM t, pg_class", "0A000", LEADER),
        ("CREATE TEMP TABLE made AS SELECT VERSION() AS v", "0A000", LEADER),
        ("SELECT LISTAGG('a', ',')", "0A000", "One or more of the used functions must be"),
        ("SELECT * FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1", "42601", "syntax error at or near"),
        ("COPY t FROM STDIN", "0A000", S3),
        ("COPY t TO STDOUT", "0A000", S3),
        ("COPY t FROM 's3://b/k' IAM_ROLE default JSON 'auto' NO_SUCH_OPTION", "42601", ""),
        (
            "UNLOAD ('SELECT 1') TO 's3://b/k' IAM_ROLE default ENCRYPTED KMS_KEY_ID 'k'",
            "0A000",
            "UNLOAD with KMS_KEY_ID is not supported by the sandbox",
        ),
        ("LOCK t IN SHARE MODE", "42601", 'syntax error at or near "IN"'),
        ("ANALYZE COMPRESSION t", "0A000", "ANALYZE COMPRESSION is not in the sandbox"),
        ("SHOW standard_conforming_strings", "42704", "unrecognized configuration parameter"),
        ("CREATE TABLE refused (oid INT)", "42701", 'column name "oid" conflicts with a system column name'),
        ("UPDATE t SET (a, b) = (2, 'y')", "42601", 'syntax error at or near "("'),
        ("SELECT a FROM t WHERE a = ANY('{1}')", "0A000", "ANY of this kind is not supported"),
        ("SELECT json '{}'", "42704", 'type "json" does not exist'),
        ("TABLE t", "42601", 'syntax error at or near "TABLE"'),
        ("SELECT 0x1F", "42601", 'syntax error at or near "0x1F"'),
        ("SELECT b @@ 'x' FROM t", "42883", "operator does not exist: @@"),
        ("SELECT FROM t", "42601", 'syntax error at or near "SELECT"'),
        ("SELECT 1 FROM t WHERE a = (SELECT a FROM t x WHERE a = (SELECT 1 FROM t y WHERE y.a = t.a))",
         "XX000", "This type of correlated subquery pattern is not supported"),
        ("VACUUM t FASTER", "42601", 'syntax error at or near "FASTER"'),
        ("VACUUM TO 75 PERCENT", "42601", 'syntax error at or near "TO"'),
        ("VACUUM BOOST", "42601", 'syntax error at or near "BOOST"'),
        ("VACUUM REINDEX", "42601", "syntax error at end of input"),
        ("VACUUM RECLUSTER", "42601", "syntax error at end of input"),
        ("VACUUM REINDEX t TO 75 PERCENT", "42601", 'syntax error at or near "TO"'),
        ("VACUUM RECLUSTER t TO 75 PERCENT", "42601", 'syntax error at or near "TO"'),
        ("VACUUM REINDEX t BOOST", "42601", 'syntax error at or near "BOOST"'),
        ("VACUUM t TO 101 PERCENT", "42601", 'syntax error at or near "101"'),
        ("VACUUM t TO 7.5 PERCENT", "42601", 'syntax error at or near "7.5"'),
        ("ANALYZE t, s", "42601", 'syntax error at or near ","'),
        ("SELECT DATEADD(fortnight, 1, SYSDATE)", "22023", 'unknown date part "fortnight"'),
        ("SELECT DATEDIFF(epoch, SYSDATE, SYSDATE)", "22023", 'unknown date part "epoch"'),
        ("MERGE INTO t x USING t s ON x.a = s.a REMOVE DUPLICATES", "42601", 'syntax error at or near "x"'),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "42601", "MERGE needs exactly one"),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.a > 1 THEN DELETE"
            " WHEN NOT MATCHED THEN INSERT VALUES (1, 'x')",
            "42601",
            'syntax error at or near "AND"',
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING",
            "42601",
            'syntax error at or near "DO"',
        ),
        (
            "MERGE INTO t USING (SELECT a FROM t) s ON t.a = s.a WHEN MATCHED THEN DELETE"
            " WHEN NOT MATCHED THEN INSERT VALUES (1, 'x')",
            "0A000",
            "Source view/subquery in Merge statement cannot reference target table.",
        ),
        ("ALTER TABLE t ADD COLUMN c INT, ADD COLUMN d INT", "42601", "syntax error at or near"),
        ("ALTER TABLE t ALTER COLUMN a TYPE BIGINT", "0A000", "ALTER COLUMN TYPE changes only"),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "42601", 'syntax error at or near "SET"'),
        ("ALTER TABLE t APPEND FROM s", "0A000", "ALTER TABLE APPEND is not in the sandbox"),
    ],
)  # fmt: skip
def test_refused(client, sql, code, message):
    found_code, found_message = client.fail(sql)
    assert found_code == code
    assert found_message.startswith(message)
    assert client.run("SELECT a FROM t") == [(1,)]


@pytest.mark.parametrize(
    "type_",
    [
        *("SERIAL", "BIGSERIAL", "JSON", "JSONB", "UUID", "BYTEA", "MONEY", "XML", "INET"),
        *("INT[]", "VARCHAR(9)[]", "SUPER"),
    ],
)
def test_column_types_redshift_does_not_have_are_refused(client, type_):
    code, message = client.fail(f"CREATE TEMP TABLE x (a {type_})")
    assert code == "0A000"
    assert message.startswith('Column "a" has ')


@pytest.mark.parametrize(
    ("definition", "code", "message"),
    [
        ("(a VARCHAR(65536))", "22023", "length for type character varying cannot exceed 65535"),
        ("(a CHAR(4097))", "22023", "length for type character cannot exceed 4096"),
        ("(a DECIMAL(39))", "22023", "NUMERIC precision 39 must be between 1 and 38"),
        ("(a INT CHECK (a > 0))", "42601", 'syntax error at or near "CHECK"'),
        ("(a INT, CHECK (a > 0))", "42601", 'syntax error at or near "CHECK"'),
        ("(a INT, EXCLUDE USING gist (a WITH =))", "42601", 'syntax error at or near "EXCLUDE"'),
        ("(a INT ENCODE zip)", "42601", 'invalid encoding type specified for column: "zip"'),
        ("(a INT) DISTSTYLE SOME", "42601", 'syntax error at or near "SOME"'),
        ("(a INT) DISTSTYLE ALL DISTKEY (a)", "42601", "DISTKEY cannot be specified with DISTSTYLE ALL"),
        ("(a INT) DISTSTYLE KEY", "42601", "DISTSTYLE KEY requires a DISTKEY column"),
        ("(a INT DISTKEY, b INT DISTKEY)", "42601", "multiple DISTKEY columns specified"),
        ("(a INT) PARTITION BY RANGE (a)", "42601", 'syntax error at or near "PARTITION"'),
        ("(a INT) TABLESPACE x", "42601", 'syntax error at or near "TABLESPACE"'),
        ("(a INT) INHERITS (t)", "42601", 'syntax error at or near "INHERITS"'),
        ("(a DATE IDENTITY(0, 1))", "42601", "an IDENTITY column is INT or BIGINT"),
        (
            "(a VARCHAR(3) COLLATE CASE_INSENSITIVE)",
            "0A000",
            "COLLATE CASE_INSENSITIVE is not in the sandbox",
        ),
        ("(LIKE t) DISTSTYLE ALL", "0A000", "DISTSTYLE cannot be set in CREATE TABLE (LIKE)"),
        ("(LIKE t INCLUDING ALL)", "42601", 'syntax error at or near "INCLUDING"'),
    ],
)
def test_table_definitions_redshift_does_not_take_are_refused(client, definition, code, message):
    found_code, found_message = client.fail(f"CREATE TABLE refused {definition}")
    assert (found_code, found_message[: len(message)]) == (code, message)
    assert client.fail("SELECT 1 FROM refused")[0] == "42P01"


def test_leader_node_functions_run_without_a_table(client):
    for expression in (
        "NOW()",
        "CURRENT_TIMESTAMP",
        "CURRENT_SCHEMA()",
        "GENERATE_SERIES(1, 1)",
        "VERSION()",
    ):
        assert len(client.run(f"SELECT {expression}")) == 1


def test_a_leader_node_refusal_names_each_function_in_an_info_message(sandbox):
    with connect_psycopg(sandbox) as connection:
        notices = []
        connection.add_notice_handler(
            lambda notice: notices.append((notice.severity, notice.message_primary))
        )
        connection.execute("CREATE TEMP TABLE t (a INT)")
        Client(connection).fail("SELECT NOW(), CURRENT_SCHEMA(), a FROM t")
    assert notices == [
        ("INFO", 'Function "now()" not supported.'),
        ("INFO", 'Function "current_schema()" not supported.'),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS now FROM t",
        "SELECT 'NOW() RETURNING ON CONFLICT'",
        "SELECT b AS values FROM t",
        "SELECT SUBSTRING(b FROM 1 FOR 2) FROM t",
        "SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t",
        "SELECT MAX(a) OVER (PARTITION BY b) FROM t",
        "WITH now AS (SELECT 1 AS x) SELECT x FROM now",
        "SELECT relname FROM pg_catalog.pg_class WHERE oid = ANY (ARRAY[1259])",
        "SELECT table_name FROM information_schema.tables ORDER BY 1",
    ],
)
def test_what_only_looks_like_it_is_not_refused(client, sql):
    assert client.run(sql)
