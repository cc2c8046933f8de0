"""What has become of each hour of a dataset, or of each month where it is loaded by the month.

The records of the loads say so, never Airflow's list of runs: a run may have failed, or its rows may have
been replaced since. Time is naive UTC, as the records have it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from sparkify_watch.spans import Pieces, Span


class State(StrEnum):
    """What has become of an hour, the one that most wants a look first."""

    FAILED = "failed"
    """A check of severity error did not pass, and no later one of that name has passed over this hour."""
    MISSING = "missing"
    """No load has staged it whole."""
    LATE = "late"
    """What is staged is not, or no longer, in every table that is made of it."""
    NO_SOURCE = "no source"
    """Staged, but there was no file of it."""
    LOADED = "loaded"
    """In every table."""
    AHEAD = "ahead"
    """Not over yet."""


class Load(NamedTuple):
    """A load of a window of a table."""

    load_id: str
    table: str
    start: datetime
    end: datetime
    began: datetime
    ended: datetime


class Change(NamedTuple):
    """A window whose rows a load of the staging table has changed after others may have read them."""

    load_id: str
    start: datetime
    end: datetime
    at: datetime


class Taking(NamedTuple):
    """A table has taken in a change."""

    table: str
    change_load_id: str


class Version(NamedTuple):
    """A version of a file, or that it was not there."""

    key: str
    is_there: bool
    staged_at: datetime


class Result(NamedTuple):
    """What came of a check of severity error over a window."""

    check: str
    passed: bool
    start: datetime
    end: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is recorded of a dataset, as far as it touches the time that is asked about.

    Args:
        staging: the table that its files are staged into window by window.
        targets: the tables that are loaded from it window by window.
        loads: of both.
        changes: of the staging table.
        takings: which table has taken in which of them.
        followers: tables that have taken in any, however long ago, beside the targets.
        key_pattern: names the file of an hour, where there is one for it.
        versions: of these files.
        results: of checks that have failed over some of the time.
        forgotten_before: up to when retention has removed what was staged.
        unrecorded_before: up to when loads of the targets may no longer be on record.
    """

    staging: str
    targets: Sequence[str]
    loads: Collection[Load] = ()
    changes: Collection[Change] = ()
    takings: Collection[Taking] = ()
    followers: Collection[str] = ()
    key_pattern: str | None = None
    versions: Collection[Version] = ()
    results: Collection[Result] = ()
    forgotten_before: datetime | None = None
    unrecorded_before: datetime | None = None


class Cell(NamedTuple):
    """An hour, day or month and its state."""

    start: datetime
    end: datetime
    state: State


_NONE: tuple[None, None] = (None, None)


def worst(states: Iterable[State]) -> State:
    """Return the state that most wants a look."""
    order = list(State)
    return min(states, key=order.index)


def find_states(records: Records, edges: Sequence[datetime], now: datetime) -> list[Cell]:
    """Return the state of each stretch of time between one edge and the next.

    Args:
        records: all that touch the time from the first edge to the last.
        edges: rising.
        now: what is not over then cannot be missing.
    """
    pieces, states = _Timeline(records, edges).states()
    cells = []
    for start, end in pairwise(edges):
        cell = Cell(start, end, State.AHEAD)
        state = worst(states[piece] for piece in pieces.within(cell))
        is_ahead = state is State.MISSING and end > now
        cells.append(cell if is_ahead else Cell(start, end, state))
    return cells


class _Timeline:
    """Time cut into pieces so small that every record covers a piece whole or not at all."""

    def __init__(self, records: Records, edges: Sequence[datetime]) -> None:
        self.records = records
        # What a load found of time that was not over is not all of it.
        known = (load._replace(end=load.began) if load.began < load.end else load for load in records.loads)
        self.loads = [load for load in known if load.start < load.end]
        spans: list[Span] = [*self.loads, *records.changes, *records.results]
        marks = [records.forgotten_before] if records.forgotten_before else []
        self.pieces = Pieces(edges, spans, marks)
        self._versions: dict[str, tuple[Version | None, Version | None]] = {}
        for version in sorted(records.versions, key=lambda version: version.staged_at):
            _, file = self._versions.get(version.key, _NONE)
            self._versions[version.key] = (version, version if version.is_there else file)

    def states(self) -> tuple[Pieces, list[State]]:
        """Return the pieces and the state of each."""
        of_staging = [load for load in self.loads if load.table == self.records.staging]
        first = self.pieces.paint(sorted(of_staging, key=lambda load: load.ended))
        last = self.pieces.paint(sorted(of_staging, key=lambda load: load.began, reverse=True))
        reached = {table: self._newest(table) for table in self.records.targets}
        waiting, failed = self._find_waiting(reached), self._find_failed()
        states = []
        for piece, staged in enumerate(first):
            loads = [newest[piece] for newest in reached.values()]
            is_late = waiting[piece] or not all(self._is_in(staged, load) for load in loads)
            states.append(self._state(piece, last[piece], loads, is_late=is_late, is_failed=failed[piece]))
        return self.pieces, states

    def _state(
        self, piece: int, staged: Load | None, loads: Sequence[Load | None], *, is_late: bool, is_failed: bool
    ) -> State:
        if staged is None and not (self._is_forgotten(piece) and all(loads)):
            return State.MISSING
        if is_failed:
            return State.FAILED
        if is_late:
            return State.LATE
        return State.NO_SOURCE if staged and self._has_no_file(piece, staged) else State.LOADED

    def _is_in(self, staged: Load | None, load: Load | None) -> bool:
        """Tell whether what was staged first, or is forgotten, is in a table with this newest load."""
        if staged is None:
            return load is not None
        before = self.records.unrecorded_before
        return bool(load and load.began >= staged.ended) or bool(before and staged.ended < before)

    def _is_forgotten(self, piece: int) -> bool:
        before = self.records.forgotten_before
        return before is not None and self.pieces.cuts[piece + 1] <= before

    def _newest(self, table: str) -> list[Load | None]:
        loads = [load for load in self.loads if load.table == table]
        return self.pieces.paint(sorted(loads, key=lambda load: load.began, reverse=True))

    def _find_waiting(self, reached: Mapping[str, Sequence[Load | None]]) -> list[bool]:
        """Tell of each piece whether a table has yet to take in a change of it."""
        waiting = [False] * len(self.pieces)
        taken = set(self.records.takings)
        followers = {*self.records.targets, *self.records.followers}
        for change in self.records.changes:
            for table in followers:
                if Taking(table, change.load_id) not in taken:
                    newest = reached.get(table)
                    for piece in self.pieces.within(change):
                        load = newest[piece] if newest else None
                        waiting[piece] |= load is None or load.began < change.at
        return waiting

    def _find_failed(self) -> list[bool]:
        """Tell of each piece whether the newest result of any check over it is a bad one."""
        failed = [False] * len(self.pieces)
        of_check: dict[str, list[Result]] = {}
        for result in sorted(self.records.results, key=lambda each: (each.at, not each.passed), reverse=True):
            of_check.setdefault(result.check, []).append(result)
        for found in of_check.values():
            newest = self.pieces.paint(found)
            failed = [bad or bool(top and not top.passed) for bad, top in zip(failed, newest, strict=True)]
        return failed

    def _has_no_file(self, piece: int, staged: Load) -> bool:
        """Tell whether there was no file when a piece was staged last."""
        if self.records.key_pattern is None:
            return False
        key = self.pieces.cuts[piece].strftime(self.records.key_pattern)
        newest, newest_file = self._versions.get(key, _NONE)
        is_gone = newest is not None and not newest.is_there
        # What was staged while the file was there keeps its rows until its window is staged again.
        return is_gone and not (newest_file and newest_file.staged_at >= staged.began)
