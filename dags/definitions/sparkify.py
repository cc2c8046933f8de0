"""Sparkify: the events of a music service and its catalogue of songs."""

from typing import Any

from definitions.dataset import Dataset

TABLES = ("staging_events", "staging_songs", "users", "artists", "songs", "time", "songplays")

# What a play is and which songs it may point to, each said once.
VIEWS = ("plays", "catalogue")

PLAYS_BY_SONG: dict[str, Any] = {
    "table": "plays_by_song",
    "columns": {"song": "VARCHAR(1024)", "artist": "VARCHAR(1024)", "length": "DOUBLE PRECISION"},
    "insert": "sparkify/late/plays_by_song.sql",
}

SPARKIFY = Dataset(
    name="sparkify",
    folders=("log_data", "song_data"),
    schema=tuple(f"sparkify/schema/{name}.sql" for name in (*TABLES, PLAYS_BY_SONG["table"], *VIEWS)),
    tables=TABLES,
    beside={"songplays": PLAYS_BY_SONG["table"]},
    published=("songplays", "users", "songs", "artists", "time"),
    files_of_windows={
        "table": "staging_events",
        "key_pattern": "log_data/%Y/%m/%Y-%m-%d-events.json",
        "time_column": "ts",
        # What tells an event from others.
        "key_columns": ["session_id", "item_in_session"],
        "jsonpaths": "sparkify/log_events.json",
        "copy_options": ["TIMEFORMAT AS 'epochmillisecs'"],
    },
    window_loads={"songplays": "sparkify/load/songplays.sql", "time": "sparkify/load/time.sql"},
    window_column="start_time",
)
