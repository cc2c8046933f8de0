"""Files that change in ways which neither their time nor their content alone can tell apart."""

import logging
from typing import Any

import pytest

from sparkify.checks import read_suite, run_checks
from sparkify.warehouse.session import Session
from tests.faults.child import TASKS
from tests.faults.runs import moments
from tests.records import event
from tests.system.conftest import ROOT

DAY = moments("2018-11-15", "2018-11-16")
NAMED = {"song": "Hit", "artist": "Band", "length": 201.25}
SONG = {"title": "Hit", "artist_name": "Band", "duration": 201.25}


def last_modified(world: Any, key: str) -> Any:
    return world.source.s3.head_object(Bucket=world.source.bucket, Key=key)["LastModified"]


@pytest.mark.parametrize("task", ["stage_songs", "stage_events"])
def test_of_two_versions_of_one_second_the_one_that_is_there_wins(world, task):
    """A run has copied the first version when the second is written, staged and published."""

    def put(version: int) -> str:
        if task == "stage_songs":
            return world.put_song("TRAAA1", song_id="SO1", title=f"Version {version}")
        return world.put_events("2018-11-15", [event("2018-11-15T09:00:00", itemInSession=version)])

    for attempt in range(20):
        world.wait_for_the_next_second()
        key = put(2 * attempt)
        first_at = last_modified(world, key)
        slow = world.start(DAY, tasks=(task,), pause=(f"{task} after COPY 1",))
        slow.wait_at(f"{task} after COPY 1")
        put(2 * attempt + 1)
        same_second = last_modified(world, key) == first_at
        world.run(DAY, tasks=(task,))
        slow.go()
        slow.finish()
        if same_second:
            break
    assert same_second
    world.run(DAY, tasks=TASKS[1:])
    world.check()


def test_a_version_that_comes_back_because_the_newest_was_deleted_is_staged(world):
    """In a versioned bucket the file before is the current one again then, with its old time."""
    world.put_events("2018-11-15", [event("2018-11-15T09:00:00")])
    world.run(DAY)
    world.warehouse.execute(
        "UPDATE ops.staged_files SET etag = 'deleted', last_modified = DATEADD(day, 1, last_modified)",
        "UPDATE staging_events SET item_in_session = 77",
    )
    world.run(DAY)
    world.check()


def test_a_content_that_comes_back_while_another_is_being_staged_stays(world):
    """The second run sees the content it knows and copies nothing; the first then publishes the other."""
    world.put_song("TRAAA1", song_id="SO1", title="First")
    world.run(DAY)
    world.put_song("TRAAA1", song_id="SO1", title="Second")
    slow = world.start(DAY, pause=("stage_songs after COPY 1",))
    slow.wait_at("stage_songs after COPY 1")
    world.put_song("TRAAA1", song_id="SO1", title="First")
    world.run(DAY)
    slow.go()
    slow.finish()
    world.run(DAY)
    world.check()


def test_a_content_that_comes_back_after_another_was_read_under_its_name_is_staged(world):
    """COPY reads the second version under the first one's ETag; the first content is there again then."""
    world.put_song("TRAAA1", song_id="SO1", title="First")
    slow = world.start(DAY, pause=("stage_songs before COPY 1", "stage_songs after COPY 1"))
    slow.wait_at("stage_songs before COPY 1")
    world.wait_for_the_next_second()
    world.put_song("TRAAA1", song_id="SO1", title="Second")
    slow.go()
    slow.wait_at("stage_songs after COPY 1")
    world.put_song("TRAAA1", song_id="SO1", title="First")
    slow.go()
    slow.finish()
    world.run(DAY)
    world.check()


SONG_CHECK = next(
    check
    for check in read_suite((ROOT / "include" / "sparkify" / "quality.yaml").read_text(), "checks").checks
    if check.title == "every song file gives one song"
)


def check_songs(world: Any) -> str:
    [result] = run_checks(Session(world.warehouse.connection, logging.getLogger()), [SONG_CHECK], None)
    world.warehouse.connection.rollback()
    return result.status


def test_a_song_in_two_files_of_which_the_one_staged_last_stands_is_reported(world):
    for n in (1, 0):
        world.put_song(f"TRAAA{n}", song_id="SO1", title=f"Title {n}")
        world.run(DAY)
    assert world.warehouse.query("SELECT title FROM songs") == [("Title 0",)]
    assert check_songs(world) == "failed"


def test_a_song_that_stays_because_its_files_song_id_changed_is_reported(world):
    world.put_song("TRAAA1", song_id="SO1", **SONG)
    world.run(DAY)
    assert check_songs(world) == "passed"
    world.put_song("TRAAA1", song_id="SO2", **SONG)
    world.run(DAY)
    assert world.warehouse.counts()["songs"] == 2
    assert check_songs(world) == "failed"


def test_an_event_twice_with_different_songs_is_the_same_play_however_the_songs_came(world):
    other = {"song": "Zebra", "artist": "Band", "length": 201.25}
    world.put_events(
        "2018-11-15", [event("2018-11-15T09:00:00", **NAMED), event("2018-11-15T09:00:00", **other)]
    )
    world.put_song("TRAAA2", song_id="SO2", **SONG)
    world.run(DAY)
    world.put_song("TRAAA1", song_id="SO1", **{**SONG, "title": "Zebra"})
    world.run(DAY)
    one_by_one = world.warehouse.contents()
    world.empty_tables()
    world.run(DAY)
    assert world.warehouse.contents()["songplays"] == one_by_one["songplays"]


def test_an_event_twice_with_different_songs_is_the_same_play_when_only_the_song_runs(world):
    other = {"song": "Zebra", "artist": "Band", "length": 201.25}
    world.put_events(
        "2018-11-15", [event("2018-11-15T09:00:00", **NAMED), event("2018-11-15T09:00:00", **other)]
    )
    world.put_song("TRAAA2", song_id="SO2", **SONG)
    world.run(DAY)
    world.put_song("TRAAA1", song_id="SO1", **{**SONG, "title": "Zebra"})
    world.run(moments("2018-11-20", "2018-11-21"))
    late = world.warehouse.contents()
    world.run(DAY)
    assert world.warehouse.contents()["songplays"] == late["songplays"]
