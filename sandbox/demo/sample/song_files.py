"""The song files: one JSON document each, in a folder named by its track id."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.demo.sample.catalogue import Song

_REPORT_EVERY = 200


def write_songs(out: Path, songs: Sequence[Song], report: Callable[[str, int, int], None]) -> int:
    """Write every song to ``song_data/A/B/C/TRABC….json`` below ``out``; return the bytes written.

    Like one file of the real data, the first is pretty-printed and holds the second song's document too.
    """
    size = 0
    for number, song in enumerate(songs, start=1):
        folder = out.joinpath("song_data", *song.track_id[2:5])
        folder.mkdir(parents=True, exist_ok=True)
        text = _pretty(song) + _pretty(songs[1]) if number == 1 < len(songs) else _compact(song)
        size += (folder / f"{song.track_id}.json").write_bytes(text.encode("ascii"))
        if number % _REPORT_EVERY == 0 or number == len(songs):
            report("songs", number, len(songs))
    return size


def _compact(song: Song) -> str:
    return "{" + ",".join(f'"{key}":{value}' for key, value in song.fields()) + "}"


def _pretty(song: Song) -> str:
    return "{\n" + ",\n".join(f'  "{key}": {value}' for key, value in song.fields()) + "\n}\n"
