"""Reconciliation: source files, staging table and the tables loaded from it compared hour by hour."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sparkify.source import find_keys
from sparkify.stage.copying import FileCopier
from sparkify.stage.job import INCOMING, LOAD_ID, StagingJob
from sparkify.text import text_table
from sparkify.warehouse import ledger
from sparkify.warehouse.differences import differing_hours
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

        Of more, neighbours are joined: loading an hour that is right changes nothing, and Airflow maps a task
        over a limited number of values only (core.max_map_length).
        """
        found = common([Window.of_hour(hour) for hour in self.hours], [self.window])
        gaps = sorted(range(1, len(found)), key=lambda n: found[n].start - found[n - 1].end, reverse=True)
        ends = [0, *sorted(gaps[: _MOST_WINDOWS - 1]), len(found)]
        return [Window(found[a].start, found[b - 1].end) for a, b in itertools.pairwise(ends) if a < b]

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
    if job.window is None or job.key_pattern is None or job.time_column is None:
        raise ValueError("Reconciliation needs a window, key_pattern and time_column")
    window, time = job.window, job.time_column
    periods = window.periods(job.key_pattern)
    files, missing = find_keys(s3, job.bucket, periods)
    log.info("Comparing %s with %d files; %d of the window do not exist", window, len(files), len(missing))
    columns = [name for name in session.columns(job.table) if name != LOAD_ID]
    session.execute(f"CREATE TEMP TABLE {INCOMING} (LIKE {quote_table(job.table)})")
    session.commit()
    if files:
        load_id = f"reconcile-{ledger.new_load_id()}"
        dated = {} if ALL_TIME in periods.values() else periods
        FileCopier(session, job, s3, load_id, columns, dated, log).copy(files)
    rows = {SOURCE: _rows_per_hour(session, INCOMING, time, window)}
    differing: dict[datetime, list[str]] = {}

    def compare(expected: str, table: str, names: Sequence[str], time_column: str) -> None:
        rows[table] = _rows_per_hour(session, table, time_column, window)
        hours = differing_hours(
            session, expected, table, columns=names, time_column=time_column, windows=[window]
        )
        for hour in hours:
            differing.setdefault(hour, []).append(table)
        # A reader that holds one table while it waits for another can make loads wait in a circle.
        session.commit()

    compare(INCOMING, job.table, columns, time)
    for number, one in enumerate(loaded):
        names, expected = session.columns(one.table), f"{EXPECTED}_{number}"
        session.execute(f"CREATE TEMP TABLE {expected} (LIKE {quote_table(one.table)})")
        session.execute(
            f"INSERT INTO {expected} ({quote_columns(names)})\n"
            f"SELECT {quote_columns(names)}\nFROM (\n{one.select.strip().rstrip(';')}\n) AS source",
            dict(window.values),
        )
        session.commit()
        compare(expected, one.table, names, one.time_column)
    return Reconciliation(window, differing, rows)


def _rows_per_hour(session: Session, table: str, time_column: str, window: Window) -> dict[datetime, int]:
    time = quote_identifier(time_column)
    found = session.query(
        f"""
SELECT DATE_TRUNC('hour', {time}) AS hour, COUNT(*)
FROM {quote_table(table)}
WHERE {time} >= %(window_start)s AND {time} < %(window_end)s
GROUP BY DATE_TRUNC('hour', {time})""",
        window.values,
    )
    return {hour.replace(tzinfo=UTC): count for hour, count in found}
