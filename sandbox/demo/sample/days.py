"""One day after another: sessions begin, run past midnight, and fill each day's file."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from operator import attrgetter, itemgetter

from sandbox.demo.sample.chance import below, draw, stream, zipf
from sandbox.demo.sample.listeners import Listener, milliseconds
from sandbox.demo.sample.schedule import HOURS
from sandbox.demo.sample.sessions import Session, session_length
from sandbox.demo.sample.tracks import Library

DAY = 86_400_000
_BREAK = 60_000
"""Milliseconds between two sessions of one listener, at least: nobody is in two sessions at once."""
_TRIES = 20


class Population:
    """The listeners and the sessions that midnight interrupted: all that one day hands to the next."""

    def __init__(self, seed: int, listeners: int, start: date, tracks: Library) -> None:
        moment = midnight(start)
        self._seed = seed
        self._library = tracks
        everybody = (Listener(seed, number, moment) for number in range(listeners))
        self._listeners = sorted(everybody, key=attrgetter("keenness"))
        self._activity = zipf(listeners, listeners / 10)
        self._open: list[Session] = []
        self._sessions = 0

    def day(self, day: date, events: int) -> list[str]:
        """Simulate one UTC day and return its ``events`` lines, ordered by time."""
        rng = stream(self._seed, "day", day)
        begin = milliseconds(midnight(day))
        lines: list[tuple[int, str]] = []
        interrupted, self._open = self._open, []
        for session in interrupted:
            self._run(session, begin + DAY, events, rng, lines)
        for session in self._planned(rng, begin, events - len(lines)):
            self._run(session, begin + DAY, events, rng, lines)
        while len(lines) < events:
            self._run(self._another(rng, begin), begin + DAY, events, rng, lines)
        lines.sort(key=itemgetter(0))
        return [line for _, line in lines]

    def _planned(self, rng: random.Random, begin: int, events: int) -> Iterator[Session]:
        """Yield sessions in the order they begin that promise ``events`` in all."""
        starts: list[tuple[int, Listener, int]] = []
        while events > 0:
            length = min(session_length(rng), events)
            starts.append((begin + _time_of_day(rng), self._somebody(rng), length))
            events -= length
        for wanted, listener, length in sorted(starts, key=itemgetter(0)):
            ts = max(wanted, listener.free_at)
            if ts < begin + DAY:
                yield self._session(listener, ts, length)

    def _another(self, rng: random.Random, begin: int) -> Session:
        """Begin one more session of somebody who has time; failing that, of somebody who does not sign in."""
        for _ in range(_TRIES):
            listener = self._somebody(rng)
            ts = max(begin + _time_of_day(rng), listener.free_at)
            if ts < begin + DAY:
                return self._session(listener, ts, session_length(rng))
        return self._session(self._somebody(rng), begin + _time_of_day(rng), 1, signed_in=False)

    def _session(self, listener: Listener, ts: int, length: int, signed_in: bool = True) -> Session:
        self._sessions += 1
        return Session(listener, self._sessions, ts, length, signed_in)

    def _run(
        self, session: Session, until: int, events: int, rng: random.Random, lines: list[tuple[int, str]]
    ) -> None:
        session.remaining = min(session.remaining, events - len(lines))
        session.run(until, rng, self._library, lines)
        session.listener.free_at = max(session.listener.free_at, session.ts + _BREAK)
        if session.remaining:
            self._open.append(session)

    def _somebody(self, rng: random.Random) -> Listener:
        return self._listeners[draw(rng, self._activity)]


def midnight(day: date) -> datetime:
    """Return the UTC moment at which ``day`` begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _time_of_day(rng: random.Random) -> int:
    """Draw the milliseconds since midnight at which a session begins."""
    return draw(rng, HOURS) * 3_600_000 + below(rng, 3_600_000)
