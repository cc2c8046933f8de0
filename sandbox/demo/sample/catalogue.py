"""The catalogue: artists and the songs that the song files hold."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.demo.sample import words
from sandbox.demo.sample.chance import below, pick, stream
from sandbox.demo.sample.text import decimal, quoted

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SONGS_PER_FOLDER = 24
"""About as many song files as one folder of the real data holds."""
_REPEATED_EVERY = 250
"""Every so many songs, one repeats the title, artist and duration of an earlier one under another song id."""


@dataclass(frozen=True)
class Artist:
    """An artist: an id, one or several names, and where they are from, as JSON text."""

    artist_id: str
    names: tuple[str, ...]
    location: str
    latitude: str
    longitude: str


@dataclass(frozen=True)
class Song:
    """A song as its file holds it; ``duration`` in hundred-thousandths of a second, ``year`` 0 if unknown."""

    track_id: str
    song_id: str
    artist: Artist
    artist_name: str
    title: str
    duration: int
    year: int

    def fields(self) -> list[tuple[str, str]]:
        """List the file's keys with their JSON text, in the source's order."""
        return [
            ("artist_id", quoted(self.artist.artist_id)),
            ("artist_latitude", self.artist.latitude),
            ("artist_location", self.artist.location),
            ("artist_longitude", self.artist.longitude),
            ("artist_name", quoted(self.artist_name)),
            ("duration", decimal(self.duration)),
            ("num_songs", "1"),
            ("song_id", quoted(self.song_id)),
            ("title", quoted(self.title)),
            ("year", str(self.year)),
        ]


def songs(seed: int, count: int) -> Iterator[Song]:
    """Yield ``count`` songs; a larger catalogue of the same seed begins with the smaller one."""
    rng = stream(seed, "songs")
    artists: list[Artist] = []
    latest: list[Song] = []
    for number in range(count):
        if latest and number % _REPEATED_EVERY == _REPEATED_EVERY // 5:
            song = _again(latest[0], number)
        else:
            if not artists or rng.random() < 0.7:
                artists.append(_artist(rng, len(artists)))
                artist = artists[-1]
            else:
                artist = pick(rng, artists)
            song = _song(rng, number, artist)
        latest = [*latest[-6:], song]
        yield song


def band_name(rng: random.Random) -> str:
    """Invent an artist's name; about one in twelve has letters beyond ASCII."""
    adjective, noun, other = pick(rng, words.ADJECTIVES), pick(rng, words.NOUNS), pick(rng, words.NOUNS)
    shape = below(rng, 12)
    if shape < 3:
        return f"The {adjective} {noun}s"
    if shape < 5:
        return f"{adjective} {noun} {pick(rng, words.BAND_ENDS)}"
    if shape < 7:
        return f"{noun} & The {adjective} {other}s"
    if shape < 9:
        return f"{pick(rng, words.STAGE_NAMES)} {adjective} {noun}"
    if shape < 11:
        return f"{noun} {other} {pick(rng, words.BAND_ENDS)}"
    return f"{pick(rng, words.FOREIGN_WORDS)} {noun}"


def song_title(rng: random.Random) -> str:
    """Invent a song's title, now and then with a version, quotes, a slash, or letters beyond ASCII."""
    adjective, noun, verb = pick(rng, words.ADJECTIVES), pick(rng, words.NOUNS), pick(rng, words.VERBS)
    shape = below(rng, 24)
    if shape < 7:
        title = f"{adjective} {noun}"
    elif shape < 12:
        title = f"{verb} The {noun}"
    elif shape < 16:
        title = f"{verb} My {adjective} {noun}"
    elif shape < 19:
        title = f"{noun} Of The {pick(rng, words.NOUNS)}"
    elif shape < 21:
        title = f"Don't {verb} That {noun}"
    elif shape < 22:
        title = f'{verb} ("{noun}" Theme)'
    elif shape < 23:
        title = f"{adjective} / {noun}"
    else:
        title = f"{pick(rng, words.FOREIGN_WORDS)} {noun}"
    return f"{title} ({pick(rng, words.VERSIONS)})" if rng.random() < 0.15 else title


def song_length(rng: random.Random) -> int:
    """Draw a duration in hundred-thousandths of a second: 4 minutes on average, from half a minute to 13."""
    middle = sum(rng.random() for _ in range(4)) / 4
    stretch = 1.6 if rng.random() < 0.05 else 1.0
    return int((30 + 420 * middle * stretch) * 100_000)


def _artist(rng: random.Random, number: int) -> Artist:
    name = band_name(rng)
    names = (name, *_other_names(rng, name)) if rng.random() < 0.04 else (name,)
    location, latitude, longitude = _origin(rng)
    return Artist(_identifier("AR", number, "1187B"), names, location, latitude, longitude)


def _other_names(rng: random.Random, name: str) -> tuple[str, ...]:
    partner = band_name(rng)
    return (name.removeprefix("The ") + " Project", f"{name} feat. {partner}", f"{name} / {partner}")


def _origin(rng: random.Random) -> tuple[str, str, str]:
    """Invent a place, its latitude and longitude (JSON text); half of the artists come from nowhere known."""
    if rng.random() < 0.46:
        return '""', "null", "null"
    if rng.random() < 0.005:
        return str(below(rng, 100)), "null", "null"  # the real data has a place called 27, without quotes
    town = pick(rng, words.PLACE_STARTS) + pick(rng, words.PLACE_ENDS)
    place = quoted(f"{town}, {pick(rng, words.STATES if rng.random() < 0.6 else words.COUNTRIES)}")
    if rng.random() < 0.35:
        return place, "null", "null"
    return place, decimal(below(rng, 12_000_000) - 5_500_000), decimal(below(rng, 36_000_000) - 18_000_000)


def _song(rng: random.Random, number: int, artist: Artist) -> Song:
    name = pick(rng, artist.names)
    year = 1957 + below(rng, 54) if rng.random() < 0.66 else 0
    return Song(
        _track_id(number),
        _identifier("SO", number, "12A8C"),
        artist,
        name,
        song_title(rng),
        song_length(rng),
        year,
    )


def _again(song: Song, number: int) -> Song:
    """Release a song once more: another file and song id, the same title, artist and duration."""
    identifier = _identifier("SO", number, "12A8C")
    return Song(
        _track_id(number), identifier, song.artist, song.artist_name, song.title, song.duration, song.year
    )


def _scrambled(number: int) -> int:
    """Spread consecutive numbers over 28 bits; an odd factor keeps them distinct."""
    return (number + 1) * 0x9E3779B1 % 2**28


def _letters(number: int, count: int) -> str:
    text = ""
    for _ in range(count):
        number, letter = divmod(number, 26)
        text = LETTERS[letter] + text
    return text


def _identifier(kind: str, number: int, middle: str) -> str:
    """Make an id of 18 characters in the shape of the real ones; 26^5 numbers have distinct ones."""
    return f"{kind}{_letters((number + 1) * 7_654_321 % 26**5, 5)}{middle}{_scrambled(number) % 2**24:06X}"


def _track_id(number: int) -> str:
    """Make a track id whose characters 3 to 5 name its folder: AAA is filled first, then AAB."""
    folder = _letters(number // SONGS_PER_FOLDER % 26**3, 3)
    code = _scrambled(number)
    return f"TR{folder}{_letters(code % 676, 2)}128F{code:07X}"
