"""The files and the tables of the comparison."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import boto3

from bench.connections import connect, connect_directly
from sandbox.demo.sample import generate
from sandbox.parts.settings import REPOSITORY, Settings

BUCKET = "bench-copying"
COLUMNS = (
    "artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page, "
    "registration, session_id, song, status, ts, user_agent, user_id"
)
_TABLE = REPOSITORY / "include" / "sparkify" / "schema" / "staging_events.sql"
_PATHS = REPOSITORY / "include" / "sparkify" / "log_events.json"
# As staging_events, without keys, without checks of bytes.
_BARE = """
CREATE TABLE bare_events (
    artist VARCHAR(1024), auth VARCHAR(64), first_name VARCHAR(256), gender VARCHAR(16),
    item_in_session INTEGER, last_name VARCHAR(256), length DOUBLE PRECISION, level VARCHAR(16),
    location VARCHAR(512), method VARCHAR(16), page VARCHAR(64), registration DOUBLE PRECISION,
    session_id INTEGER, song VARCHAR(1024), status INTEGER, ts TIMESTAMP, user_agent VARCHAR(1024),
    user_id INTEGER, load_id VARCHAR(64)
)"""
_SONGS = """
CREATE TABLE bench_songs (
    song_id VARCHAR(64), title VARCHAR(1024), artist_id VARCHAR(64), artist_name VARCHAR(1024),
    duration DOUBLE PRECISION, year INTEGER
)"""


@dataclass(frozen=True)
class Source:
    """What lies in the bucket.

    Args:
        events: Rows of the event files.
        event_bytes: Their size.
        songs: Files with one song each.
        csv: A local file of the same rows as CSV, written by `write_csv`.
    """

    events: int
    event_bytes: int
    songs: int
    csv: Path


def prepare(settings: Settings, events: int, songs: int) -> Source:
    """Generate the files, bring them to S3 and make the tables."""
    folder = settings.home / "bench-source"
    # Days of some 30,000 events, as a shop would have them: 120,000 a file would be 57 MB.
    made = generate(
        folder, start=date(2018, 11, 1), days=max(1, events // 30_000), events=events, songs=songs
    )
    s3 = boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key,
    )
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(_PATHS), BUCKET, "paths.json")
    files = sorted(path for path in folder.rglob("*.json") if path.is_file())
    for path in files:
        s3.upload_file(str(path), BUCKET, path.relative_to(folder).as_posix())
    with connect(settings) as connection:
        for sql in (_TABLE.read_text(), _BARE, _SONGS):
            connection.execute(sql)
    return Source(made.events, made.event_bytes, made.song_files, settings.home / "events.csv")


def write_csv(settings: Settings, source: Source) -> None:
    """Keep the loaded rows as CSV, ready for PostgreSQL."""
    sql = f"COPY staging_events ({COLUMNS}) TO STDOUT (FORMAT csv)"
    with (
        connect_directly(settings) as connection,
        connection.cursor().copy(sql) as rows,
        source.csv.open("wb") as file,
    ):
        for block in rows:
            file.write(block)
