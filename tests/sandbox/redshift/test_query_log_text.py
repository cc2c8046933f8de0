"""What the log says of a statement by its text alone."""

import pytest

from sandbox.redshift.dialect.log_text import Kind, kind_of, without_secrets


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT 1", Kind("QUERY", "SELECT", on_leader=True)),
        ("select version()", Kind("QUERY", "SELECT", on_leader=True)),
        ("SELECT * FROM pg_class", Kind("QUERY", "SELECT", on_leader=True)),
        ("SELECT EXTRACT(year FROM GETDATE())", Kind("QUERY", "SELECT", on_leader=True)),
        ("SELECT * FROM stl_query", Kind("QUERY", "SELECT")),
        ("-- why\n/* more */ (SELECT a FROM t)", Kind("QUERY", "SELECT")),
        ("WITH x AS (SELECT 1 AS a) SELECT * FROM x", Kind("QUERY", "SELECT", on_leader=True)),
        ("WITH x AS (SELECT a FROM t) DELETE FROM t USING x WHERE t.a = x.a", Kind("QUERY", "DELETE")),
        ("INSERT INTO t SELECT * FROM s", Kind("QUERY", "INSERT")),
        ("update t set a = 1", Kind("QUERY", "UPDATE")),
        ("MERGE INTO t USING s ON t.a = s.a REMOVE DUPLICATES", Kind("QUERY", "OTHER")),
        ("COPY t FROM 's3://b/k' IAM_ROLE default", Kind("QUERY", "COPY")),
        ("SELECT a INTO n FROM t", Kind("QUERY", "CTAS")),
        ("CREATE TEMP TABLE n DISTKEY(a) AS (SELECT a FROM t)", Kind("QUERY", "CTAS")),
        ("CREATE TABLE n (as_of DATE)", Kind("DDL", "DDL")),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", Kind("DDL", "DDL")),
        ("CREATE MATERIALIZED VIEW v AS SELECT a FROM t", Kind("DDL", "DDL")),
        ("ALTER SCHEMA s RENAME TO r", Kind("DDL", "DDL")),
        ("DROP TABLE IF EXISTS t", Kind("DDL", "DDL")),
        ("CREATE USER u PASSWORD DISABLE", Kind("UTILITY", "UTILITY")),
        ("ALTER DATABASE d RENAME TO e", Kind("UTILITY", "UTILITY")),
        ("TRUNCATE t", Kind("UTILITY", "UTILITY")),
        ("REFRESH MATERIALIZED VIEW v", Kind("UTILITY", "UTILITY")),
        ("", Kind("UTILITY", "OTHER")),
        ("SELECT 'unfinished FROM", Kind("QUERY", "SELECT")),
    ],
)
def test_a_statement_has_a_kind(text, kind):
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CREATE USER u PASSWORD 'it''s'", "CREATE USER u PASSWORD '***'"),
        ("alter user u with password E'a\\'b' VALID UNTIL '2027-01-01'", None),
        ("ALTER USER u PASSWORD -- here\n 'secret'", "ALTER USER u PASSWORD -- here\n '***'"),
        ("COPY t FROM 's3://b' CREDENTIALS AS 'aws_access_key_id=a;aws_secret_access_key=b'", None),
        ("UNLOAD ('SELECT 1') TO 's3://b' MASTER_SYMMETRIC_KEY 'secret'", None),
        (
            "COPY t FROM 's3://b' CREDENTIALS 'aws_iam_role=arn'",
            "COPY t FROM 's3://b' CREDENTIALS 'aws_iam_role=arn'",
        ),
        ("SELECT 'password'", "SELECT 'password'"),
        ("CREATE USER u PASSWORD 'secret", "CREATE USER u PASSWORD '***'"),
    ],
)
def test_secrets_are_masked(text, shown):
    found, secrets = without_secrets(text)
    for secret in ("it''s", "a\\'b", "=b'", "secret'"):
        assert secret not in found
    assert all(secret not in found for secret in secrets)
    assert shown in (None, found)
