"""A client with a schema of its own, and what it asks of its tables."""

from contextlib import closing

import pytest

from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg, connect_redshift


@pytest.fixture(params=["redshift_connector", "psycopg"])
def client(sandbox, request):
    """A client with a schema `tables` of its own, first on its path."""
    connect = connect_psycopg if request.param == "psycopg" else connect_redshift
    with closing(connect(sandbox)) as connection:
        connection.autocommit = True
        client = Client(connection)
        client.run("CREATE SCHEMA tables")
        client.run("SET search_path TO tables")
        yield client
        client.run("DROP SCHEMA tables CASCADE")


FULL = """
CREATE TABLE IF NOT EXISTS plays (
    play_id BIGINT IDENTITY(0, 1) NOT NULL ENCODE raw,
    start_time TIMESTAMP NOT NULL ENCODE az64 SORTKEY, -- a comment, with a comma
    user_id INT DEFAULT nvl(NULL, 7) REFERENCES users (user_id) DISTKEY,
    level VARCHAR(4) COLLATE CASE_SENSITIVE ENCODE bytedict,
    price NUMERIC,
    PRIMARY KEY (play_id), UNIQUE (user_id, start_time),
    CONSTRAINT of_users FOREIGN KEY (user_id) REFERENCES users
) BACKUP NO DISTSTYLE KEY;
"""


def definition(client, table):
    """pg_table_def of a table as (column, type, encoding, distkey, sortkey, notnull)."""
    rows = client.run(
        'SELECT "column", type, trim(encoding), distkey, sortkey, "notnull" FROM pg_table_def'
        f" WHERE tablename = '{table}'"
    )
    return [tuple(row) for row in rows]
