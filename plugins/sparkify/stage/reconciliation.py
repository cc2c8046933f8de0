"""Reconciliation: source files, staging table and the tables loaded from it compared hour by hour."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sparkify.source import find_keys
from sparkify.stage.copying import FileCopier
from sparkify.stage.incoming import create_incoming
from sparkify.stage.job import INCOMING, StagingJob
from sparkify.text import text_table
from sparkify.warehouse import ledger
from sparkify.warehouse.differences import differing_hours
from sparkify.warehouse.retention import forgotten_time
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table
from sparkify.window import ALL_TIME, Window, common

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_MOST_WINDOWS = 100
EXPECTED = "sparkify_expected"
SOURCE = "source"


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table that is loaded from the staging table, window by window.

    Args:
        table: its name.
        select: the SELECT that loads it; it may use `%(window_start)s` and `%(window_end)s`.
        time_column: its column that places a row in a window.
    """

    table: str
    select: str
    time_column: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison found.

    Args:
        window: what was compared.
        hours: the beginnings of the hours that differ, each with the tables that are not what they must be.
        rows: for the source and each table: the number of rows of every hour that has any.
    """

    window: Window
    hours: Mapping[datetime, Sequence[str]]
    rows: Mapping[str, Mapping[datetime, int]]

    @property
    def windows(self) -> list[Window]:
        """The hours that differ as windows inside the one that was compared, at most a hundred.

        Loading an hour that is right changes nothing.
        """
        return join_nearest(common([Window.of_hour(hour) for hour in self.hours], [self.window]))

    def totals(self) -> dict[str, int]:
        """Return the number of rows in the source and in each table."""
        return {name: sum(hours.values()) for name, hours in self.rows.items()}

    def table(self, most: int = 50) -> str:
        """Return the first `most` hours that differ, a line each, with the rows of source and tables."""
        headings = ("hour (UTC)", *self.rows, "differs")
        lines = [
            (
                f"{hour:%Y-%m-%d %H:%M}",
                *(f"{hours.get(hour, 0):,}" for hours in self.rows.values()),
                ", ".join(tables),
            )
            for hour, tables in sorted(self.hours.items())
        ]
        more = f"\n… and {len(lines) - most} more hours" if len(lines) > most else ""
        return text_table([headings, *lines[:most]]) + more


def join_nearest(parts: Sequence[Window]) -> list[Window]:
    """Return windows, oldest first, as at most a hundred: of more, neighbours are joined.

    Airflow maps a task over a limited number of values only (core.max_map_length).
    """
    gaps = sorted(range(1, len(parts)), key=lambda n: parts[n].start - parts[n - 1].end, reverse=True)
    ends = [0, *sorted(gaps[: _MOST_WINDOWS - 1]), len(parts)]
    return [Window(parts[a].start, parts[b - 1].end) for a, b in itertools.pairwise(ends) if a < b]


def reconcile(
    session: Session, job: StagingJob, loaded: Sequence[LoadedTable], s3: "S3Client", log: Log
) -> Reconciliation:
    """Compare what the source files of a window hold now with the warehouse; change nothing.

    Args:
        session: a fresh session.
        job: how the staging table is staged, in mode `window`, from files named by a key pattern.
        loaded: the tables that are loaded from it.
        s3: lists the source and writes a manifest.
        log: progress, missing files and rows left out.

    Raises:
        FatalError: COPY refused the files.
    """
    # Whether strays may be there is for the loads to say.
    job = replace(job, keep_strays=True)
    if job.window is None or job.key_pattern is None or job.time_column is None:
        raise ValueError("Reconciliation needs a window, key_pattern and time_column")
    comparison = _Comparison(session, job.window)
    columns = create_incoming(session, job)
    periods = job.window.periods(job.key_pattern)
    dated = {} if ALL_TIME in periods.values() else periods
    copier = FileCopier(session, job, s3, f"reconcile-{ledger.new_load_id()}", columns, dated, log)
    _copy_source(copier, list(periods))
    comparison.count(SOURCE, INCOMING, job.time_column)
    comparison.compare(INCOMING, job.table, columns, job.time_column)
    for number, target in enumerate(loaded):
        expected = f"{EXPECTED}_{number}"
        columns = session.columns(target.table)
        _select_expected(session, expected, target, columns, job.window)
        comparison.compare(expected, target.table, columns, target.time_column)
    if forgotten := forgotten_time(session, [job.table], [job.window]):
        log.warning(
            "Not compared, because %s has forgotten it: %s", job.table, ", ".join(map(str, forgotten))
        )
        comparison.leave_out(forgotten)
    return Reconciliation(job.window, comparison.differing, comparison.rows)


def _copy_source(copier: FileCopier, keys: Sequence[str]) -> None:
    """Copy the files of the window into INCOMING."""
    session, job = copier.session, copier.job
    files, missing = find_keys(copier.s3, job.bucket, keys)
    copier.log.info(
        "Comparing %s with %d files; %d of the window do not exist", job.window, len(files), len(missing)
    )
    session.commit()
    copier.copy(files)


def _select_expected(
    session: Session, expected: str, target: LoadedTable, columns: Sequence[str], window: Window
) -> None:
    """Make the temp table `expected` of what the target's SELECT gives."""
    names = quote_columns(columns)
    session.execute(f"CREATE TEMP TABLE {expected} (LIKE {quote_table(target.table)})")
    session.execute(
        f"INSERT INTO {expected} ({names})\n"
        f"SELECT {names}\nFROM (\n{target.select.strip().rstrip(';')}\n) AS source",
        dict(window.values),
    )
    session.commit()


class _Comparison:
    """Compares tables with what is expected of them, and keeps what it has seen."""

    def __init__(self, session: Session, window: Window) -> None:
        self.session, self.window = session, window
        self.rows: dict[str, Mapping[datetime, int]] = {}
        self.differing: dict[datetime, list[str]] = {}

    def compare(self, expected: str, table: str, columns: Sequence[str], time_column: str) -> None:
        """Note the hours in which `table` differs from the table `expected`."""
        self.count(table, table, time_column)
        for hour in differing_hours(
            self.session, expected, table, columns=columns, time_column=time_column, windows=[self.window]
        ):
            self.differing.setdefault(hour, []).append(table)
        # A reader that holds one table while it waits for another can make loads wait in a circle.
        self.session.commit()

    def leave_out(self, windows: Sequence[Window]) -> None:
        """Take back what was noted of hours that lie, in part or whole, in one of `windows`."""
        for hour in list(self.differing):
            if common([Window.of_hour(hour)], windows):
                del self.differing[hour]

    def count(self, name: str, table: str, time_column: str) -> None:
        """Note under a name how many rows a table has in each hour."""
        time = quote_identifier(time_column)
        counts = self.session.query(
            f"""
SELECT DATE_TRUNC('hour', {time}) AS hour, COUNT(*)
FROM {quote_table(table)}
WHERE {time} >= %(window_start)s AND {time} < %(window_end)s
GROUP BY DATE_TRUNC('hour', {time})""",
            self.window.values,
        )
        self.rows[name] = {hour.replace(tzinfo=UTC): count for hour, count in counts}
