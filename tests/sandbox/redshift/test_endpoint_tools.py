"""psql, SQLAlchemy and psycopg2 find their way although the endpoint says it is PostgreSQL 8.0.2."""

import os
import shutil
import subprocess

import psycopg2
import pytest
import sqlalchemy
from sqlalchemy.dialects.postgresql.base import PGDialect

from sandbox.parts import postgres
from tests.sandbox.redshift.endpoint_clients import connect_psycopg

PSQLS = [program for program in (postgres.programs() / "psql", shutil.which("psql")) if program]


@pytest.fixture
def songs(sandbox):
    """A table with a sort key and a key, with one row."""
    with connect_psycopg(sandbox) as connection:
        connection.execute("DROP TABLE IF EXISTS tool_songs")
        connection.execute("CREATE TABLE tool_songs (song_id INT PRIMARY KEY, title VARCHAR(9) SORTKEY)")
        connection.execute("INSERT INTO tool_songs VALUES (1, 'one')")
        yield
        connection.execute("DROP TABLE tool_songs")


def psql(program, settings, script):
    """What psql prints for a script."""
    environment = {**os.environ, "PGPASSWORD": settings.password}
    address = f"host=127.0.0.1 port={settings.redshift_port} user={settings.user} dbname={settings.database}"
    done = subprocess.run(
        [program, "-X", "-q", address],
        input=script,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.usefixtures("songs")
@pytest.mark.parametrize("program", PSQLS)
def test_psql_describes_and_lists(sandbox, program):
    # Other tests leave tables of other lengths behind, and psql aligns its columns to the longest name.
    listed = " ".join(psql(program, sandbox, "\\dt\n").split())
    assert "public | tool_songs | table | sparkify" in listed
    described = psql(program, sandbox, "\\d tool_songs\n")
    assert "title   | character varying(9)" in described
    assert '"tool_songs_pkey" PRIMARY KEY, btree (song_id)' in described
    assert "btree (title)" not in described  # the sort key's index is the endpoint's own
    assert "Check constraints" not in described
    commands = "d,d+ tool_songs,d svv_table_info,dn,l,du,df getdate,dv,dp,di,sf getdate,conninfo,dx,db"
    for command in commands.split(","):
        psql(program, sandbox, f"\\{command}\n")


@pytest.mark.usefixtures("songs")
@pytest.mark.parametrize("program", PSQLS)
def test_psql_expands_and_times(sandbox, program):
    output = psql(program, sandbox, "\\x\n\\timing\nSELECT song_id, title FROM tool_songs;\n")
    assert "song_id | 1" in output
    assert "Time: " in output


@pytest.fixture
def engine(sandbox):
    """SQLAlchemy with PostgreSQL's dialect."""
    address = ("127.0.0.1", sandbox.redshift_port, sandbox.database)
    url = sqlalchemy.URL.create("postgresql+psycopg2", sandbox.user, sandbox.password, *address)
    engine = sqlalchemy.create_engine(url)
    yield engine
    engine.dispose()


def test_sqlalchemys_dialect_of_postgresql_does_not_connect_as_to_redshift(engine):
    with pytest.raises(sqlalchemy.exc.ProgrammingError) as error:
        engine.connect()
    assert error.value.orig.pgcode == "42704"


@pytest.mark.usefixtures("songs")
def test_sqlalchemy_reflects_once_it_does_not_ask_for_a_setting_that_redshift_lacks(engine, monkeypatch):
    # As its dialects of Redshift do.
    monkeypatch.setattr(PGDialect, "_set_backslash_escapes", lambda *_: None)
    with engine.begin() as connection:
        assert connection.execute(sqlalchemy.text("SELECT NVL(NULL, :x)"), {"x": 3}).scalar() == 3
    inspector = sqlalchemy.inspect(engine)
    assert "tool_songs" in inspector.get_table_names()
    assert [column["name"] for column in inspector.get_columns("tool_songs")] == ["song_id", "title"]


@pytest.mark.usefixtures("songs")
def test_psycopg2_binds_text_with_backslashes_and_quotes(sandbox):
    connection = psycopg2.connect(
        host="127.0.0.1",
        port=sandbox.redshift_port,
        dbname=sandbox.database,
        user=sandbox.user,
        password=sandbox.password,
    )
    try:
        with connection, connection.cursor() as cursor:
            for value in ("it's", "a\\b", "\\'", '"', "ü\n", "NVL(", "%", "$1", "/*"):
                cursor.execute("SELECT %s, NVL(%s, 'x')", (value, value))
                assert cursor.fetchone() == (value, value)
    finally:
        connection.close()
