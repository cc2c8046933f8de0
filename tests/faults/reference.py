"""What the tables must hold, worked out from the raw files in plain Python, with no code of the pipeline."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

Row = tuple[Any, ...]
Window = tuple[datetime, datetime]

EPOCH = datetime(1970, 1, 1)
EVENTS, SONGS = "log_data/", "song_data/"
EVENT_KEYS = (
    *("artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level", "location"),
    *("method", "page", "registration", "sessionId", "song", "status", "ts", "userAgent", "userId"),
)
SONG_KEYS = (
    *("num_songs", "song_id", "title", "duration", "year", "artist_id", "artist_name"),
    *("artist_location", "artist_latitude", "artist_longitude"),
)


def documents(body: bytes) -> list[dict[str, Any]]:
    """Every JSON document of a file, however they are laid out."""
    decoder, text, found, at = json.JSONDecoder(), body.decode().strip(), [], 0
    while at < len(text):
        document, end = decoder.raw_decode(text, at)
        found.append(document)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def moment(ts: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ts)


def is_play(event: Mapping[str, Any]) -> bool:
    return event["page"] == "NextSong" and bool(event["userId"])


def play_id(event: Mapping[str, Any]) -> str:
    at = moment(event["ts"])
    text = f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}"
    identity = f"{event['sessionId']}-{event['itemInSession']}-{text}-{event['userId']}"
    return hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest()


def nulls_last(row: Row) -> tuple[Any, ...]:
    return tuple((value is None, value if value is not None else 0) for value in row)


class Reference:
    """The tables that any sequence of runs must end in.

    Args:
        objects: key → content of the source as it is now.
        windows: every window that was staged, in any order; they may overlap.
    """

    def __init__(self, objects: Mapping[str, bytes], windows: Iterable[Window]) -> None:
        self.windows = list(windows)
        self.events = [
            event
            for key, body in sorted(objects.items())
            if key.startswith(EVENTS)
            for event in documents(body)
            # A day's file says nothing of other days.
            if f"{moment(event['ts']):%Y-%m-%d}" in key and self._staged(moment(event["ts"]))
        ]
        by_id: dict[str, list[Row]] = {}
        for key, body in objects.items():
            if key.startswith(SONGS):
                for document in documents(body):
                    row = tuple(document[name] for name in SONG_KEYS)
                    by_id.setdefault(document["song_id"], []).append(row)
        self.songs = [dict(zip(SONG_KEYS, min(rows, key=nulls_last), strict=True)) for rows in by_id.values()]

    def _staged(self, at: datetime) -> bool:
        return any(start <= at < end for start, end in self.windows)

    def tables(self) -> dict[str, list[Row]]:
        """Every table's rows, sorted by their representation; staging tables without load_id."""
        rows = {
            "staging_events": [self._event_row(event) for event in self.events],
            "staging_songs": [tuple(song.values()) for song in self.songs],
            "songplays": list(self._plays()),
            "users": list(self._users()),
            "songs": [
                tuple(s[k] for k in ("song_id", "title", "artist_id", "year", "duration")) for s in self.songs
            ],
            "artists": list(self._artists()),
            "time": list(self._moments()),
        }
        return {table: sorted(found, key=repr) for table, found in rows.items()}

    @staticmethod
    def _event_row(event: Mapping[str, Any]) -> Row:
        values = dict(event)
        values["ts"] = moment(event["ts"])
        values["userId"] = int(event["userId"]) if event["userId"] else None
        return tuple(values[name] for name in EVENT_KEYS)

    def _play_events(self) -> list[dict[str, Any]]:
        return [event for event in self.events if is_play(event)]

    def _plays(self) -> Iterable[Row]:
        catalogue: dict[Row, Row] = {}
        for song in sorted(self.songs, key=lambda song: song["song_id"]):
            found = (song["song_id"], song["artist_id"])
            catalogue.setdefault((song["title"], song["artist_name"], song["duration"]), found)
        plays: dict[str, Row] = {}
        for event in self._play_events():
            play = play_id(event)
            song_id, artist_id = catalogue.get(
                (event["song"], event["artist"], event["length"]), (None, None)
            )
            user = int(event["userId"])
            plays[play] = (
                play,
                moment(event["ts"]),
                user,
                event["level"],
                song_id,
                artist_id,
                event["sessionId"],
                event["location"],
                event["userAgent"],
            )
        return plays.values()

    def _users(self) -> Iterable[Row]:
        newest: dict[str, dict[str, Any]] = {}
        for event in self._play_events():
            known = newest.get(event["userId"])
            if known is None or (event["ts"], event["itemInSession"]) > (known["ts"], known["itemInSession"]):
                newest[event["userId"]] = event
        for user, event in newest.items():
            names = (event["firstName"], event["lastName"], event["gender"], event["level"])
            yield (int(user), *names, moment(event["ts"]))

    def _artists(self) -> Iterable[Row]:
        by_id: dict[str, list[dict[str, Any]]] = {}
        for song in self.songs:
            by_id.setdefault(song["artist_id"], []).append(song)
        for artist_id, songs in by_id.items():
            one = min(
                songs,
                key=lambda song: (
                    song["artist_latitude"] is None,
                    not song["artist_location"],
                    len(song["artist_name"]),
                    song["artist_name"].encode(),
                    song["song_id"],
                ),
            )
            place = (one["artist_location"], one["artist_latitude"], one["artist_longitude"])
            yield (artist_id, one["artist_name"], *place)

    def _moments(self) -> Iterable[Row]:
        for at in {moment(event["ts"]) for event in self._play_events()}:
            yield (at, at.hour, at.day, at.isocalendar().week, at.month, at.year, at.isoweekday() % 7)
