"""History: a warehouse as it would be after so many hourly runs, made from one week that was really loaded.

The week before NOW is loaded by the pipeline. Its rows are the pattern: history is the same week over and
over, each time with times and sessions of its own, put in set by set (bench/sql). Plays, moments and users
come from the pipeline's own SELECTs; the ledgers get what the run of every hour would have written.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psycopg

from bench import tasks
from bench.options import NOW
from definitions.sparkify import PLAYS_BY_SONG, SPARKIFY
from sandbox.parts.postgres import admin_dsn
from sandbox.parts.settings import REPOSITORY, Settings
from sandbox.terminal.console import note
from sparkify.star.job import INCOMING
from sparkify.warehouse.sql import Value, execute

WEEK = timedelta(days=7)
_END = NOW.replace(tzinfo=None)
_FILLS = Path(__file__).parent / "sql"
_SELECTS = REPOSITORY / "include" / "sparkify" / "load"
_TABLES = (
    *SPARKIFY.tables,
    PLAYS_BY_SONG["table"],
    *("ops.loads", "ops.staged_files", "ops.quality_results", "ops.quality_measures"),
    *("ops.rejected_rows", "ops.changes_taken", "ops.changes"),
)
_LEDGERS = (
    *("loads", "quality_results", "quality_measures", "event_files", "song_files"),
    *("changes_taken", "changes", "window_changes_taken"),
)


class History:
    """Makes history in the warehouse of a sandbox, over a superuser's connection."""

    def __init__(self, settings: Settings) -> None:
        # Values are written into the statements, as their types are then known.
        self._connection = psycopg.connect(
            admin_dsn(settings), autocommit=True, cursor_factory=psycopg.ClientCursor
        )
        self._plays = 0
        self._sessions = 0

    def __enter__(self) -> Self:
        """Prepare the connection for large sets."""
        self._run("SET work_mem = '1GB'")
        self._run("SET synchronous_commit = off")
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the pattern and close the connection."""
        self._run("DROP SCHEMA IF EXISTS pattern CASCADE")
        self._connection.close()

    def learn(self) -> None:
        """Load the week before NOW in one run, and keep what it left as the pattern."""
        note("Loading the week that history is made of …")
        tasks.run(NOW - WEEK, NOW)
        self._run((_FILLS / "pattern.sql").read_text())
        for table in _TABLES:
            self._run(f"CREATE TABLE {_pattern(table)} AS TABLE {table}")
        self._plays, self._sessions = self._ask(
            "SELECT (SELECT COUNT(*) FROM pattern.songplays), MAX(session_id) + 1 FROM pattern.staging_events"
        )

    def fill(self, facts: int) -> None:
        """Put `facts` plays that end at NOW, and all that goes with them, in place of what is there.

        History begins with a whole hour, as what runs have loaded does, so it may be a few more.
        """
        note(f"Filling the warehouse with {facts:,} facts …")
        self._run(f"TRUNCATE {', '.join(_TABLES)}")
        weeks, rest = divmod(facts, self._plays)
        first = self._begin_of_last(rest) - weeks * WEEK
        hours = {"first": first, "end": _END}
        self._fill_catalogue(hours)
        if rest:
            self._fill_week(weeks, first)
        for week in reversed(range(weeks)):
            self._fill_week(week, _END - (week + 1) * WEEK)
        # Everybody who plays at all plays each week.
        self._select_into("users", max(first, _END - WEEK), _END)
        for name in _LEDGERS:
            self._fill(name, **hours)
        self._settle()

    def _begin_of_last(self, plays: int) -> datetime:
        """The beginning of the hour with which the last so many plays of the pattern begin."""
        if not plays:
            return _END
        sql = "SELECT start_time FROM pattern.songplays ORDER BY start_time DESC LIMIT 1 OFFSET %(n)s"
        found: datetime = self._ask(sql, {"n": plays - 1})[0]
        return found.replace(minute=0, second=0, microsecond=0)

    def _fill_catalogue(self, hours: Mapping[str, datetime]) -> None:
        self._fill("songs", **hours)
        for table in ("songs", "artists"):
            self._run(f"INSERT INTO {table} TABLE {_pattern(table)}")
        self._run("ANALYZE staging_songs, songs, artists")

    def _fill_week(self, week: int, first: datetime) -> None:
        """Fill the week that ended `week` weeks before NOW, from `first` on."""
        end = _END - week * WEEK
        self._fill("events", ago=week * WEEK, first=first, sessions=week * self._sessions)
        self._run("ANALYZE staging_events")
        self._select_into("time", first, end)
        self._fill_plays(first, end)
        [count] = self._ask("SELECT COUNT(*) FROM songplays")
        note(f"  from {first:%Y-%m-%d %H:%M} on: {count:,} facts")

    def _fill_plays(self, start: datetime, end: datetime) -> None:
        """Load plays, and what is kept beside them, with the pipeline's own statements."""
        columns = "".join(f", {name} {kind}" for name, kind in PLAYS_BY_SONG["columns"].items())
        self._run(f"CREATE TEMP TABLE {INCOMING} (LIKE songplays{columns})")
        self._select_into("songplays", start, end, into=INCOMING)
        self._fill("songplays")
        self._run((REPOSITORY / "include" / "sparkify" / "late" / "plays_by_song.sql").read_text())
        self._run(f"DROP TABLE {INCOMING}")

    def _select_into(self, table: str, start: datetime, end: datetime, into: str | None = None) -> None:
        """Load a window with the pipeline's own SELECT, whose columns stand in the order of the table's."""
        select = (_SELECTS / f"{table}.sql").read_text().strip().rstrip(";")
        values = {"window_start": start, "window_end": end}
        execute(self._connection.cursor(), f"INSERT INTO {into or table} {select}", values)

    def _settle(self) -> None:
        """Do what the background would have done in so much time."""
        note("  background maintenance …")
        for table in _TABLES:
            self._run(f"VACUUM (ANALYZE) {table}")
        self._run("CHECKPOINT")

    def _fill(self, name: str, **values: object) -> None:
        self._connection.execute((_FILLS / f"{name}.sql").read_text().encode(), values)

    def _run(self, sql: str) -> None:
        self._connection.execute(sql.encode())

    def _ask(self, sql: str, values: Mapping[str, Value] | None = None) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self._connection.execute(sql.encode(), values).fetchone()
        return row or ()


def _pattern(table: str) -> str:
    return "pattern." + table.rpartition(".")[2]
