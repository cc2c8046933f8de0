"""Hourly: event logs and song catalogue from S3 into the Redshift star schema."""

from airflow.sdk import CronDataIntervalTimetable, Param

from definitions.dataset import BUCKETS
from definitions.forms import LOADING_DAG, LOADS, SOURCE, LoadingDag, loading_params
from definitions.sparkify import PLAYS_BY_SONG, SPARKIFY
from sparkify.operators import (
    Audits,
    CreateTablesOperator,
    DataQualityOperator,
    Follow,
    LoadDimensionOperator,
    LoadFactOperator,
    Lookup,
    StageToRedshiftOperator,
)

with LoadingDag(
    dag_id="sparkify_etl",
    dag_display_name="sparkify_etl: load plays and songs",
    description="Event logs and songs from S3 into the star schema on Redshift, one window a run.",
    doc_md="""
### What it does
Copies the event logs of one window and the new or changed files of the song catalogue from S3 into staging
tables, builds the star schema (`songplays`, `users`, `songs`, `artists`, `time`) and checks it.

### Which window
A run loads one half-open UTC window `[start, end)`, written first in the log of every task that uses it:

* **scheduled and backfilled runs**: their data interval, one hour;
* **manual runs**: the last whole hour before the logical date: 10:00 loads 09:00 to 10:00;
* **with the params** `window_start` and `window_end`: exactly that window, an hour, a day or a year.

### Late data
A run also looks at the files of the days before its window (param `look_back_days`). Hours that an earlier
run loaded and whose rows are no longer what their file says are loaded again; the log of `stage_events` names
them. Hours that no run has loaded yet stay unloaded, and a file that has gone changes nothing.

### Running it again
Any order, any overlap and any number of runs at once end in the same tables: a window is replaced, never
appended. Clear a failed task once its cause, which its log names, is mended.

### Backfill
For a day or so: Trigger, *Backfill*, from 00:00 to 23:00, four active runs, no window. For a month of
history: one run with a wide window rather than 720 hourly ones.

### When it fails
* `stage_*`: the message names file, line, column and value. Mend the file, clear the task.
* `load_*`: an audit failed or the SQL is wrong; the table is as it was before.
* `check_quality`: the log has a table of all checks; `ops.quality_results` keeps it.
""",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    **LOADING_DAG,
    params={
        **loading_params("hour", look_back_days=3),
        "keep_strays": Param(
            False,
            type="boolean",
            section=SOURCE,
            title="Keep events of other days aside",
            description="Events outside the day that their file is named for go to ops.rejected_rows, and the"
            " others are staged. Without it such an event fails the run.",
        ),
        "song_prefix": Param(
            "song_data/",
            type="string",
            pattern="^song_data/",
            section=SOURCE,
            title="Song files",
            description="Stage the song files whose key starts with this, for example song_data/A/A/.",
        ),
        "allow_no_songs": Param(
            False,
            type="boolean",
            section=SOURCE,
            title="Go on without song files",
            description="Load events although no song file begins with that. Without it such a run fails.",
        ),
    },
    tags=["sparkify", "redshift", "etl", LOADS],
) as dag:
    create_tables = CreateTablesOperator(task_id="create_tables", sql=SPARKIFY.schema)

    stage_events = StageToRedshiftOperator(
        task_id="stage_events",
        mode="window",
        keep_strays="{{ params.keep_strays }}",
        look_back_days="{{ params.look_back_days }}",
        **SPARKIFY.staging,
    )

    stage_songs = StageToRedshiftOperator(
        task_id="stage_songs",
        table="staging_songs",
        mode="changed_files",
        prefix="{{ params.song_prefix }}",
        source_prefix="song_data/",
        allow_empty="{{ params.allow_no_songs }}",
        key_columns=["song_id"],
        **BUCKETS,
    )

    load_users = LoadDimensionOperator(
        task_id="load_users",
        table="users",
        sql="sparkify/load/users.sql",
        mode="upsert",
        key_columns=["user_id"],
        newer_by="level_as_of",
        follows=[Follow("staging_events")],
    )

    load_songs = LoadDimensionOperator(
        task_id="load_songs",
        table="songs",
        sql="sparkify/load/songs.sql",
        mode="replace",
        key_columns=["song_id"],
        follows=[Follow("staging_songs", after=["artists"])],
    )

    load_artists = LoadDimensionOperator(
        task_id="load_artists",
        table="artists",
        sql="sparkify/load/artists.sql",
        mode="replace",
        key_columns=["artist_id"],
        follows=[Follow("staging_songs")],
    )

    load_time = LoadDimensionOperator(
        task_id="load_time",
        table="time",
        sql=SPARKIFY.window_loads["time"],
        mode="window",
        key_columns=["start_time"],
        time_column=SPARKIFY.window_column,
        follows=[Follow("staging_events")],
    )

    load_songplays = LoadFactOperator(
        task_id="load_songplays",
        table="songplays",
        sql=SPARKIFY.window_loads["songplays"],
        mode="window",
        time_column=SPARKIFY.window_column,
        audits=Audits(unique=["songplay_id"], not_null=["start_time", "user_id"]),
        follows=[
            Follow("staging_events", after=["users", "time"]),
            Follow(
                "staging_songs",
                after=["songs", "artists"],
                names="sparkify/late/names.sql",
                prepare="sparkify/late/plays_found.sql",
                update="sparkify/late/songplays.sql",
            ),
        ],
        lookup=Lookup(**PLAYS_BY_SONG),
    )

    check_quality = DataQualityOperator(
        task_id="check_quality",
        checks="sparkify/quality.yaml",
    )

    create_tables >> [stage_events, stage_songs]
    stage_events >> [load_users, load_time]
    stage_songs >> load_artists >> load_songs
    [load_users, load_time, load_songs] >> load_songplays >> check_quality
