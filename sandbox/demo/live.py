"""Events that happen now: a day of the sample, shown up to this moment."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

from sandbox.demo.sample import Request
from sandbox.demo.sample.catalogue import songs
from sandbox.demo.sample.days import Population
from sandbox.demo.sample.tracks import library


@dataclass(frozen=True)
class LiveDay:
    """One UTC day of the sample's listeners and songs; the same arguments give the same events.

    Args:
        day: the day.
        events: how many events it has in all.
    """

    day: date
    events: int

    @property
    def key(self) -> str:
        """The key of its file."""
        return f"log_data/{self.day:%Y/%m}/{self.day:%Y-%m-%d}-events.json"

    def until(self, moment: datetime) -> list[str]:
        """Return the lines of what has happened by a moment."""
        now = moment.timestamp() * 1000
        return [line for ts, line in self._lines if ts <= now]

    @cached_property
    def _lines(self) -> list[tuple[int, str]]:
        request = Request(start=self.day, days=1, events=self.events)
        tracks = library(request.seed, list(songs(request.seed, request.songs)))
        lines = Population(request.seed, request.listeners, self.day, tracks).day(self.day, self.events)
        return [(json.loads(line)["ts"], line) for line in lines]


def today(events: int) -> LiveDay:
    """The day that is now, UTC."""
    return LiveDay(datetime.now(UTC).date(), events)
