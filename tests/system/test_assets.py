"""Assets: DAGs that are scheduled on the tables which loads write."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.records import event

TEN = datetime(2018, 11, 15, 10, tzinfo=UTC)
HOUR = {"window_start": "2018-11-15T09:00:00+00:00", "window_end": "2018-11-15T10:00:00+00:00"}
TABLES = ("staging_events", "staging_songs", "users", "songs", "artists", "time", "songplays")


@pytest.fixture
def new_events(metadata_database):
    """Return the events of assets since the last call: the extra of each by the name of its asset."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    seen: set[int] = set()

    def read():
        with create_session() as session:
            found = [(one.id, one.asset.name, one.extra) for one in session.scalars(select(AssetEvent))]
        new = {name.removeprefix("redshift_default."): extra for id_, name, extra in found if id_ not in seen}
        seen.update(id_ for id_, *_ in found)
        return new

    read()
    return read


def test_every_table_that_a_run_changes_has_an_event_with_its_rows_and_window(
    warehouse, source, run_dag, new_events
):
    source.put_song("TRAAA1", song_id="SO1")
    source.put_events("2018-11-15", [event("2018-11-15T09:00:00"), event("2018-11-15T09:30:00", sessionId=2)])
    assert run_dag(at=TEN).state == "success"
    events = new_events()
    assert set(events) == set(TABLES)
    load_id = events["songplays"].pop("load_id")
    assert warehouse.query(f"SELECT target_table FROM ops.loads WHERE load_id = '{load_id}'") == [
        ("songplays",)
    ]
    assert events["songplays"] == {
        **HOUR,
        "other_windows": [],
        "rows_inserted": 2,
        "rows_deleted": 0,
        "rows_updated": 0,
        "rows_rejected": 0,
    }
    assert (events["songs"]["window_start"], events["songs"]["rows_inserted"]) == (None, 1)

    # The same again: the hour's rows are replaced, and the catalogue is what it was.
    assert run_dag(at=TEN).state == "success"
    events = new_events()
    assert set(events) == {"staging_events", "users", "time", "songplays"}
    assert events["songplays"]["rows_deleted"] == 2


def test_an_event_tells_of_other_windows_whose_rows_changed_too(warehouse, source, run_dag, new_events):
    named = {"song": "Late", "artist": "Name", "length": 1.5}
    source.put_events("2018-11-15", [event("2018-11-15T07:10:00", **named), event("2018-11-15T09:00:00")])
    run_dag(at=TEN - timedelta(hours=2), allow_no_songs=True)
    new_events()
    source.put_song("TRAAA1", song_id="SO7", title="Late", artist_name="Name", duration=1.5)
    assert run_dag(at=TEN).state == "success"
    songplays = new_events()["songplays"]
    assert songplays["rows_updated"] == 1
    assert songplays["other_windows"] == [
        {"window_start": "2018-11-15T07:00:00+00:00", "window_end": "2018-11-15T08:00:00+00:00"}
    ]
