"""DataQualityOperator and the checks of the star schema, over both connection types."""

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.checks import read_suite
from sparkify.operators.data_quality import DataQualityOperator
from sparkify.warehouse.schema import with_ops

INCLUDE = Path(__file__).parents[3] / "include"
HOUR = ("2018-11-15T10:00:00+00:00", "2018-11-15T11:00:00+00:00")
VIEWS = ("plays", "catalogue")
TABLES = ("staging_events", "staging_songs", "users", "artists", "songs", "time", "songplays")
STAR_CHECKS = "sparkify/quality.yaml"
[PLAYS_OF_AN_HOUR] = [
    check.measure_id
    for check in read_suite((INCLUDE / STAR_CHECKS).read_text(), STAR_CHECKS).checks
    if check.kind == "anomaly"
]
FINE = "checks: [{kind: row_count, table: songs, max: 9}]"

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


@pytest.fixture
def star(redshift):
    """A small star without fault for the hour 10:00 to 11:00, and an hour of plays around it."""
    drop = [f"DROP TABLE IF EXISTS {table} CASCADE" for table in TABLES]
    run(redshift, *drop, "DROP SCHEMA IF EXISTS ops CASCADE")
    schema = INCLUDE / "sparkify" / "schema"
    run(redshift, *with_ops((schema / f"{table}.sql").read_text() for table in (*TABLES, *VIEWS)))
    run(redshift, *STAR.split(";"))
    yield redshift
    redshift.rollback()
    run(redshift, *drop, "DROP SCHEMA ops CASCADE")


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


@pytest.mark.parametrize("conn_id", ["redshift_default", "postgres_sandbox"])
def test_a_star_without_fault_passes_every_check(star, conn_id):
    counts = check(conn_id=conn_id)
    assert counts == {"passed": counts["passed"], "failed": 0, "warned": 0, "errors": 0}
    assert kept(star, "check_name, detail", "status <> 'passed'") == []
    assert counts["passed"] == len(kept(star, "check_name"))
    assert set(kept(star, "window_start, window_end")) == {
        (datetime(2018, 11, 15, 10), datetime(2018, 11, 15, 11))
    }


FAULTS = {
    "a play twice": (
        "INSERT INTO songplays SELECT * FROM songplays WHERE songplay_id = 'p1'",
        {"unique songplays(songplay_id)", "songplays has every play of staging_events once"},
    ),
    "a play lost": (
        "DELETE FROM songplays WHERE songplay_id = 'p1'",
        {
            "songplays has every play of staging_events once",
            "foreign_key time(start_time) -> songplays(start_time)",
        },
    ),
    "a play without level": (
        "UPDATE songplays SET level = NULL WHERE songplay_id = 'p1'",
        {"not_null songplays(songplay_id, start_time, user_id, level, session_id)"},
    ),
    "a play of an unknown level": (
        "UPDATE songplays SET level = 'gold' WHERE songplay_id = 'p1'",
        {"accepted_values songplays(level)"},
    ),
    "a user lost": (
        "DELETE FROM users WHERE user_id = 8",
        {"foreign_key songplays(user_id) -> users(user_id)"},
    ),
    "a song lost": (
        "DELETE FROM songs WHERE song_id = 'S1'",
        {
            "foreign_key songplays(song_id) -> songs(song_id)",
            "foreign_key songplays(song_id, artist_id) -> songs(song_id, artist_id)",
        },
    ),
    "an artist lost": (
        "DELETE FROM artists WHERE artist_id = 'A1'",
        {
            "foreign_key songplays(artist_id) -> artists(artist_id)",
            "foreign_key songs(artist_id) -> artists(artist_id)",
        },
    ),
    "a play with another song's artist": (
        "UPDATE songplays SET artist_id = 'A2' WHERE songplay_id = 'p1'",
        {"foreign_key songplays(song_id, artist_id) -> songs(song_id, artist_id)"},
    ),
    "a moment lost": (
        "DELETE FROM time WHERE start_time = '2018-11-15 10:00:00'",
        {"foreign_key songplays(start_time) -> time(start_time)"},
    ),
    "a moment without a play": (
        "INSERT INTO time VALUES ('2018-11-15 10:30:00', 10, 15, 46, 11, 2018, 4)",
        {"foreign_key time(start_time) -> songplays(start_time)"},
    ),
    "a moment twice": (
        "INSERT INTO time SELECT * FROM time WHERE start_time = '2018-11-15 10:00:00'",
        {"unique time(start_time)"},
    ),
    "an eighth day of the week": (
        "UPDATE time SET weekday = 7 WHERE start_time = '2018-11-15 10:00:00'",
        {"range time(weekday)"},
    ),
    "a user twice": ("INSERT INTO users SELECT * FROM users WHERE user_id = 9", {"unique users(user_id)"}),
    "a user without level": (
        "UPDATE users SET level = NULL WHERE user_id = 9",
        {"not_null users(user_id, level, level_as_of)"},
    ),
    "a user of an unknown level": (
        "UPDATE users SET level = '' WHERE user_id = 9",
        {"accepted_values users(level)"},
    ),
    "a song twice": ("INSERT INTO songs SELECT * FROM songs WHERE song_id = 'S2'", {"unique songs(song_id)"}),
    "a song without title": (
        "UPDATE songs SET title = NULL WHERE song_id = 'S1'",
        {"not_null songs(song_id, title, artist_id, duration)"},
    ),
    "an artist twice": (
        "INSERT INTO artists SELECT * FROM artists WHERE artist_id = 'A2'",
        {"unique artists(artist_id)"},
    ),
    "an artist without name": (
        "UPDATE artists SET name = NULL WHERE artist_id = 'A2'",
        {"not_null artists(artist_id, name)"},
    ),
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_star_is_found_by_its_checks_and_by_no_others(star, fault, expected):
    run(star, fault)
    with pytest.raises(AirflowFailException) as failure:
        check()
    failed = {name for (name,) in kept(star, "check_name", "status <> 'passed' AND severity = 'error'")}
    assert failed == expected
    for name in expected:
        assert name in str(failure.value)
    assert "What to do" in str(failure.value)


def plays_before(weeks):
    """The row that a run so many weeks before HOUR would have left, had it found 200 plays."""
    start = datetime(2018, 11, 15, 10) - timedelta(weeks=weeks)
    values = f"'{start}', '{start + timedelta(hours=1)}', 200, '2018-11-15'"
    return f"'{PLAYS_OF_AN_HOUR}', 'anomaly songplays(COUNT(*))', 'songplays', {values}"


WARNINGS = {
    "a user whose newest play is not there": (
        "UPDATE users SET level_as_of = '2018-11-15 10:06:00' WHERE user_id = 7",
        HOUR,
        {"users are as of a play of theirs"},
    ),
    "a staged song that is not in songs": (
        "INSERT INTO staging_songs (song_id) VALUES ('S3'); INSERT INTO ops.staged_files VALUES"
        " ('staging_songs', 'b', 'song_data/3.json', 'x', 9, '2018-11-01', 'L1', '2018-11-01')",
        HOUR,
        {"songs has every song of staging_songs"},
    ),
    "a song file whose song is another file's": (
        "INSERT INTO ops.staged_files VALUES"
        " ('staging_songs', 'b', 'song_data/3.json', 'x', 9, '2018-11-01', 'L1', '2018-11-01')",
        HOUR,
        {"every song file gives one song"},
    ),
    "an hour that was staged again and not loaded": (
        "DELETE FROM ops.changes_taken",
        HOUR,
        {"facts have taken in every change"},
    ),
    "a file of an earlier day that could not be staged": (
        "INSERT INTO ops.rejected_rows VALUES "
        "('s3://b/log_data/2.json', 3, 'ts', '7', 'outside the time', '{}', 'L1')",
        HOUR,
        {"no file waits to be mended"},
    ),
    "an hour without plays": (
        "",
        ("2018-11-16T03:00:00+00:00", "2018-11-16T04:00:00+00:00"),
        {"row_count songplays"},
    ),
    "a day without plays": (
        "",
        ("2018-11-17T03:00:00+00:00", "2018-11-17T04:00:00+00:00"),
        {"row_count songplays", "freshness songplays(start_time)"},
    ),
    "an hour with fewer plays than it had in other weeks": (
        "; ".join(
            f"INSERT INTO ops.quality_measures VALUES ({plays_before(weeks)})" for weeks in range(1, 7)
        ),
        HOUR,
        {"anomaly songplays(COUNT(*))"},
    ),
    "a song of a blank title": (
        "UPDATE songs SET title = '  ' WHERE song_id = 'S2'",
        HOUR,
        {"matches songs(title)"},
    ),
}


@pytest.mark.parametrize(("fault", "window", "names"), WARNINGS.values(), ids=WARNINGS)
def test_what_may_be_legal_warns_and_the_task_succeeds(star, caplog, capsys, fault, window, names):
    run(star, *fault.split(";"))
    caplog.set_level("WARNING")
    counts = check(window=window)
    assert (counts["failed"], counts["warned"], counts["errors"]) == (0, len(names), 0)
    assert set(kept(star, "check_name, severity", "status = 'failed'")) == {(name, "warn") for name in names}
    # Where a task logs to depends on whether Airflow's logging was set up by an earlier test.
    told = caplog.text + capsys.readouterr().out
    assert all(f". {name}" in told for name in names)


def test_faults_outside_the_window_do_not_stop_its_run(star):
    run(
        star,
        "UPDATE songplays SET level = 'gold', start_time = '2018-11-15 12:00:00' WHERE songplay_id = 'p1'",
    )
    check(window=("2018-11-15T13:00:00+00:00", "2018-11-15T14:00:00+00:00"))


def test_the_message_names_table_observed_expected_and_examples(star):
    run(star, "DELETE FROM users WHERE user_id = 8")
    with pytest.raises(AirflowFailException) as failure:
        check()
    for part in (
        "1 data quality check(s) did not pass over connection redshift_default, window [2018-11-15T10:00:00",
        "-> users(user_id): observed 1 without a match, expected every key in users(user_id)",
        "for example user_id=8, row_count=1",
        "'2018-11-15 10:00:00'",
        "run_id = 'run_1'",
    ):
        assert part in str(failure.value)


def test_a_rerun_of_the_run_replaces_its_results(star):
    run(star, "INSERT INTO users SELECT * FROM users WHERE user_id = 9")
    with pytest.raises(AirflowFailException):
        check()
    rows = len(kept(star, "check_name"))
    run(star, "DELETE FROM users WHERE user_id = 9")
    check()
    assert len(kept(star, "check_name")) == rows
    assert kept(star, "check_name", "status <> 'passed'") == []
    check(run_id="run_2")
    assert len(kept(star, "check_name")) == 2 * rows


def test_a_check_that_cannot_run_fails_the_task_after_the_others_ran(star):
    checks = """
        checks:
          - {kind: row_count, table: no_such_table, min: 1}
          - {kind: row_count, table: songs, min: 1}
    """
    with pytest.raises(
        AirflowFailException, match=r"row_count no_such_table could not be run: .*no_such_table"
    ):
        check(checks=checks)
    assert kept(star, "check_name, status") == [
        ("row_count no_such_table", "error"),
        ("row_count songs", "passed"),
    ]


def test_whole_table_checks_need_no_window(star):
    assert check(checks=FINE, window=None)["passed"] == 1
    assert kept(star, "window_start, window_end") == [(None, None)]


def test_indexes_of_a_mapped_task_keep_their_results_apart(star):
    for index, name in ((0, "one"), (1, "two"), (0, "one again")):
        check(checks=FINE.replace("kind", f"name: {name}, kind"), map_index=index)
    found = kept(star, "task_id, check_name")
    assert found == [("check_quality[0]", "one again"), ("check_quality[1]", "two")]


def test_a_run_without_window_is_refused_when_a_check_needs_one(star):
    with pytest.raises(AirflowFailException, match="no window"):
        check(window=None)


def test_a_wrong_file_is_refused_by_name(star):
    with pytest.raises(AirflowFailException, match=r"checks cannot be used:\n  line 1, check 1 .*: min"):
        check(checks=FINE.replace("max: 9", "min: no"))


def test_missing_results_table_says_what_to_do(star):
    run(star, "DROP TABLE ops.quality_results")
    with pytest.raises(AirflowFailException, match=r"ops.quality_results .*create_tables"):
        check(checks=FINE)


def test_the_rendered_view_has_the_file_and_the_queries_with_their_values(star):
    operator = operator_of(STAR_CHECKS)
    assert operator.checks == (INCLUDE / STAR_CHECKS).read_text()
    execute(operator)
    assert "\"start_time\" >= '2018-11-15 10:00:00'" in operator.statements
    assert "NOT IN ('free', 'paid')" in operator.statements


def test_a_wrong_file_below_the_search_path_is_refused_by_its_name(star):
    operator = operator_of(STAR_CHECKS)
    operator.checks += "  - {kind: nonsense}\n"
    with pytest.raises(
        AirflowFailException, match=r"sparkify/quality.yaml cannot be used:\n  line \d+, check"
    ):
        execute(operator)


def test_results_are_handed_to_listeners_of_the_common_sql_provider(star):
    operator = operator_of("checks: [{kind: row_count, table: songs, min: 9, severity: warn}]")
    execute(operator)
    [result] = operator.check_results
    assert (result.name, result.check_type, result.table) == ("row_count songs", "row_count", "songs")
    assert (result.success, result.severity, result.actual) == (False, "warn", "2 rows")


def record_load_of(connection, run_id):
    values = f"'load of {run_id}', 'quality_dag', '{run_id}', 't', 'users', NULL, NULL, 0, 1, 0, 0, 0"
    run(connection, f"INSERT INTO ops.loads VALUES ({values}, GETDATE(), GETDATE())")


def test_a_failure_while_another_run_loads_is_worth_a_retry_and_one_alone_is_not(star):
    run(star, "DELETE FROM songplays WHERE songplay_id = 'p1'")
    record_load_of(star, "run_1")
    with pytest.raises(AirflowFailException):
        check(run_id="run_1")
    record_load_of(star, "run_2")
    with pytest.raises(AirflowException, match="Other runs loaded at the same time") as caught:
        check(run_id="run_1")
    assert not isinstance(caught.value, AirflowFailException)
