"""A table with everything that one can declare, and what the catalog says of any."""

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
