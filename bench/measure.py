"""The measurement itself, in the sandbox that the environment names and whose warehouse is empty."""

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from statistics import median

from bench import tasks
from bench.history import History
from bench.options import Options, parse
from bench.source import LateSongs, make_source
from bench.tables import Costs, table
from bench.tasks import TASKS, Cost
from sandbox.parts.settings import Settings
from sandbox.terminal.console import note


@dataclass(frozen=True)
class Figures:
    """Costs by the number of facts loaded before, then by task.

    Attributes:
        ordinary: of an hour without a new song.
        new_song: of an hour in which one song arrives.
    """

    ordinary: dict[int, Costs]
    new_song: dict[int, Costs]


def measure(settings: Settings, options: Options) -> Figures:
    """Fill the warehouse to each size and run hours on it."""
    figures = Figures({}, {})
    with History(settings) as history:
        note(f"Making {options.songs:,} songs and a week of {options.events:,} events a day …")
        late_songs = make_source(settings, options, settings.home / "sample")
        history.learn()
        for facts in options.facts:
            late_songs.leave()
            history.fill(facts)
            figures.ordinary[facts], figures.new_song[facts] = _run_hours(options, late_songs)
    return figures


def _run_hours(options: Options, late_songs: LateSongs) -> tuple[Costs, Costs]:
    warm_up, *hours = options.windows
    tasks.run_hour(warm_up)
    ordinary = [_run_hour(hour, nullcontext) for hour in hours[: options.hours]]
    new_song = [
        _run_hour(hour, partial(late_songs.arrive, number))
        for number, hour in enumerate(hours[options.hours :])
    ]
    return _medians(ordinary), _medians(new_song)


def _run_hour(hour: datetime, before: Callable[[], object]) -> Costs:
    before()
    costs = tasks.run_hour(hour)
    note(f"  {hour:%H:%M} ran: {sum(cost.database for cost in costs.values()):.2f} s in the database")
    return costs


def _medians(runs: Sequence[Costs]) -> Costs:
    return {task_id: _median([run[task_id] for run in runs]) for task_id in TASKS}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        max((cost.sent for cost in costs), key=len),
        median(cost.database for cost in costs),
        median(cost.wall for cost in costs),
    )


def main() -> int:
    """Measure and print; return the exit code."""
    options = parse()
    try:
        figures = measure(Settings.load(), options)
    except KeyboardInterrupt:  # Ctrl-C reaches this process, too; the other one tells of it
        return 130
    print(table("An hour", figures.ordinary), end="\n\n")
    print(table("An hour in which one new song arrives", figures.new_song))
    return 0


if __name__ == "__main__":
    sys.exit(main())
