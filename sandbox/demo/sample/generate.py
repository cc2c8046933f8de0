"""Write a folder of sample data: one song a file, and one event file a day."""

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.demo.sample.catalogue import Song
from sandbox.demo.sample.catalogue import songs as catalogue
from sandbox.demo.sample.days import Population
from sandbox.demo.sample.schedule import days as shared_days
from sandbox.demo.sample.song_files import write_songs
from sandbox.demo.sample.tracks import library
from sandbox.errors import SandboxError

FORMAT = 1
"""Raised whenever the same arguments give other bytes."""
MARKER = ".sample"
# The names of the files that are written, below the folder that is asked for.
_WRITTEN = re.compile(r"log_data/\d{4}/\d{2}/[\d-]{10}-events\.json|song_data/(./){3}TR\w+\.json")
EVENTS_A_DAY = 50
"""The most events a listener has on an average day; the keenest has four times that, most of its hours."""
FEWEST_EVENTS_A_DAY = 12
_LINES_AT_ONCE = 4096


class SampleError(SandboxError):
    """The sample asked for cannot be made, or not there."""


@dataclass(frozen=True)
class Request:
    """What to generate. The same request gives the same bytes on every machine.

    Args:
        seed: any integer; another one gives other listeners, songs and plays.
        start: the first UTC day.
        days: how many days.
        events: how many events in all.
        songs: how many song files.
        users: how many listeners; None for one per twelve events of an average day.
    """

    seed: int = 1
    start: date = date(2018, 11, 1)
    days: int = 30
    events: int = 100_000
    songs: int = 1_500
    users: int | None = None

    @property
    def listeners(self) -> int:
        """The number of listeners."""
        return self.users or max(10, -(-self.events // (self.days * FEWEST_EVENTS_A_DAY)))

    def arguments(self) -> dict[str, Any]:
        """Return the request as keyword arguments of :func:`generate`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def check(self) -> None:
        """Refuse what cannot be generated.

        Raises:
            SampleError: a number is too small, the days leave the calendar, or the listeners are too few.
        """
        smallest = {"days": 1, "events": 0, "songs": 0, "users": 1}
        for name, least in smallest.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise SampleError(f"{name} must be at least {least}, not {value}.")
        if self.start.year < 1971 or self.days > (date.max - self.start).days:
            raise SampleError(f"{self.days} days from {self.start} leave the years 1971 to 9999.")
        needed = -(-self.events // (self.days * EVENTS_A_DAY))
        if self.listeners < needed:
            raise SampleError(
                f"{self.listeners} users cannot have {self.events:,} events in {self.days} days: "
                f"at {EVENTS_A_DAY} a day it takes {needed:,} users. Ask for more users or fewer events."
            )


@dataclass(frozen=True)
class SampleSummary:
    """What was written, and how long it took (seconds)."""

    event_files: int
    events: int
    event_bytes: int
    song_files: int
    song_bytes: int
    users: int
    seconds: float


Progress = Callable[[str, int, int], None]
"""Called with ``"songs"`` or ``"events"``, how many are written and how many there will be."""


def generate(
    out: Path,
    *,
    seed: int = Request.seed,
    start: date = Request.start,
    days: int = Request.days,
    events: int = Request.events,
    songs: int = Request.songs,
    users: int | None = Request.users,
    progress: Progress | None = None,
) -> SampleSummary:
    """Write ``log_data`` and ``song_data`` into ``out``; what an earlier call wrote there goes away.

    Args:
        out: the folder; made when missing.
        seed: see :class:`Request`, as for the following.
        start: the first UTC day.
        days: how many days.
        events: how many events in all.
        songs: how many song files.
        users: how many listeners.
        progress: told about each file.

    Raises:
        SampleError: the request is impossible, or ``out`` holds data that this function did not write.
    """
    request = Request(seed, start, days, events, songs, users)
    request.check()
    began = time.perf_counter()
    report = progress or (lambda _what, _done, _total: None)
    _clear(out)
    _mark(out, request, None)
    pieces = list(catalogue(request.seed, request.songs))
    song_bytes = write_songs(out, pieces, report)
    event_files, event_bytes = _write_events(out, request, pieces, report)
    summary = SampleSummary(
        event_files=event_files,
        events=request.events,
        event_bytes=event_bytes,
        song_files=len(pieces),
        song_bytes=song_bytes,
        users=request.listeners,
        seconds=time.perf_counter() - began,
    )
    _mark(out, request, summary)
    return summary


def generated(out: Path, request: Request) -> SampleSummary | None:
    """Return the summary of the sample in ``out`` if it was made whole by ``request``, else None."""
    try:
        kept = json.loads((out / MARKER).read_text())
        return SampleSummary(**kept["summary"]) if kept["request"] == _identity(request) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write_events(out: Path, request: Request, pieces: list[Song], report: Progress) -> tuple[int, int]:
    population = Population(request.seed, request.listeners, request.start, library(request.seed, pieces))
    files = size = done = 0
    for day, share in shared_days(request.seed, request.start, request.days, request.events):
        if share:
            path = out / f"log_data/{day:%Y/%m}/{day:%Y-%m-%d}-events.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            size += _write_lines(path, population.day(day, share))
            files += 1
            done += share
        report("events", done, request.events)
    return files, size


def _write_lines(path: Path, lines: list[str]) -> int:
    """Write lines, with no newline after the last as in the real files; in pieces, as a day can be large."""
    with path.open("wb") as file:
        for first in range(0, len(lines), _LINES_AT_ONCE):
            piece = "\n".join(lines[first : first + _LINES_AT_ONCE])
            file.write((f"\n{piece}" if first else piece).encode("ascii"))
        return file.tell()


def _clear(out: Path) -> None:
    """Remove what an earlier call wrote, so that no file of it survives under the new ones."""
    folders = [out / "log_data", out / "song_data"]
    present = [folder for folder in folders if folder.exists()]
    if present and not (out / MARKER).exists():
        raise SampleError(
            f"{present[0]} is there already and was not written by this command; "
            "nothing was changed. Give an empty folder."
        )
    if strangers := [path for folder in present for path in _strangers(out, folder)]:
        raise SampleError(
            f"{strangers[0]} is there and was not written by this command; nothing was changed. Move it "
            f"({len(strangers)} in all), or give an empty folder."
        )
    for folder in present:
        shutil.rmtree(folder)


def _strangers(out: Path, folder: Path) -> list[Path]:
    """What nobody but a user can have put there: links, and files of names that are not made here."""
    return [
        path
        for path in (folder, *sorted(folder.rglob("*")))
        if path.is_symlink() or not (path.is_dir() or _WRITTEN.fullmatch(path.relative_to(out).as_posix()))
    ]


def _mark(out: Path, request: Request, summary: SampleSummary | None) -> None:
    """Keep the request beside the data; without a summary it tells that writing has begun and not ended."""
    out.mkdir(parents=True, exist_ok=True)
    kept = {"request": _identity(request), "summary": asdict(summary) if summary else None}
    (out / MARKER).write_text(json.dumps(kept, indent=2) + "\n")


def _identity(request: Request) -> dict[str, int | str]:
    return {
        "format": FORMAT,
        "seed": request.seed,
        "start": request.start.isoformat(),
        "days": request.days,
        "events": request.events,
        "songs": request.songs,
        "users": request.listeners,
    }
