"""The analysts' questions, answered from the files as they are, by every driver."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest

from sandbox.demo.report import ANALYTICS, QUESTIONS, ask, question
from sandbox.parts.settings import Settings
from tests.sandbox.demo import star

CHROME, FIREFOX = star.CHROME, star.FIREFOX


@pytest.fixture(params=["redshift_connector", "psycopg"])
def warehouse(request: pytest.FixtureRequest, sandbox: Settings) -> Iterator[Any]:
    if request.param == "redshift_connector":
        connection = request.getfixturevalue("redshift")
        star.make(connection)
        yield connection
        connection.rollback()
        return
    with psycopg.connect(
        host="127.0.0.1",
        port=sandbox.redshift_port,
        user=sandbox.user,
        password=sandbox.password,
        dbname=sandbox.database,
        sslmode="disable",
    ) as connection:
        star.make(connection)
        yield connection
        connection.rollback()


NOBODY = "CAST(NULL AS INTEGER)"
NO_ARTIST = "CAST(NULL AS VARCHAR(1024))"


def rows(connection: Any, name: str, **bound: Any) -> list[tuple[Any, ...]]:
    """Answer a question; `user_id` and `artist` are bound where the file has its NULLs, as the docs tell."""
    sql = (ANALYTICS / f"{name}.sql").read_text()
    for place, value in ((NOBODY, "user_id"), (NO_ARTIST, "artist")):
        if value in bound:
            assert place in sql
            sql = sql.replace(place, place.replace("NULL", "%s"))
    return ask(connection, sql, [bound[value] for value in ("user_id", "artist") if value in bound]).rows


def test_the_latest_plays_of_known_songs_are_told_in_full(warehouse: Any) -> None:
    found = rows(warehouse, "plays_detail")

    assert len(found) == 9
    assert found[:2] == [
        (datetime(2018, 11, 3, 21, 4), 6, "free", "Último Drum", "Señor Storm", "Cleo Fenwick"),
        (datetime(2018, 11, 3, 21, 0), 6, "free", "Último Drum", "Señor Storm", "Cleo Fenwick"),
    ]
    assert [row[0] for row in found] == sorted((row[0] for row in found), reverse=True)


def test_plays_are_counted_per_hour_of_the_day(warehouse: Any) -> None:
    assert rows(warehouse, "plays_per_hour") == [(8, 1, 1), (9, 5, 2), (21, 5, 2)]


def test_user_agents_are_ranked_by_plays_with_distinct_users_and_sessions(warehouse: Any) -> None:
    assert rows(warehouse, "user_agents") == [(CHROME, 6, 2, 3), (FIREFOX, 5, 2, 3)]


def test_songs_are_ranked_by_plays(warehouse: Any) -> None:
    assert rows(warehouse, "most_played_songs") == [
        ("Último Drum", "Señor Storm", 5, 3),
        ("Quiet Rain", "The Blue Kettles", 3, 2),
        ("Lost Map", "The Blue Kettles", 1, 1),
    ]


def test_free_and_paid_go_by_the_level_at_the_play(warehouse: Any) -> None:
    found = [
        (level, plays, float(share), *rest)
        for level, plays, share, *rest in rows(warehouse, "free_versus_paid")
    ]

    assert found == [("free", 6, 54.5, 3, 4), ("paid", 5, 45.5, 2, 2)]


def test_the_songs_of_the_keenest_paid_listener_are_listed_when_nobody_is_asked_for(warehouse: Any) -> None:
    assert rows(warehouse, "songs_of_user_while_paid") == [
        (10, "Ada Ashford", "Quiet Rain", "The Blue Kettles", 2, datetime(2018, 11, 1, 9, 4)),
        (10, "Ada Ashford", "Lost Map", "The Blue Kettles", 1, datetime(2018, 11, 1, 9, 8)),
    ]


def test_the_songs_of_the_listener_asked_for_are_those_played_while_paid(warehouse: Any) -> None:
    assert rows(warehouse, "songs_of_user_while_paid", user_id=11) == [
        (11, "Bram Oakley", "Último Drum", "Señor Storm", 1, datetime(2018, 11, 2, 9, 0)),
    ]
    assert rows(warehouse, "songs_of_user_while_paid", user_id=12) == []


def test_the_listener_and_artist_with_most_plays_are_shown_when_none_is_asked_for(warehouse: Any) -> None:
    assert rows(warehouse, "plays_of_artist_by_user") == [
        (10, "Ada Ashford", "The Blue Kettles", datetime(2018, 11, 1, 9, 8), "Lost Map", "paid"),
        (10, "Ada Ashford", "The Blue Kettles", datetime(2018, 11, 1, 9, 4), "Quiet Rain", "paid"),
        (10, "Ada Ashford", "The Blue Kettles", datetime(2018, 11, 1, 9, 0), "Quiet Rain", "paid"),
    ]


@pytest.mark.parametrize(
    ("asked", "users", "times"),
    [
        ({"user_id": 12}, {12}, ["2018-11-03 21:04", "2018-11-03 21:00", "2018-11-02 21:00"]),
        ({"artist": "Señor Storm"}, {12}, ["2018-11-03 21:04", "2018-11-03 21:00", "2018-11-02 21:00"]),
        ({"user_id": 10, "artist": "Señor Storm"}, {10}, ["2018-11-01 08:00"]),
        ({"user_id": 12, "artist": "The Blue Kettles"}, set(), []),
    ],
)
def test_a_listener_and_an_artist_can_be_asked_for(
    warehouse: Any, asked: dict[str, Any], users: set[int], times: list[str]
) -> None:
    found = rows(warehouse, "plays_of_artist_by_user", **asked)

    assert {row[0] for row in found} == users
    assert [f"{row[3]:%Y-%m-%d %H:%M}" for row in found] == times


def test_every_file_is_one_select_with_its_question_above_and_no_percent_sign() -> None:
    files = {path.stem: path for path in ANALYTICS.glob("*.sql")}

    assert set(files) == set(QUESTIONS)
    for path in files.values():
        sql = path.read_text()
        assert question(path)
        assert sql.count(";") == 1
        assert "%" not in sql  # redshift_connector reads it as the start of a placeholder
