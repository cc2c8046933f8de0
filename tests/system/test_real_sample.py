"""Fifteen days of the published data set; skipped where the folder is not beside the project."""

import itertools
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[3] / "shared" / "real-sample"
HALF_MONTH = ("2018-11-01T00:00:00", "2018-11-16T00:00:00")

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"the published data is not in {SAMPLE}")


def test_fifteen_published_days_give_the_known_counts_and_a_second_run_copies_no_song(
    warehouse, source, run_etl
):
    source.put_folder(SAMPLE)
    assert run_etl(HALF_MONTH).state == "success"
    expected = {
        "staging_events": 3574,
        "staging_songs": 604,
        "songplays": 3041,
        "users": 80,
        "songs": 604,
        "artists": 587,
        "time": 3039,
    }
    assert warehouse.counts() == expected
    assert warehouse.query("SELECT COUNT(song_id) FROM songplays") == [(7,)]
    assert warehouse.query("SELECT COUNT(*) FROM users WHERE level = 'paid'") == [(18,)]
    before = warehouse.contents()

    assert run_etl(HALF_MONTH).state == "success"
    assert warehouse.contents() == before
    assert warehouse.query(
        "SELECT COUNT(*), SUM(files) FROM ops.loads WHERE target_table = 'staging_songs'"
    ) == [(1, 604)]


def test_the_hours_of_a_published_day_in_any_order_give_what_the_day_gives(warehouse, source, run_etl):
    source.put_folder(SAMPLE)
    day = "2018-11-15"
    run_etl((f"{day}T00:00:00", "2018-11-16T00:00:00"))
    expected = warehouse.contents()
    tables = ", ".join(f'"{table}"' for table in ("staging_events", "songplays", "users", "time"))
    warehouse.execute(*(f"DELETE FROM {table}" for table in tables.split(", ")))

    hours = [f"{day}T{hour:02}:00:00" for hour in range(24)] + ["2018-11-16T00:00:00"]
    windows = list(itertools.pairwise(hours))
    for window in windows[::-2] + windows[::2]:
        assert run_etl(window).state == "success"
    assert warehouse.contents() == expected
