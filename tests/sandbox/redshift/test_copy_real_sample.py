"""The published course data through COPY, into tables shaped like the warehouse's staging tables."""

from contextlib import closing
from pathlib import Path

import pytest
import redshift_connector

from tests.sandbox.redshift.copying import LAST_SYS

SAMPLE = Path(__file__).parents[4] / "shared" / "real-sample"
BUCKET = "copy-real-sample"

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real sample is not here")

EVENTS = """
CREATE TEMP TABLE events (
    artist VARCHAR(1024), auth VARCHAR(32), first_name VARCHAR(256), gender CHAR(1), item_in_session INTEGER,
    last_name VARCHAR(256), length DOUBLE PRECISION, level VARCHAR(16), location VARCHAR(512),
    method VARCHAR(8), page VARCHAR(64), registration BIGINT, session_id INTEGER, song VARCHAR(1024),
    status SMALLINT, ts TIMESTAMP SORTKEY, user_agent VARCHAR(1024), user_id INTEGER, load_id VARCHAR(36)
)
"""
SONGS = """
CREATE TEMP TABLE songs (
    num_songs INTEGER, song_id VARCHAR(18), title VARCHAR(1024), duration DOUBLE PRECISION, year SMALLINT,
    artist_id VARCHAR(18), artist_name VARCHAR(1024), artist_location VARCHAR(1024),
    artist_latitude DOUBLE PRECISION, artist_longitude DOUBLE PRECISION, load_id VARCHAR(36)
)
"""
EVENT_COLUMNS = (
    "artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page, "
    "registration, session_id, song, status, ts, user_agent, user_id"
)


@pytest.fixture(scope="module")
def bucket(sandbox):
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=sandbox.aws_endpoint_url,
        aws_access_key_id=sandbox.aws_access_key_id,
        aws_secret_access_key=sandbox.aws_secret_access_key,
        region_name=sandbox.region,
    )
    client.create_bucket(Bucket=BUCKET)
    for path in sorted(SAMPLE.rglob("*.json")):
        client.put_object(Bucket=BUCKET, Key=path.relative_to(SAMPLE).as_posix(), Body=path.read_bytes())
    return BUCKET


@pytest.fixture
def cursor(sandbox):
    connection = redshift_connector.connect(
        host="127.0.0.1",
        port=sandbox.redshift_port,
        user=sandbox.user,
        password=sandbox.password,
        database=sandbox.database,
        ssl=False,
    )
    with closing(connection), closing(connection.cursor()) as found:
        yield found


def ask(cursor, sql):
    cursor.execute(sql)
    return tuple(cursor.fetchone())


def test_fifteen_days_of_events_by_jsonpaths(cursor, bucket):
    cursor.execute(EVENTS)
    cursor.execute(
        f"COPY events ({EVENT_COLUMNS}) FROM 's3://{bucket}/log_data/' IAM_ROLE default "
        f"FORMAT AS JSON 's3://{bucket}/log_json_path.json' TIMEFORMAT 'epochmillisecs' COMPUPDATE OFF"
    )
    assert ask(cursor, "SELECT COUNT(*), COUNT(user_id), COUNT(artist), COUNT(load_id) FROM events") == (
        *(3574, 3486, 3041, 0),
    )
    assert ask(
        cursor,
        "SELECT MIN(ts)::VARCHAR(30), MAX(ts)::VARCHAR(30), COUNT(DISTINCT user_id) FROM events "
        "WHERE page = 'NextSong'",
    ) == ("2018-11-01 21:01:46.796", "2018-11-15 23:57:05.796", 80)
    assert ask(cursor, "SELECT pg_last_copy_count()") == (3574,)


def test_song_files_one_of_which_holds_two_documents(cursor, bucket):
    cursor.execute(SONGS)
    cursor.execute(
        f"COPY songs FROM 's3://{bucket}/song_data' IAM_ROLE default JSON 'auto' REGION 'us-east-1'"
    )
    assert ask(cursor, "SELECT COUNT(*), COUNT(DISTINCT song_id), COUNT(DISTINCT artist_id) FROM songs") == (
        *(605, 604, 587),
    )
    assert ask(
        cursor,
        f"SELECT source_file_count, loaded_rows FROM sys_load_history WHERE {LAST_SYS}",
    ) == (604, 605)
