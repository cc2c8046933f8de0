"""How what happens to runs changes a memory: pure functions."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sparkify.window import Window, merge, without
from sparkify_watch.alerts.memory import GOOD, Memory

FAILED_RUN, QUALITY_ERROR, LATE_LOAD, CLUSTER_EXPIRY = (
    "failed_run",
    "quality_error",
    "late_load",
    "cluster_expiry",
)

# More would fill a message; the page Warehouse has them all.
_MOST_WINDOWS = 20
# A run that somebody marks as failed by hand ends without a word: it is not late for ever.
_FORGET_LATE = timedelta(days=1)


def run_ended(memory: Memory, outcome: str, window: Window | None, at: datetime) -> Memory:
    """Return the memory of a DAG's runs after one more has ended.

    Args:
        memory: before.
        outcome: GOOD, FAILED_RUN or QUALITY_ERROR.
        window: of the run, where it has one.
        at: now.
    """
    left = windows_left(memory)
    if window is not None:
        left = without(left, window) if outcome == GOOD else merge([*left, window])
    opened = {
        f"{one.start.isoformat()}/{one.end.isoformat()}": at.isoformat() for one in left[-_MOST_WINDOWS:]
    }
    return replace(memory.turned(outcome, at), open=_kept(memory.open, opened))


def windows_left(memory: Memory) -> list[Window]:
    """Return the windows of failed runs that no run has loaded since, oldest first."""
    return [_read_window(text) for text in memory.open]


def run_is_late(memory: Memory, run_id: str, at: datetime) -> Memory:
    """Return the memory of a DAG's late runs after one has missed its deadline."""
    return replace(
        memory.turned(LATE_LOAD, at), open=dict(_not_forgotten(memory, at)) | {run_id: at.isoformat()}
    )


def late_run_ended(memory: Memory, run_id: str, at: datetime, *, succeeded: bool) -> Memory:
    """Return the memory of a DAG's late runs after a run, late or not, has ended.

    They are good again once one succeeds and no other that was late is under way.
    """
    if memory.state == GOOD:
        return memory
    under_way = {name: since for name, since in _not_forgotten(memory, at) if name != run_id}
    is_good = succeeded and not under_way
    return replace(memory.turned(GOOD, at) if is_good else memory, open=under_way)


def _not_forgotten(memory: Memory, at: datetime) -> Iterator[tuple[str, str]]:
    return (
        (name, since)
        for name, since in memory.open.items()
        if at - datetime.fromisoformat(since) < _FORGET_LATE
    )


def _kept(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return what is open now, each with when it first was."""
    return {name: before.get(name, at) for name, at in now.items()}


def _read_window(text: str) -> Window:
    start, end = text.split("/")
    return Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
