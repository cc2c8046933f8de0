"""The checks of the star schema find its faults, each its own, over both connection types."""

from datetime import datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.checks import read_suite
from tests.sparkify.checks.star import HOUR, INCLUDE, STAR_CHECKS, check, kept, run

[PLAYS_OF_AN_HOUR] = [
    check.measure_id
    for check in read_suite((INCLUDE / STAR_CHECKS).read_text(), STAR_CHECKS).checks
    if check.kind == "anomaly"
]


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
