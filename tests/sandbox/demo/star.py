"""A small star, made by hand, that lives in the open transaction of a test."""

from datetime import datetime
from typing import Any

from sandbox.parts.settings import REPOSITORY
from sparkify.warehouse.schema import with_ops

SCHEMA = REPOSITORY / "include" / "sparkify" / "schema"
TABLES = ("staging_events", "staging_songs", "users", "artists", "songs", "time", "songplays")
RECORDS = ("ops.loads", "ops.quality_results")

USERS = [
    (10, "Ada", "Ashford", "F", "paid"),
    (11, "Bram", "Oakley", "M", "free"),
    (12, "Cleo", "Fenwick", "F", "free"),
]
ARTISTS = [("AR1", "The Blue Kettles"), ("AR2", "Señor Storm")]
SONGS = [("SO1", "Quiet Rain", "AR1"), ("SO2", "Lost Map", "AR1"), ("SO3", "Último Drum", "AR2")]
FIREFOX, CHROME = "Mozilla/5.0 (X11; rv:31.0) Gecko/20100101 Firefox/31.0", '"Mozilla/5.0 Chrome/36.0"'

# start_time, user, level then, song, session, agent
PLAYS: list[tuple[str, int, str, str | None, int, str]] = [
    ("2018-11-01 08:00:00", 10, "free", "SO3", 1, CHROME),
    ("2018-11-01 09:00:00", 10, "paid", "SO1", 2, CHROME),
    ("2018-11-01 09:04:00", 10, "paid", "SO1", 2, CHROME),
    ("2018-11-01 09:08:00", 10, "paid", "SO2", 2, CHROME),
    ("2018-11-01 09:12:00", 10, "paid", None, 2, CHROME),
    ("2018-11-02 09:00:00", 11, "paid", "SO3", 3, FIREFOX),
    ("2018-11-02 21:00:00", 11, "free", "SO1", 4, CHROME),
    ("2018-11-02 21:00:00.250", 12, "free", "SO3", 5, FIREFOX),
    ("2018-11-03 21:00:00", 12, "free", "SO3", 6, FIREFOX),
    ("2018-11-03 21:04:00", 12, "free", "SO3", 6, FIREFOX),
    ("2018-11-03 21:08:00", 12, "free", None, 6, FIREFOX),
]


def make(connection: Any) -> None:
    """Fill the star in the connection's transaction; nothing is committed."""
    cursor = connection.cursor()
    for statement in with_ops((SCHEMA / f"{table}.sql").read_text() for table in TABLES):
        cursor.execute(statement)
    for table in (*reversed(TABLES), *RECORDS):
        cursor.execute(f"DELETE FROM {table}")
    for user in USERS:
        cursor.execute("INSERT INTO users VALUES (%s, %s, %s, %s, %s, '2018-11-03')", user)
    for artist_id, name in ARTISTS:
        cursor.execute("INSERT INTO artists (artist_id, name) VALUES (%s, %s)", (artist_id, name))
    for song in SONGS:
        cursor.execute("INSERT INTO songs (song_id, title, artist_id) VALUES (%s, %s, %s)", song)
    for number, play in enumerate(PLAYS):
        _insert_play(cursor, number, *play)


def _insert_play(
    cursor: Any, number: int, moment: str, user: int, level: str, song: str | None, session: int, agent: str
) -> None:
    at = datetime.fromisoformat(moment)
    artist = next((artist for song_id, _, artist in SONGS if song_id == song), None)
    cursor.execute(
        "INSERT INTO time VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (at, at.hour, at.day, at.isocalendar().week, at.month, at.year, at.isoweekday() % 7),
    )
    cursor.execute(
        "INSERT INTO songplays VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (f"play{number:02}", at, user, level, song, artist, session, "Flint Hollow, OH", agent),
    )
