"""Sample data: size, determinism, and what the events tell."""

import hashlib
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.sample import Request, SampleError, generate, generated

START = date(2018, 11, 1)
SMALL = {"seed": 7, "start": START, "days": 7, "events": 12_000, "songs": 400, "users": 60}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample")
    generate(out, **SMALL)
    return out


@pytest.fixture(scope="module")
def events(sample: Path) -> list[dict[str, Any]]:
    paths = sorted(sample.glob("log_data/*/*/*.json"))
    return [json.loads(line) for path in paths for line in path.read_text("ascii").splitlines()]


@pytest.fixture(scope="module")
def songs(sample: Path) -> dict[str, dict[str, Any]]:
    decoder = json.JSONDecoder()
    paths = sorted(sample.glob("song_data/*/*/*/*.json"))
    return {path.stem: decoder.raw_decode(path.read_text("ascii"))[0] for path in paths}


def digest(out: Path) -> str:
    files = sorted(path for path in out.rglob("*.json") if path.is_file())
    text = b"".join(path.relative_to(out).as_posix().encode() + b"\0" + path.read_bytes() for path in files)
    return hashlib.sha256(text).hexdigest()


def test_the_bytes_are_those_of_every_other_machine(sample: Path) -> None:
    # Changes only together with sandbox.demo.sample.generate.FORMAT, which makes `demo` generate anew.
    assert digest(sample) == "397090abee7f04debd1c303302988bf329ddd8b80e5a6af45c05979018fe28ac"


def test_another_seed_gives_other_data(sample: Path, tmp_path: Path) -> None:
    generate(tmp_path, **{**SMALL, "seed": 8})

    assert digest(tmp_path) != digest(sample)


def test_the_summary_counts_what_was_written(tmp_path: Path) -> None:
    summary = generate(tmp_path, start=START, days=3, events=500, songs=30, users=20)

    logs, songs = list(tmp_path.glob("log_data/*/*/*.json")), list(tmp_path.glob("song_data/*/*/*/*.json"))
    assert (summary.event_files, summary.song_files) == (len(logs), len(songs)) == (3, 30)
    assert summary.events == sum(len(path.read_text().splitlines()) for path in logs) == 500
    assert summary.event_bytes == sum(path.stat().st_size for path in logs)
    assert summary.song_bytes == sum(path.stat().st_size for path in songs)


@pytest.mark.parametrize(
    ("days", "events", "songs", "users"),
    [(1, 1, 0, 1), (1, 50, 1, 1), (2, 0, 2, 1), (40, 30, 2, 3), (1, 5_000, 50, 100), (400, 800, 0, None)],
)
def test_any_size_has_exactly_as_many_events_as_asked_for(
    tmp_path: Path, days: int, events: int, songs: int, users: int | None
) -> None:
    generate(tmp_path, start=date(2019, 12, 20), days=days, events=events, songs=songs, users=users)

    lines = [line for path in tmp_path.glob("log_data/*/*/*.json") for line in path.read_text().splitlines()]
    assert len(lines) == events
    assert len(list(tmp_path.glob("song_data/*/*/*/*.json"))) == songs


def test_a_days_file_holds_that_utc_day_in_order(sample: Path) -> None:
    paths = sorted(sample.glob("log_data/*/*/*.json"))

    assert [path.relative_to(sample).as_posix() for path in paths] == [
        f"log_data/2018/11/2018-11-{day:02}-events.json" for day in range(1, 8)
    ]
    for path in paths:
        times = [json.loads(line)["ts"] for line in path.read_text().splitlines()]
        assert times == sorted(times)
        days = {datetime.fromtimestamp(ts / 1000, UTC).date().isoformat() for ts in times}
        assert days == {path.name[:10]}


def test_a_session_counts_its_items_from_zero_even_across_midnight(events: list[dict[str, Any]]) -> None:
    sessions = defaultdict(list)
    for event in events:
        sessions[event["sessionId"]].append(event)

    for session in sessions.values():
        assert [event["itemInSession"] for event in session] == list(range(len(session)))
        assert len({event["userId"] for event in session} - {""}) <= 1
    assert any(len({event["ts"] // 86_400_000 for event in session}) == 2 for session in sessions.values())


def test_nobody_is_in_two_sessions_at_once(events: list[dict[str, Any]]) -> None:
    spans = defaultdict(dict)
    for event in events:
        if event["userId"]:
            first, _ = spans[event["userId"]].get(event["sessionId"], (event["ts"], 0))
            spans[event["userId"]][event["sessionId"]] = (first, event["ts"])

    for sessions in spans.values():
        for (_, ended), (began, _) in pairwise(sorted(sessions.values())):
            assert began > ended


def test_the_level_changes_only_by_submitting_and_both_ways(events: list[dict[str, Any]]) -> None:
    changes: Counter[tuple[str, str, str]] = Counter()
    last: dict[str, dict[str, Any]] = {}
    for event in events:
        user = event["userId"]
        if user and user in last and last[user]["level"] != event["level"]:
            changes[last[user]["page"], last[user]["level"], event["level"]] += 1
        last[user] = event

    assert set(changes) == {("Submit Upgrade", "free", "paid"), ("Submit Downgrade", "paid", "free")}


def test_pages_have_the_methods_and_statuses_of_the_source(events: list[dict[str, Any]]) -> None:
    requests = {(event["page"], event["method"], event["status"]) for event in events}

    assert requests == {
        ("NextSong", "PUT", 200),
        ("Home", "GET", 200),
        ("Settings", "GET", 200),
        ("Help", "GET", 200),
        ("About", "GET", 200),
        ("Upgrade", "GET", 200),
        ("Downgrade", "GET", 200),
        ("Login", "PUT", 307),
        ("Logout", "PUT", 307),
        ("Save Settings", "PUT", 307),
        ("Submit Upgrade", "PUT", 307),
        ("Submit Downgrade", "PUT", 307),
        ("Error", "GET", 404),
    }
    assert 0.8 < sum(event["page"] == "NextSong" for event in events) / len(events) < 0.92


def test_logged_out_pages_have_no_user(events: list[dict[str, Any]]) -> None:
    gone = [event for event in events if event["auth"] == "Logged Out"]

    assert gone
    for event in gone:
        nothing = ("artist", "firstName", "gender", "lastName", "length", "location", "registration", "song")
        assert event["userId"] == ""
        assert all(event[key] is None for key in (*nothing, "userAgent"))
        assert event["level"] in ("free", "paid")
    assert all(event["userId"] for event in events if event["auth"] == "Logged In")


def test_a_song_lasts_until_the_next_one(events: list[dict[str, Any]]) -> None:
    last: dict[int, dict[str, Any]] = {}
    for event in events:
        before = last.get(event["sessionId"])
        if before and before["page"] == "NextSong":
            assert event["ts"] - before["ts"] == int(before["length"]) * 1000
        last[event["sessionId"]] = event


def test_two_to_five_percent_of_plays_match_a_song_exactly(
    events: list[dict[str, Any]], songs: dict[str, dict[str, Any]]
) -> None:
    known = {(song["title"], song["artist_name"], song["duration"]) for song in songs.values()}
    plays = [event for event in events if event["page"] == "NextSong"]
    matches = sum((event["song"], event["artist"], event["length"]) in known for event in plays)

    assert 0.02 < matches / len(plays) < 0.05


def test_some_plays_miss_a_song_only_by_its_duration(
    events: list[dict[str, Any]], songs: dict[str, dict[str, Any]]
) -> None:
    durations = {(song["title"], song["artist_name"]): song["duration"] for song in songs.values()}

    assert any(
        durations.get((event["song"], event["artist"]), event["length"]) != event["length"]
        for event in events
    )


def test_several_events_share_a_moment(events: list[dict[str, Any]]) -> None:
    assert len({event["ts"] for event in events}) < len(events)


def test_few_tracks_and_listeners_make_many_of_the_plays(events: list[dict[str, Any]]) -> None:
    plays = [event for event in events if event["page"] == "NextSong"]
    tracks = Counter((event["song"], event["artist"]) for event in plays)
    listeners = Counter(event["userId"] for event in plays)

    assert sum(count for _, count in tracks.most_common(len(tracks) // 10)) > 0.25 * len(plays)
    assert sum(count for _, count in listeners.most_common(len(listeners) // 10)) > 0.2 * len(plays)


def test_nights_and_weekends_are_quieter(events: list[dict[str, Any]]) -> None:
    moments = [datetime.fromtimestamp(event["ts"] / 1000, UTC) for event in events]
    hours, weekdays = Counter(at.hour for at in moments), Counter(at.weekday() for at in moments)

    assert sum(hours[hour] for hour in (3, 4, 5, 6)) * 2 < sum(hours[hour] for hour in (16, 17, 18, 19))
    assert max(weekdays[5], weekdays[6]) < min(weekdays[day] for day in range(5))


def test_songs_lie_where_their_track_id_says(sample: Path, songs: dict[str, dict[str, Any]]) -> None:
    assert len(songs) == len({song["song_id"] for song in songs.values()}) == 400
    for path in sample.glob("song_data/**/*.json"):
        assert path.relative_to(sample).parts[1:4] == tuple(path.stem[2:5])


def test_an_artist_can_have_several_names_and_songs(songs: dict[str, dict[str, Any]]) -> None:
    names = defaultdict(set)
    for song in songs.values():
        names[song["artist_id"]].add(song["artist_name"])

    assert len(names) < len(songs)
    assert any(len(several) > 1 for several in names.values())


def test_some_songs_equal_another_in_title_artist_and_duration(songs: dict[str, dict[str, Any]]) -> None:
    twins = Counter((song["title"], song["artist_name"], song["duration"]) for song in songs.values())

    assert sorted(twins.values())[-2:] == [2, 2]


def test_a_larger_catalogue_begins_with_the_smaller_one(sample: Path, tmp_path: Path) -> None:
    generate(tmp_path, **{**SMALL, "events": 0, "songs": 100})

    for path in tmp_path.glob("song_data/*/*/*/*.json"):
        assert (sample / path.relative_to(tmp_path)).read_bytes() == path.read_bytes()


def test_generating_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    generate(tmp_path, **SMALL)
    summary = generate(tmp_path, start=START, days=2, events=100, songs=10, users=5)

    assert len(list(tmp_path.rglob("*.json"))) == summary.event_files + summary.song_files == 12


def test_data_of_others_is_never_removed(tmp_path: Path) -> None:
    own = tmp_path / "log_data" / "mine.json"
    own.parent.mkdir()
    own.write_text("{}")

    with pytest.raises(SampleError, match="not written by this command"):
        generate(tmp_path, **SMALL)
    assert own.read_text() == "{}"


@pytest.mark.parametrize("name", ["log_data/mine.json", "song_data/A/B/C/notes.txt", "song_data/link"])
def test_what_others_put_beside_the_sample_is_never_removed(tmp_path: Path, name: str) -> None:
    generate(tmp_path, days=1, events=10, songs=5, users=2)
    own = tmp_path / name
    own.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith("link"):
        own.symlink_to(tmp_path)
    else:
        own.write_text("{}")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(SampleError, match=f"{own.name} is there and was not written by this command"):
        generate(tmp_path, days=1, events=20, songs=3, users=2)
    assert sorted(tmp_path.rglob("*")) == before


def test_generated_recognises_its_request_and_a_sample_cut_short(tmp_path: Path) -> None:
    request = Request(days=1, events=100, songs=5, users=9)
    assert generated(tmp_path, request) is None

    summary = generate(tmp_path, days=1, events=100, songs=5, users=9)
    assert generated(tmp_path, request) == summary
    assert generated(tmp_path, Request(days=1, events=101, songs=5, users=9)) is None

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, days=1, events=100, songs=5, users=9, progress=interrupt)
    assert generated(tmp_path, request) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"days": 0}, "days must be at least 1"),
        ({"events": -1}, "events must be at least 0"),
        ({"songs": -1}, "songs must be at least 0"),
        ({"users": 0}, "users must be at least 1"),
        ({"users": 3}, "it takes 35 users"),
        ({"start": date(9999, 12, 31)}, "leave the years"),
        ({"start": date(1970, 1, 1)}, "leave the years"),
    ],
)
def test_an_impossible_request_is_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(SampleError, match=message):
        generate(tmp_path / "out", **{**SMALL, **wrong})
    assert not (tmp_path / "out").exists()
