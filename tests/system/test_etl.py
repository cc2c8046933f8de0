"""What any number of runs, in any order, leaves in the tables."""

import itertools
import random
from datetime import UTC, datetime

import pytest

from tests.records import event

DAY = ("2018-11-15T00:00:00", "2018-11-16T00:00:00")


def test_a_run_without_params_loads_the_last_whole_hour_before_its_logical_date_and_says_so(
    warehouse, source, run_dag, capsys
):
    source.put_events(
        "2018-11-15",
        [
            event(f"2018-11-15T{time}", sessionId=n)
            for n, time in enumerate(("08:59:59.999", "09:00:00", "09:59:59.999", "10:00:00"))
        ],
    )
    assert run_dag(at=datetime(2018, 11, 15, 10, tzinfo=UTC), allow_no_songs=True).state == "success"
    assert "Window [2018-11-15T09:00:00+00:00, 2018-11-15T10:00:00+00:00)" in capsys.readouterr().out
    assert warehouse.query("SELECT MIN(start_time), MAX(start_time), COUNT(*) FROM songplays") == [
        (datetime(2018, 11, 15, 9), datetime(2018, 11, 15, 9, 59, 59, 999000), 2)
    ]
    assert warehouse.counts()["staging_events"] == 2


def test_staging_keeps_every_line_and_the_star_keeps_plays_of_known_users(warehouse, source, run_etl):
    twice = event("2018-11-15T09:00:00", itemInSession=1)
    source.put_events(
        "2018-11-15",
        [
            twice,
            twice,
            event("2018-11-15T09:01:00", page="Home", song=None, artist=None, length=None),
            event("2018-11-15T09:02:00", page="NextSong", userId="", auth="Logged Out"),
        ],
    )
    assert run_etl(DAY).state == "success"
    counts = warehouse.counts()
    assert (counts["staging_events"], counts["songplays"], counts["users"], counts["time"]) == (4, 1, 1, 1)


def test_a_play_matches_on_title_artist_name_and_duration_together(warehouse, source, run_etl):
    named = {"song": "Title", "artist": "Name", "length": 123.45678}
    source.put_song("TRAAA1", song_id="SO9", title="Title", artist_name="Name", duration=123.45678)
    source.put_song(
        "TRAAA2", song_id="SO2", title="Title", artist_name="Name", duration=123.45678, artist_id="AR2"
    )
    source.put_events(
        "2018-11-15",
        [
            event("2018-11-15T09:00:00", itemInSession=0, **named),
            event("2018-11-15T09:00:00", itemInSession=1, **{**named, "length": 123.45679}),
            event("2018-11-15T09:00:00", itemInSession=2, **{**named, "artist": "Other"}),
            event("2018-11-15T09:00:00", itemInSession=3, **{**named, "song": "Other"}),
        ],
    )
    assert run_etl(DAY).state == "success"
    plays = warehouse.query("SELECT song_id, artist_id FROM songplays")
    assert sorted(plays, key=repr) == [("SO2", "AR2"), (None, None), (None, None), (None, None)]


def test_a_song_that_arrives_later_is_given_to_earlier_plays(warehouse, source, run_etl):
    source.put_events("2018-11-14", [event("2018-11-14T09:00:00", song="Late", artist="Name", length=1.5)])
    run_etl(("2018-11-14T00:00:00", "2018-11-15T00:00:00"))
    assert warehouse.query("SELECT song_id FROM songplays") == [(None,)]
    source.put_song("TRAAA1", song_id="SO7", title="Late", artist_name="Name", duration=1.5)
    run_etl(DAY)
    assert warehouse.query("SELECT song_id, artist_id FROM songplays") == [("SO7", "AR1")]


def test_a_late_song_is_given_to_its_plays_and_no_other_play_of_that_user_and_moment(
    warehouse, source, run_etl
):
    late = {"song": "Late", "artist": "Name", "length": 1.5}
    source.put_events(
        "2018-11-14",
        [
            event("2018-11-14T09:00:00", itemInSession=0, **late),
            event("2018-11-14T09:00:00", itemInSession=1, song="Other"),
            event("2018-11-14T09:00:00", itemInSession=2, userId="2", song="Other"),
            event("2018-11-14T10:00:00", itemInSession=3, song="Other"),
        ],
    )
    run_etl(("2018-11-14T00:00:00", "2018-11-15T00:00:00"))
    source.put_song("TRAAA1", song_id="SO7", title="Late", artist_name="Name", duration=1.5)
    run_etl(DAY)
    assert sorted(warehouse.query("SELECT user_id, session_id, song_id FROM songplays"), key=repr) == [
        (1, 1, "SO7"),
        (1, 1, None),
        (1, 1, None),
        (2, 1, None),
    ]


def test_of_two_copies_of_an_event_a_late_song_decides_as_if_it_had_been_there_before(
    warehouse, source, run_etl
):
    copies = [
        event("2018-11-14T09:00:00", song=title, artist="Name", length=1.5) for title in ("Early", "Late")
    ]
    source.put_events("2018-11-14", copies)
    run_etl(("2018-11-14T00:00:00", "2018-11-15T00:00:00"))
    source.put_song("TRAAA1", song_id="SO7", title="Late", artist_name="Name", duration=1.5)
    run_etl(DAY)
    after_arrival = warehouse.contents()
    run_etl(("2018-11-14T00:00:00", "2018-11-15T00:00:00"))
    assert warehouse.contents() == after_arrival
    assert warehouse.query("SELECT song_id FROM songplays") == [(None,)]


def test_a_song_that_is_renamed_lets_go_of_the_plays_it_no_longer_matches(warehouse, source, run_etl):
    named = {"title": "Old", "artist_name": "Name", "duration": 1.5}
    source.put_song("TRAAA1", song_id="SO7", **named)
    source.put_events("2018-11-14", [event("2018-11-14T09:00:00", song="Old", artist="Name", length=1.5)])
    run_etl(("2018-11-14T00:00:00", "2018-11-15T00:00:00"))
    assert warehouse.query("SELECT song_id FROM songplays") == [("SO7",)]
    source.put_song("TRAAA1", song_id="SO7", **{**named, "title": "New"})
    run_etl(DAY)
    assert warehouse.query("SELECT song_id, artist_id FROM songplays") == [(None, None)]
    assert warehouse.query("SELECT title FROM songs") == [("New",)]


def test_only_new_and_changed_song_files_are_copied(warehouse, source, run_etl):
    source.put_song("TRAAA1", song_id="SO1")
    source.put_song("TRAAA2", song_id="SO2")
    run_etl(DAY)
    source.put_song("TRAAA2", song_id="SO2", title="Changed")
    source.put_song("TRAAA3", song_id="SO3")
    run_etl(DAY)
    run_etl(DAY)
    loads = "SELECT files FROM ops.loads WHERE target_table = 'staging_songs' ORDER BY started_at"
    assert warehouse.query(loads) == [(2,), (2,)]
    assert warehouse.query("SELECT song_id, title FROM songs ORDER BY song_id") == [
        ("SO1", "Unknown"),
        ("SO2", "Changed"),
        ("SO3", "Unknown"),
    ]


def test_a_song_file_put_back_to_an_earlier_content_is_copied_again(warehouse, source, run_etl):
    for title in ("First", "Second", "First"):
        source.put_song("TRAAA1", song_id="SO1", title=title)
        run_etl(DAY)
        assert warehouse.query("SELECT title FROM songs") == [(title,)]


def test_the_song_prefix_limits_what_is_staged(warehouse, source, run_etl):
    source.put_song("TRAAA1", song_id="SO1")
    source.put_song("TRBAA1", song_id="SO2")
    run_etl(DAY, song_prefix="song_data/A/A/")
    assert warehouse.query("SELECT song_id FROM songs") == [("SO1",)]


@pytest.mark.parametrize("order", ["forwards", "backwards"])
def test_the_newest_play_decides_a_users_level_whatever_the_order_of_windows(
    warehouse, source, run_etl, order
):
    source.put_events(
        "2018-11-15",
        [
            event("2018-11-15T09:00:00", level="free"),
            event("2018-11-15T11:00:00", level="paid", itemInSession=1),
            event("2018-11-15T11:00:00", level="free", itemInSession=2, lastName="Quill-Marten"),
        ],
    )
    windows = [("2018-11-15T09:00:00", "2018-11-15T10:00:00"), ("2018-11-15T11:00:00", "2018-11-15T12:00:00")]
    for window in windows if order == "forwards" else reversed(windows):
        run_etl(window)
    assert warehouse.query("SELECT user_id, last_name, level, level_as_of FROM users") == [
        (1, "Quill-Marten", "free", datetime(2018, 11, 15, 11))
    ]


def test_a_corrected_file_takes_back_what_its_events_had_said_of_users(warehouse, source, run_etl):
    early = event("2018-11-14T09:00:00", level="free")
    source.put_events("2018-11-14", [early])
    source.put_events(
        "2018-11-15", [event("2018-11-15T09:00:00", level="paid"), event("2018-11-15T10:00:00", userId="2")]
    )
    run_etl(("2018-11-14T00:00:00", "2018-11-16T00:00:00"))
    source.put_events("2018-11-15", [])
    run_etl(DAY)
    assert warehouse.query("SELECT user_id, level, level_as_of FROM users") == [
        (1, "free", datetime(2018, 11, 14, 9))
    ]
    assert warehouse.counts()["songplays"] == 1


def test_random_windows_in_random_order_end_in_the_same_tables(warehouse, source, run_etl):
    chance = random.Random("windows of a day, 1")
    source.put_song("TRAAA1", song_id="SO1", title="Hit", artist_name="Name", duration=9.25)
    source.put_events(
        "2018-11-15",
        [
            event(
                f"2018-11-15T{n // 10:02}:{n % 10 * 6:02}:00",
                sessionId=n // 7,
                itemInSession=n % 7,
                userId=str(chance.randrange(1, 12)),
                level=chance.choice(["free", "paid"]),
                **({"song": "Hit", "artist": "Name", "length": 9.25} if n % 9 == 0 else {}),
            )
            for n in range(240)
        ],
    )
    run_etl(DAY)
    expected = warehouse.contents()
    cuts = ["00:00:00", "05:00:00", "05:30:00", "11:00:00", "18:45:00", "23:00:00"]
    ends = [f"2018-11-15T{cut}" for cut in cuts] + ["2018-11-16T00:00:00"]
    windows = [*itertools.pairwise(ends), (ends[1], ends[4]), (ends[0], ends[2])]
    warehouse.execute(
        *(f'DELETE FROM "{table}"' for table in ("staging_events", "songplays", "users", "time"))
    )
    chance.shuffle(windows)
    for window in windows:
        assert run_etl(window).state == "success"
    assert warehouse.contents() == expected
