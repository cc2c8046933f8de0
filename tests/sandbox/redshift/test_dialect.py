"""What the dialect makes of a statement, and what it does not touch."""

import pytest

from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.dialect.translation import Context, Dialect


def translate(sql, **context):
    return Dialect().translate(sql, Context(**context))


def rewritten(sql):
    (statement,) = translate(sql)
    return statement.sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, b FROM t WHERE c = 'NVL(SYSDATE)'",
        'SELECT t.sysdate, x AS sysdate, "sysdate" FROM t',
        "SELECT s.avg(1), s.sum(2) FROM t",
        "INSERT INTO sum (a) VALUES (1)",
        "SELECT decimal FROM t",
        "SELECT x::numeric(8, 2), CAST(y AS decimal(3,1)) FROM t",
        "SELECT EXTRACT FROM t",
        "SELECT top, minus FROM t",
        "SELECT SUBSTRING(a FROM 2 FOR 3), TRIM(BOTH FROM b) FROM t",
        "SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.~) '^(t)$'",
        "BEGIN",
        "begin transaction",
        "COMMIT",
        "LOCK a, b",
        "DELETE FROM t USING s WHERE t.a = s.a AND t.ts >= $1",
        "UPDATE t SET a = 1 FROM s WHERE t.id = s.id",
        "-- only a comment",
        "",
        ";",
    ],
)
def test_what_means_the_same_passes_untouched(sql):
    (statement,) = translate(sql)
    assert not statement.rewritten
    assert statement.sql == sql
    assert statement.after == ()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT NVL(a, ISNULL(b, c)) FROM t", "SELECT coalesce(a, coalesce(b, c)) FROM t"),
        ("SELECT nvl2(a, nvl2(b, 1, 2), 3)", "SELECT (CASE WHEN (a) IS NOT NULL"
         " THEN (CASE WHEN (b) IS NOT NULL THEN 1 ELSE 2 END) ELSE 3 END)"),
        ("SELECT DATEADD(mon, -1, $1)", "SELECT pg_internal.date_add('month', -1, $1::timestamp)"),
        ("SELECT EXTRACT(dayofyear FROM ts) FROM t", "SELECT pg_internal.date_part('doy' , ts) FROM t"),
        ("SELECT SYSDATE", "SELECT pg_internal.sysdate()"),
        ("SELECT a::NUMERIC, CAST(b AS decimal)", "SELECT a::NUMERIC(18,0), CAST(b AS decimal(18,0))"),
        ("SELECT TOP 5 a FROM t ORDER BY a;", "SELECT  a FROM t ORDER BY a LIMIT 5"),
        ("SELECT 1 MINUS (SELECT 2)", "SELECT 1 EXCEPT (SELECT 2)"),
        ("DELETE t WHERE a = 1", "DELETE FROM t WHERE a = 1"),
        ('SELECT "Ä", "UserId" FROM "T"', 'SELECT "Ä", "userid" FROM "t"'),
        ("DROP TABLE #Stage", 'DROP TABLE "#stage"'),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN "),
        ("VACUUM FULL s.t TO 75 PERCENT", 'VACUUM "s"."t"'),
        ("ANALYZE t PREDICATE COLUMNS", "ANALYZE t "),
        ("SET query_group TO 'x'", "SET redshift.query_group TO 'x'"),
        ("CREATE TEMP TABLE a (LIKE b)", "CREATE TEMP TABLE a (LIKE b INCLUDING CONSTRAINTS)"),
        ("CREATE TABLE #a (x INT DISTKEY) SORTKEY (x)", 'CREATE TEMP TABLE "#a" (x int ) '),
        ("SELECT d.adsrc, c.relhasoids FROM pg_attrdef d, pg_class c",
         "SELECT d.adsrc, false FROM pg_internal.pg_attrdef d, pg_internal.pg_class c"),
        ("SELECT pg_catalog.pg_class.oid FROM pg_catalog.pg_class",
         "SELECT pg_internal.pg_class.oid FROM pg_internal.pg_class"),
        ("SELECT pg_get_constraintdef(oid), pg_catalog.pg_get_indexdef(1) FROM pg_constraint AS pg_class",
         "SELECT pg_internal.pg_get_constraintdef(oid), pg_internal.pg_get_indexdef(1)"
         " FROM pg_internal.pg_constraint AS pg_class"),
        ('SELECT 1 FROM information_schema."columns" WHERE \'pg_catalog.pg_class\' = table_name',
         'SELECT 1 FROM pg_internal."columns" WHERE \'pg_catalog.pg_class\' = table_name'),
    ],
)  # fmt: skip
def test_what_differs_is_rewritten_in_its_place(sql, expected):
    assert rewritten(sql) == expected


def test_a_table_is_followed_by_what_it_declares():
    (statement,) = translate("CREATE TABLE s.t (a INT PRIMARY KEY, b VARCHAR(3) SORTKEY)")
    assert statement.sql == (
        "CREATE TABLE s.t (a int  NOT NULL, b character varying(3)  CONSTRAINT "
        '"character varying(3) bytes: b" CHECK (pg_catalog.octet_length("b") <= 3))'
    )
    (declaration,) = statement.after
    assert declaration.startswith('SELECT pg_internal.declare_table($redshift$"s"."t"$redshift$::')


def test_a_plain_table_declares_nothing():
    (statement,) = translate("CREATE TABLE t (a INT, b DATE)")
    assert statement.after == ()


def test_truncate_is_followed_by_commit():
    (statement,) = translate("TRUNCATE TABLE t")
    assert statement.after == ("COMMIT",)


def test_statements_are_translated_one_by_one():
    first, second, third = translate("BEGIN; SELECT NVL(1, 2) ; COMMIT")
    assert (first.controls_transaction, third.controls_transaction) == (True, True)
    assert second.sql == "SELECT coalesce(1, 2)"


def test_one_refused_statement_refuses_the_text():
    with pytest.raises(Refusal, match="SAVEPOINT"):
        translate("SELECT 1; SAVEPOINT a")


def test_copy_from_s3_is_recognised_with_its_text():
    (statement,) = translate("/* load */ COPY s.t (a) FROM 's3://b/k' IAM_ROLE default FORMAT JSON 'auto'")
    assert statement.copy.backend_sql() == 'COPY "s"."t" ("a") FROM STDIN'


def test_a_refusal_is_remembered_and_a_transaction_makes_a_difference():
    dialect = Dialect()
    sql = "ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(9)"
    for _ in range(2):
        with pytest.raises(Refusal, match="transaction block"):
            dialect.translate(sql, Context(in_transaction=True))
    assert dialect.translate(sql, Context()) is dialect.translate(sql, Context())


def test_a_name_with_the_quoting_mark_is_refused():
    with pytest.raises(Refusal, match="sandbox uses itself"):
        translate('CREATE TABLE "$redshift$" (a INT DISTKEY)')
