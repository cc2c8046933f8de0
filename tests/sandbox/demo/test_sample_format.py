"""Sample data: every byte in the manner of the published files."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from sandbox.demo.sample import generate
from sandbox.demo.sample.text import decimal, quoted, twice_encoded

REAL = Path(__file__).resolve().parents[4] / "shared" / "real-sample"

TEXT = r'"(?:[ !#-\[\]-~]|\\["\\/]|\\u[0-9a-f]{4})*"'
DECIMAL = r"\d{1,4}\.\d{1,6}"
EVENT = re.compile(
    rf'\{{"artist":(?:null|{TEXT}),"auth":"Logged (?:In|Out)","firstName":(?:null|{TEXT})'
    rf',"gender":(?:null|"[FM]"),"itemInSession":\d+,"lastName":(?:null|{TEXT}),"length":(?:null|{DECIMAL}),"level":"(?:free|paid)"'
    rf',"location":(?:null|{TEXT}),"method":"(?:GET|PUT)","page":"[A-Z][A-Za-z ]+"'
    rf',"registration":(?:null|\d{{13}}\.0),"sessionId":\d+,"song":(?:null|{TEXT}),"status":\d{{3}},"ts":\d{{13}}'
    rf',"userAgent":(?:null|{TEXT}),"userId":"\d*"\}}'
)
SONG = re.compile(
    rf'\{{"artist_id":"AR[A-Z0-9]{{16}}","artist_latitude":(?:null|-?{DECIMAL}),"artist_location":(?:\d+|{TEXT})'
    rf',"artist_longitude":(?:null|-?{DECIMAL}),"artist_name":{TEXT},"duration":{DECIMAL},"num_songs":1'
    rf',"song_id":"SO[A-Z0-9]{{16}}","title":{TEXT},"year":\d+\}}'
)

Lines = Callable[[str], list[str]]


@pytest.fixture(scope="module", params=["generated", "real"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """The files below a folder as text: generated and, to keep the patterns honest, real ones."""
    if request.param == "real":
        if not REAL.is_dir():
            pytest.skip("no real sample beside the project")
        out = REAL
    else:
        out = tmp_path_factory.mktemp("sample")
        generate(out, start=date(2018, 11, 1), days=4, events=15_000, songs=900)
    return lambda folder: [
        path.read_bytes().decode("ascii") for path in sorted((out / folder).rglob("*.json"))
    ]


def test_event_lines_have_the_sources_keys_order_and_escapes(files: Lines) -> None:
    for text in files("log_data"):
        assert not text.endswith("\n")
        for line in text.split("\n"):
            assert EVENT.fullmatch(line), line


def test_song_files_hold_one_compact_document_but_one_holds_two(files: Lines) -> None:
    first, *others = sorted(files("song_data"), key=len, reverse=True)

    for text in others:
        assert SONG.fullmatch(text), text
    assert first.startswith('{\n  "artist_id": "AR')
    assert first.count("\n}\n") == 2
    assert first.endswith("\n}\n")
    for document in first.removesuffix("}\n").split("}\n{"):
        keys = re.findall(r'^  "(\w+)": ', document, re.MULTILINE)
        assert keys == re.findall(r'[{,]"(\w+)":', others[0])


def test_the_second_document_of_that_file_has_a_file_of_its_own(files: Lines) -> None:
    first, *others = sorted(files("song_data"), key=len, reverse=True)
    decoder = json.JSONDecoder()
    _, end = decoder.raw_decode(first)
    second, _ = decoder.raw_decode(first, end + 1)

    assert json.dumps(second, separators=(",", ":")).replace("/", r"\/") in others


@pytest.mark.parametrize(
    "sign",
    [
        '"userAgent":"\\"Mozilla\\/5.0 ',
        '"userAgent":"Mozilla\\/5.0 ',
        "\\u00c3\\u0083\\u00c2\\u00",
        "\\u0019",
        '"userId":""',
        '"page":"Submit Upgrade"',
    ],
)
def test_events_have_the_sources_oddities(files: Lines, sign: str) -> None:
    assert any(sign in text for text in files("log_data"))


@pytest.mark.parametrize(
    "sign", ['"year":0}', '"artist_latitude":null', '"artist_location":""', "\\u00", "\\/", '\\"']
)
def test_songs_have_the_sources_oddities(files: Lines, sign: str) -> None:
    assert any(sign in text for text in files("song_data"))


def test_unknown_places_have_no_coordinates(files: Lines) -> None:
    decoder = json.JSONDecoder()
    for text in files("song_data"):
        song, _ = decoder.raw_decode(text)
        if not song["artist_location"]:
            assert (song["artist_latitude"], song["artist_longitude"]) == (None, None)


@pytest.mark.parametrize(
    ("units", "text"),
    [(21_394_240, "213.9424"), (100_000, "1.0"), (7, "0.00007"), (-9_512_340, "-95.1234"), (0, "0.0")],
)
def test_a_decimal_is_the_shortest_one(units: int, text: str) -> None:
    assert decimal(units) == text == repr(units / 100_000).replace("7e-05", "0.00007")


def test_text_is_quoted_and_garbled_as_in_the_real_logs() -> None:
    assert quoted('AC/DC "Live"') == r'"AC\/DC \"Live\""'
    assert quoted(twice_encoded("é")) == r'"\u00c3\u0083\u00c2\u00a9"'
