"""The source: a catalogue, and the events of a week and a day, made by the sandbox's sample generator."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from bench.options import NOW, Options
from sandbox.demo.sample import generate
from sandbox.demo.upload import upload
from sandbox.parts.settings import SOURCE_BUCKET, Settings

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

DAYS = 8
"""The week of which history is made begins and ends within a day, so it touches eight."""


@dataclass(frozen=True)
class LateSongs:
    """Song files that the catalogue does not have yet, though their songs have been played.

    Args:
        settings: the sandbox.
        files: key → content, one for each hour that is to see a new song.
    """

    settings: Settings
    files: Mapping[str, bytes]

    def arrive(self, number: int) -> None:
        """Put one of the files into the bucket."""
        key = list(self.files)[number]
        _s3(self.settings).put_object(Bucket=SOURCE_BUCKET, Key=key, Body=self.files[key])

    def leave(self) -> None:
        """Take them out of the bucket again."""
        for key in self.files:
            _s3(self.settings).delete_object(Bucket=SOURCE_BUCKET, Key=key)


def make_source(settings: Settings, options: Options, folder: Path) -> LateSongs:
    """Generate the source and bring it to S3, all but the song files that are to come late."""
    generate(
        folder,
        start=NOW.date() - timedelta(days=DAYS - 1),
        days=DAYS,
        events=DAYS * options.events,
        songs=options.songs + options.hours,
    )
    late = _withhold(folder, options.hours)
    upload(settings, folder, show=False)
    return LateSongs(settings, late)


def _withhold(folder: Path, count: int) -> dict[str, bytes]:
    """Take the song files with the most plays out of the folder."""
    plays = _plays(folder)
    paths = sorted(folder.glob("song_data/**/*.json"), key=lambda path: (-plays[_song(path)], path))
    late = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths[:count]}
    for key in late:
        (folder / key).unlink()
    return late


def _plays(folder: Path) -> Counter[object]:
    plays: Counter[object] = Counter()
    for path in folder.glob("log_data/**/*.json"):
        for line in path.read_text("ascii").splitlines():
            event = json.loads(line)
            plays[event["song"], event["artist"], event["length"]] += 1
    return plays


def _song(path: Path) -> object:
    """What a play names, or None for the file with two songs in it: it is to be there from the start."""
    try:
        song = json.loads(path.read_text("ascii"))
    except json.JSONDecodeError:
        return None
    return song["title"], song["artist_name"], song["duration"]


def _s3(settings: Settings) -> "S3Client":
    return boto3.client("s3", endpoint_url=settings.aws_endpoint_url)
