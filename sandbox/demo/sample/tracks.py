"""Everything listeners play: the catalogue's songs and, far more often, songs it does not hold."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from sandbox.demo.sample.catalogue import Song, band_name, song_length, song_title
from sandbox.demo.sample.chance import pick, stream, zipf
from sandbox.demo.sample.text import decimal, quoted, twice_encoded

_MATCHING = 0.035
"""Share of plays whose title, artist and duration are a catalogue song's (3.5 %)."""
_MOST_OUTSIDE = 60_000


class Track(NamedTuple):
    """One playable track: JSON of artist, length and title, and how long it plays in whole seconds."""

    artist: str
    length: str
    title: str
    seconds: int


class Library(NamedTuple):
    """All tracks, and the rising shares of plays that go to each (for bisection)."""

    tracks: list[Track]
    shares: list[float]


def library(seed: int, catalogue: Sequence[Song]) -> Library:
    """Assemble the tracks: a few popular ones carry most plays, and 3.5 % of plays are of catalogue songs."""
    inside = [
        _rendered(song.artist_name, song.title, song.duration) for song in _by_popularity(seed, catalogue)
    ]
    outside = _outside(seed, catalogue)
    matching = _MATCHING if inside else 0.0
    shares = [share * matching for share in zipf(len(inside), 8.0)] if inside else []
    shares += [matching + share * (1 - matching) for share in zipf(len(outside), 40.0)]
    return Library(inside + outside, [*shares[:-1], 1.0])


def _by_popularity(seed: int, catalogue: Sequence[Song]) -> list[Song]:
    """Order the songs by a rank of their own, so that the popular ones are spread over all folders."""
    return sorted(catalogue, key=lambda song: stream(seed, "rank", song.song_id).random())


def _outside(seed: int, catalogue: Sequence[Song]) -> list[Track]:
    rng = stream(seed, "outside")
    bands = [band_name(rng) for _ in range(200)]
    known = {(song.artist_name, song.title, song.duration) for song in catalogue}
    tracks = []
    for _ in range(min(max(1_000, 4 * len(catalogue)), _MOST_OUTSIDE)):
        if rng.random() < 0.4:
            bands.append(band_name(rng))
        artist, title, duration = _near_or_far(rng, bands, catalogue)
        if (artist, title, duration) not in known:
            garbled = rng.random() < 0.7
            tracks.append(_rendered(artist, title, duration, garbled))
    return tracks


def _near_or_far(rng: random.Random, bands: Sequence[str], catalogue: Sequence[Song]) -> tuple[str, str, int]:
    """Invent a track the catalogue lacks; one in twelve is a near miss (another take, or its artist)."""
    if catalogue and rng.random() < 1 / 12:
        song = pick(rng, catalogue)
        if rng.random() < 0.5:
            return song.artist_name, song.title, song_length(rng)
        return song.artist_name, song_title(rng), song_length(rng)
    title = song_title(rng)
    if rng.random() < 0.02:
        title = title.replace("'", "\x19")  # as the real logs garble a typographic apostrophe
    return pick(rng, bands), title, song_length(rng)


def _rendered(artist: str, title: str, duration: int, garbled: bool = False) -> Track:
    if garbled:
        artist, title = twice_encoded(artist), twice_encoded(title)
    return Track(quoted(artist), decimal(duration), quoted(title), duration // 100_000)
