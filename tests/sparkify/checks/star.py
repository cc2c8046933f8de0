"""A small star without fault, and the operator that checks it."""

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

from airflow.sdk import DAG

from sparkify.operators.data_quality import DataQualityOperator

INCLUDE = Path(__file__).parents[3] / "include"
HOUR = ("2018-11-15T10:00:00+00:00", "2018-11-15T11:00:00+00:00")
STAR_VIEWS = ("plays", "catalogue")
STAR_TABLES = ("staging_events", "staging_songs", "users", "artists", "songs", "time", "songplays")
STAR_CHECKS = "sparkify/quality.yaml"
STAR = """
INSERT INTO staging_events (page, user_id, session_id, item_in_session, ts) VALUES
    ('NextSong', 7, 1, 0, '2018-11-15 10:00:00'),
    ('NextSong', 7, 1, 1, '2018-11-15 10:05:00.796'),
    ('NextSong', 7, 1, 1, '2018-11-15 10:05:00.796'),
    ('NextSong', 8, 2, 0, '2018-11-15 10:05:00.796'),
    ('NextSong', NULL, 3, 0, '2018-11-15 10:30:00'),
    ('Home', 7, 1, 2, '2018-11-15 10:40:00'),
    ('NextSong', 9, 4, 0, '2018-11-15 11:00:00');
INSERT INTO staging_songs (song_id) VALUES ('S1'), ('S2');
INSERT INTO ops.staged_files VALUES
    ('staging_songs', 'b', 'song_data/1.json', 'first', 9, '2018-11-01', 'L1', '2018-11-01'),
    ('staging_songs', 'b', 'song_data/1.json', 'second', 9, '2018-11-02', 'L2', '2018-11-02'),
    ('staging_songs', 'b', 'song_data/2.json', 'first', 9, '2018-11-01', 'L1', '2018-11-01'),
    ('staging_events', 'b', 'log_data/1.json', 'first', 9, '2018-11-01', 'L1', '2018-11-01');
INSERT INTO ops.changes VALUES ('staging_events', 'L3', '2018-11-15 10:00', '2018-11-15 11:00');
INSERT INTO ops.changes_taken VALUES ('songplays', 'L3', 'L4');
INSERT INTO users (user_id, level, level_as_of) VALUES
    (7, 'free', '2018-11-15 10:05:00.796'), (8, 'paid', '2018-11-15 10:05:00.796'),
    (9, 'paid', '2018-11-15 11:00:00');
INSERT INTO artists (artist_id, name) VALUES ('A1', 'Akon'), ('A2', 'Ásgeir');
INSERT INTO songs (song_id, title, artist_id, duration) VALUES
    ('S1', 'One', 'A1', 1.5), ('S2', 'Two', 'A2', 2.5);
INSERT INTO time VALUES
    ('2018-11-15 10:00:00', 10, 15, 46, 11, 2018, 4), ('2018-11-15 10:05:00.796', 10, 15, 46, 11, 2018, 4);
INSERT INTO songplays (songplay_id, start_time, user_id, level, song_id, artist_id, session_id) VALUES
    ('p1', '2018-11-15 10:00:00', 7, 'free', 'S1', 'A1', 1),
    ('p2', '2018-11-15 10:05:00.796', 7, 'free', NULL, NULL, 1),
    ('p3', '2018-11-15 10:05:00.796', 8, 'paid', 'S2', 'A2', 2)
"""


def run(connection, *statements):
    with closing(connection.cursor()) as cursor:
        for statement in filter(None, statements):
            cursor.execute(statement)
    connection.commit()


def kept(connection, columns, where="TRUE"):
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"SELECT {columns} FROM ops.quality_results WHERE {where} ORDER BY check_name")
        rows = [tuple(row) for row in cursor.fetchall()]
    connection.rollback()
    return rows


def operator_of(checks, conn_id="redshift_default"):
    with DAG("quality_dag", template_searchpath=[str(INCLUDE)]):
        operator = DataQualityOperator(task_id="check_quality", conn_id=conn_id, checks=checks)
    operator.resolve_template_files()
    return operator


def execute(operator, window=HOUR, run_id="run_1", map_index=-1):
    ids = {"dag_id": "quality_dag", "run_id": run_id, "task_id": "check_quality"}
    instance = SimpleNamespace(**ids, map_index=map_index)
    start, end = window or (None, None)
    return operator.execute({"ti": instance, "params": {"window_start": start, "window_end": end}})


def check(checks=STAR_CHECKS, conn_id="redshift_default", **how):
    return execute(operator_of(checks, conn_id), **how)
