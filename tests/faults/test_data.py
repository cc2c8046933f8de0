"""What sources hold and when it comes: late, twice, out of order, on the edges, empty, or not at all."""

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.faults.runs import hours, moments
from tests.records import event

DAY = moments("2018-11-15", "2018-11-16")
NAMED = {"song": "Hit", "artist": "Band", "length": 201.25}
SONG = {"title": "Hit", "artist_name": "Band", "duration": 201.25}


def plays(*times: str, **fields: Any) -> list[dict[str, Any]]:
    """A play at each time, all of one session."""
    return [event(at, itemInSession=n, **fields) for n, at in enumerate(times)]


def test_a_changed_file_under_the_same_key_replaces_what_it_said_before(world):
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00", "2018-11-15T10:00:00", level="paid"))
    world.run(DAY)
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00", "2018-11-15T11:00:00", lastName="Renamed"))
    world.run(DAY)
    world.check()


def test_the_same_event_twice_in_a_file_is_staged_twice_and_is_one_play(world):
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00") * 2)
    world.run(DAY)
    world.check()
    assert world.warehouse.counts()["songplays"] == 1


@pytest.mark.parametrize("window", [("2018-11-15", "2018-11-16"), ("2018-11-14", "2018-11-15")])
def test_a_copy_of_an_event_in_another_days_file_is_not_staged_again(world, window):
    own, other = plays("2018-11-15T09:00:00"), plays("2018-11-14T09:00:00", sessionId=2)
    world.put_events("2018-11-15", own)
    world.put_events("2018-11-14", other)
    world.run(DAY)
    world.run(moments("2018-11-14", "2018-11-15"))
    expected = world.expected()
    world.put_events("2018-11-14", [*other, *own])
    world.run(moments(*window))
    assert world.warehouse.contents() == expected


def test_an_event_that_comes_three_days_late_is_there_once_its_window_ran_again(world):
    for day in (15, 16, 17, 18):
        world.put_events(f"2018-11-{day}", plays(f"2018-11-{day}T09:00:00", sessionId=day))
        world.run(moments(f"2018-11-{day}", f"2018-11-{day + 1}"))
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00", "2018-11-15T09:30:00", sessionId=15))
    world.run(moments("2018-11-15T09", "2018-11-15T10"))
    world.check()


def test_a_song_that_comes_after_its_plays_is_given_to_all_of_them(world):
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00", "2018-11-15T10:00:00", **NAMED))
    world.run(DAY)
    world.put_song("TRAAA1", song_id="SO7", **SONG)
    world.run(moments("2018-11-20", "2018-11-21"))
    world.check()
    assert world.warehouse.query("SELECT DISTINCT song_id FROM songplays") == [("SO7",)]


def test_a_users_level_that_changes_is_the_newest_whatever_the_order_of_windows(world):
    levels = ["free", "paid", "free", "paid", "free"]
    world.put_events(
        "2018-11-15",
        [
            event(f"2018-11-15T{9 + n:02}:00:00", itemInSession=n, level=level)
            for n, level in enumerate(levels)
        ],
    )
    windows = hours("2018-11-15", range(9, 14))
    random.Random(3).shuffle(windows)
    for window in windows:
        world.run(window)
        world.check()


def test_songs_with_equal_title_artist_and_duration_do_not_multiply_plays(world):
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00", **NAMED))
    for n in (5, 3, 4):
        world.put_song(f"TRAAA{n}", song_id=f"SO{n}", artist_id=f"AR{n}", **SONG)
        world.run(DAY)
        world.check()
    assert world.warehouse.query("SELECT song_id, artist_id FROM songplays") == [("SO3", "AR3")]


def test_an_artist_with_several_names_has_one_that_does_not_depend_on_the_order(world):
    names = ["Band feat. Singer", "Band", "The Band", "Band / Élan"]
    for n, name in enumerate(names):
        place = (
            {"artist_location": "Oslo", "artist_latitude": 59.9, "artist_longitude": 10.75} if n == 2 else {}
        )
        world.put_song(f"TRAAA{n}", song_id=f"SO{n}", artist_name=name, title=f"Song {n}", **place)
        world.run(DAY)
        world.check()
    assert world.warehouse.query("SELECT name FROM artists") == [("The Band",)]


@pytest.mark.parametrize("body", [b"", b"\n", b"\n\n\n"])
def test_an_empty_file_is_a_day_without_events(world, body):
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00"))
    world.run(DAY)
    world.put("log_data/2018/11/2018-11-15-events.json", body)
    world.run(DAY)
    world.check()
    assert world.warehouse.counts()["users"] == 0


def test_days_without_a_file_and_hours_without_an_event_are_empty(world):
    world.put_events("2018-11-15", plays("2018-11-15T09:00:00"))
    for window in (
        ("2018-11-13", "2018-11-18"),
        ("2018-11-15T10", "2018-11-15T11"),
        ("2018-11-14", "2018-11-15"),
    ):
        world.run(moments(*window))
    world.check()


# A time, and the zone of the worker that loads it.
EDGES = {
    "on the hour": ("2018-11-15T09:00", "UTC"),
    "midnight": ("2018-11-15T00:00", "UTC"),
    "edge of the month": ("2018-12-01T00:00", "Asia/Kolkata"),
    "edge of the year": ("2019-01-01T00:00", "UTC"),
    "summer time begins in Europe": ("2018-03-25T01:00", "Europe/Berlin"),
    "summer time ends in Europe": ("2018-10-28T01:00", "Europe/Berlin"),
    "summer time ends in New York": ("2018-11-04T06:00", "America/New_York"),
}


@pytest.mark.parametrize(("edge", "zone"), EDGES.values(), ids=EDGES.keys())
def test_milliseconds_on_an_edge_belong_to_the_hour_that_begins_there(world, edge, zone):
    world.runner.environment["TZ"] = zone
    at = datetime.fromisoformat(edge)
    offsets = (-3600, -0.001, 0, 0.001, 3599.999, 3600)
    happened = [at + timedelta(seconds=offset) for offset in offsets]
    for day, group in itertools.groupby(enumerate(happened), key=lambda item: f"{item[1]:%Y-%m-%d}"):
        events = [event(moment.isoformat(), itemInSession=n, userId=str(n + 1)) for n, moment in group]
        world.put_events(day, events)
    hour = timedelta(hours=1)
    for start in (at, at - hour):
        world.run((start, start + hour))
        world.check()
    world.empty_tables()
    world.run((at - hour, at + hour))
    world.check()


def test_a_middle_hour_that_runs_again_changes_nothing_around_it(world):
    world.put_events(
        "2018-11-15", plays(*(f"2018-11-15T{hour:02}:59:59.999" for hour in range(8, 13)), **NAMED)
    )
    world.put_song("TRAAA1", song_id="SO7", **SONG)
    for window in hours("2018-11-15", range(8, 13)):
        world.run(window)
    before = world.warehouse.contents()
    world.run(moments("2018-11-15T10", "2018-11-15T11"))
    assert world.warehouse.contents() == before
    world.check()
