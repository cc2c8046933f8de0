"""The words of the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOW = datetime(2018, 11, 15, 8, tzinfo=UTC)
"""Where history ends and the hours that are measured begin: a Thursday morning."""
_HOURS_LEFT = 16
"""The day that is measured has so many hours left."""


class OptionsError(ValueError):
    """An option has a value that cannot be measured."""


@dataclass(frozen=True)
class Options:
    """What to measure.

    Args:
        facts: rows of songplays already loaded, ascending.
        songs: song files of the catalogue.
        events: events of an average day.
        hours: how many hours each figure is the median of.
    """

    facts: tuple[int, ...] = (10_000, 1_000_000, 10_000_000)
    songs: int = 15_000
    events: int = 31_500
    hours: int = 5

    def __post_init__(self) -> None:
        if min(*self.facts, self.songs, self.events, self.hours) < 1:
            raise OptionsError("every number must be at least 1")
        if len(set(self.facts)) < len(self.facts) or list(self.facts) != sorted(self.facts):
            raise OptionsError("--facts must grow from one size to the next")
        # One to warm up, then as many without a new song as with one.
        if 1 + 2 * self.hours > _HOURS_LEFT:
            raise OptionsError(f"--hours can be at most {(_HOURS_LEFT - 1) // 2}")

    @property
    def windows(self) -> list[datetime]:
        """The starts of the hours that are run at each size, in order; the first warms up."""
        return [NOW + timedelta(hours=n) for n in range(1 + 2 * self.hours)]


def parse(words: Sequence[str] | None = None) -> Options:
    """Return the options of a command line; ends the process with a message when they are wrong."""
    parser = _parser()
    given = parser.parse_args(words)
    try:
        return Options(tuple(given.facts), given.songs, given.events, given.hours)
    except OptionsError as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    default = Options()
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="What one hourly run of sparkify_etl costs the database, task by task, with more and "
        "more history already loaded. It works in a sandbox of its own, which is removed at the end; ten "
        "million facts take 20 GB of the temporary folder (TMPDIR) meanwhile.",
    )
    parser.add_argument(
        "--facts",
        type=int,
        nargs="+",
        default=list(default.facts),
        metavar="N",
        help="plays already loaded, one or more sizes (default: 10_000 1_000_000 10_000_000)",
    )
    parser.add_argument(
        "--songs", type=int, default=default.songs, help="song files of the catalogue (%(default)s)"
    )
    parser.add_argument(
        "--events", type=int, default=default.events, help="events of an average day (%(default)s)"
    )
    parser.add_argument(
        "--hours", type=int, default=default.hours, help="hours a figure is the median of (%(default)s)"
    )
    return parser
