"""Backfills and wide runs: which hours of theirs are in the tables, and when the rest will be.

What is in the tables the records of the loads say (`hours`), whatever Airflow calls complete: it may have
left out intervals, a reset may have come after a run that succeeded, or a file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from sparkify_watch.hours import Cell, State, worst

_NOT_IN = frozenset({State.MISSING, State.LATE, State.FAILED})
_FEW = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours in a row that are not in the tables, or not as they should be.

    Args:
        start: naive UTC.
        end: where the last of them ends.
        count: how many they are.
        state: the one of theirs that most wants a look.
    """

    start: datetime
    end: datetime
    count: int
    state: State


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A backfill or a wide run, beside what has come of it.

    Args:
        name: what it is called.
        run_id: of a run; empty for a backfill.
        said: what Airflow says of it.
        start: of its time, naive UTC.
        end: of its time.
        due: how many of its hours, or days, or months, are over; None where they were too many to look at.
        gaps: those that are not in the tables.
        left: how long it will go on, None where it has ended or nothing tells.
        is_under_way: whether it has not ended.
    """

    name: str
    run_id: str
    said: str
    start: datetime
    end: datetime
    due: int | None
    gaps: Sequence[Gap]
    left: timedelta | None
    is_under_way: bool

    @property
    def missing(self) -> int:
        """How many of its hours are not in the tables."""
        return sum(gap.count for gap in self.gaps)


def estimate(
    left: int, at_once: int, spans: Sequence[tuple[datetime, datetime]], usual: float | None
) -> timedelta | None:
    """Return how long the runs that are left will take, or None where nothing tells.

    Args:
        left: how many they are.
        at_once: how many go side by side.
        spans: when those that have succeeded began and ended.
        usual: seconds of a run, from others of its DAG.
    """
    if len(spans) > max(_FEW, at_once):
        # What has been seen counts more than what should be: tasks may wait for a place.
        ends = sorted(end for _, end in spans)
        return left * (ends[-1] - ends[0]) / (len(ends) - 1)
    if usual is None:
        return None
    return timedelta(seconds=usual * -(-left // max(at_once, 1)))


def usual_seconds(spans: Iterable[tuple[datetime, datetime]]) -> float | None:
    """Return what runs take, the one in the middle, or None where there are none."""
    lengths = [(end - start).total_seconds() for start, end in spans]
    return median(lengths) if lengths else None


def count_due(cells: Iterable[Cell]) -> int:
    """Return how many cells are over."""
    return sum(cell.state is not State.AHEAD for cell in cells)


def find_gaps(cells: Iterable[Cell]) -> list[Gap]:
    """Return what is not in the tables, in stretches without a break, oldest first."""
    gaps = []
    for is_gap, run in groupby(cells, key=lambda cell: cell.state in _NOT_IN):
        found = list(run)
        if is_gap:
            state = worst(cell.state for cell in found)
            gaps.append(Gap(found[0].start, found[-1].end, len(found), state))
    return gaps
