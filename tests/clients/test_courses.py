"""Projects in the manner of the published 'Sparkify' courses run whole and load what the files hold."""

from itertools import groupby

import pytest

from tests.clients.conftest import BUCKET
from tests.clients.environments import FOLDER

TABLES = ("songplays", "users", "songs", "artists", '"time"', "staging_events", "staging_songs")
DERIVED = ("plays", "newest", "daily")


@pytest.fixture
def run(sandbox, sample, warehouse):
    """Run a project's statements one after the other."""
    given = {"bucket": BUCKET, "key": sandbox.aws_access_key_id, "secret": sandbox.aws_secret_access_key}
    given["role"] = "arn:aws:iam::123456789012:role/sparkify-redshift"

    def whole(name):
        lines = (FOLDER / "courses" / name).read_text().splitlines()
        text = "\n".join(line for line in lines if not line.startswith("--"))
        for statement in text.format(**given).split(";"):
            warehouse(statement)

    yield whole
    warehouse("DROP TABLE IF EXISTS " + ", ".join((*TABLES, *DERIVED)) + " CASCADE")


def count(warehouse, table):
    return warehouse(f"SELECT COUNT(*) FROM {table}")[0][0]


def matches(sample, event):
    """How many songs the course's join by title and artist finds for an event, at least the event itself."""
    same = [
        one for one in sample.songs if (one["title"], one["artist_name"]) == (event["song"], event["artist"])
    ]
    return max(1, len(same))


def seconds(events):
    return {event["ts"] // 1000 for event in events}


def users(events):
    names = ("userId", "firstName", "lastName", "gender", "level")
    return {tuple(event[name] for name in names) for event in events}


def test_the_airflow_project_loads_every_table(run, sample, warehouse):
    run("airflow.sql")
    plays = sum(matches(sample, event) for event in sample.plays)
    assert count(warehouse, "staging_events") == len(sample.events)
    assert count(warehouse, "songplays") == count(warehouse, '"time"') == plays
    assert count(warehouse, "users") == len(users(sample.plays))
    assert count(warehouse, "songs") == len({song["song_id"] for song in sample.songs})
    keys = {(event["sessionId"], event["ts"] // 1000) for event in sample.plays}
    assert warehouse("SELECT COUNT(DISTINCT playid), MIN(LEN(playid)) FROM songplays") == [(len(keys), 32)]


def test_the_warehouse_project_loads_every_table(run, sample, warehouse):
    run("warehouse.sql")
    assert count(warehouse, "staging_events") == len(sample.events)
    assert count(warehouse, "users") == len(users(sample.plays))
    assert count(warehouse, '"time"') == len(seconds(sample.plays))
    assert warehouse(
        "SELECT COUNT(DISTINCT user_id), COUNT(*) = COUNT(DISTINCT songplay_id) FROM songplays"
    ) == [(len({event["userId"] for event in sample.plays}), True)]
    assert warehouse("SELECT MIN(event_id), MAX(event_id) FROM staging_events") == [
        (0, len(sample.events) - 1)
    ]
    assert warehouse('SELECT MIN(weekday), MAX(hour) <= 23 FROM "time"') == [(3, True)]  # a Wednesday


def test_the_questions_that_follow_are_answered(run, raw, sample, warehouse):
    run("analytics.sql")
    assert count(warehouse, "plays") == len(sample.plays)
    assert warehouse("SELECT MIN(hours_since) >= 0, MAX(hours_since) <= 47 FROM plays") == [(True, True)]
    listeners = {int(event["userId"]) for event in sample.plays}
    assert warehouse("SELECT COUNT(*) FROM plays WHERE before IS NULL") == [(len(listeners),)]
    even = sum(user % 2 == 0 for user in listeners)
    assert warehouse("SELECT COUNT(*), SUM(CASE WHEN level = 'twice' THEN 1 ELSE 0 END) FROM newest") == [
        (len(listeners) + 1, even + 1)
    ]
    day = sorted((event["ts"] // 86_400_000, event["level"]) for event in sample.plays)
    assert [row[0] for row in warehouse("SELECT plays FROM daily ORDER BY day, level")] == [
        len(list(group)) for _, group in groupby(day)
    ]
