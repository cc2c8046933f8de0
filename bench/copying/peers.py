"""Those that are compared: each loads once and returns how many things it did in a second."""

import time
from collections.abc import Callable

import psycopg

from bench.connections import connect, connect_directly
from bench.copying.place import BUCKET, COLUMNS, Source
from sandbox.parts.settings import Settings

_BLOCK = 256 * 1024
_SONGS = "song_id, title, artist_id, artist_name, duration, year"


def copy(settings: Settings, source: Source) -> float:
    """COPY of the event files, in rows a second."""
    sql = (
        f"COPY staging_events ({COLUMNS}) FROM 's3://{BUCKET}/log_data/' IAM_ROLE default "
        f"FORMAT AS JSON 's3://{BUCKET}/paths.json' TIMEFORMAT 'epochmillisecs'"
    )
    with connect(settings) as connection:
        _run(connection, "TRUNCATE staging_events")
        return source.events / _seconds(lambda: _run(connection, sql))


def copy_csv(settings: Settings, source: Source, table: str) -> float:
    """PostgreSQL's own COPY of the same rows, ready as CSV, in rows a second."""
    with connect_directly(settings) as connection:
        _run(connection, f"TRUNCATE {table}")
        return source.events / _seconds(lambda: _feed(connection, source, table))


def copy_songs(settings: Settings, source: Source) -> float:
    """COPY of files with one song each, in files a second."""
    sql = (
        f"COPY bench_songs ({_SONGS}) FROM 's3://{BUCKET}/song_data/' IAM_ROLE default "
        "FORMAT AS JSON 'auto' MAXERROR 9"
    )
    with connect(settings) as connection:
        _run(connection, "TRUNCATE bench_songs")
        return source.songs / _seconds(lambda: _run(connection, sql))


def select(connection: psycopg.Connection, rows: int) -> float:
    """Rows a second that a client gets."""
    sql = f"SELECT * FROM staging_events LIMIT {rows}"  # noqa: S608 - a number
    seconds = _seconds(lambda: connection.execute(sql).fetchall())
    return rows / seconds


def select_by_endpoint(settings: Settings, rows: int) -> float:
    """The same through the endpoint."""
    with connect(settings) as connection:
        return select(connection, rows)


def select_directly(settings: Settings, rows: int) -> float:
    """The same on PostgreSQL's own socket."""
    with connect_directly(settings) as connection:
        return select(connection, rows)


def _feed(connection: psycopg.Connection, source: Source, table: str) -> None:
    sql = f"COPY {table} ({COLUMNS}) FROM STDIN (FORMAT csv)"
    with connection.cursor().copy(sql) as rows, source.csv.open("rb") as file:
        while block := file.read(_BLOCK):
            rows.write(block)


def _run(connection: psycopg.Connection, sql: str) -> None:
    connection.execute(sql)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
