"""The warehouse's report: row counts, the loads of a run, the quality checks and the analysts' answers."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console

from sandbox.parts.settings import REPOSITORY
from sandbox.terminal.console import printable
from sandbox.terminal.screen import Answer, show

Connection: TypeAlias = Any
"""A DB-API connection: redshift_connector's or psycopg's."""

ANALYTICS = REPOSITORY / "include" / "sparkify" / "analytics"
QUESTIONS: dict[str, str | None] = {
    "plays_detail": None,
    "plays_per_hour": "plays",
    "user_agents": None,
    "most_played_songs": None,
    "free_versus_paid": "plays",
    "songs_of_user_while_paid": None,
    "plays_of_artist_by_user": None,
}
"""The files of include/sparkify/analytics in the order they are answered, and the column drawn as bars."""

_COUNTS = """
SELECT table_name, row_count, of_what
FROM (
    SELECT 1 AS place, 'songplays' AS table_name, COUNT(*) AS row_count, 'plays' AS of_what FROM songplays
    UNION ALL SELECT 2, 'users', COUNT(*), 'listeners with a play' FROM users
    UNION ALL SELECT 3, 'songs', COUNT(*), 'songs of the catalogue' FROM songs
    UNION ALL SELECT 4, 'artists', COUNT(*), 'artists of the catalogue' FROM artists
    UNION ALL SELECT 5, 'time', COUNT(*), 'moments at which something was played' FROM time
    UNION ALL SELECT 6, 'staging_events', COUNT(*), 'events of the windows loaded so far' FROM staging_events
    UNION ALL SELECT 7, 'staging_songs', COUNT(*), 'songs, in their newest version' FROM staging_songs
) AS counts
ORDER BY place
"""
_LOADS = """
SELECT
    target_table,
    rows_deleted AS deleted,
    rows_inserted AS inserted,
    rows_rejected AS rejected,
    files,
    bytes / 1000000.0 AS mb,
    DATEDIFF(ms, started_at, finished_at) / 1000.0 AS seconds
FROM ops.loads
WHERE finished_at >= %s
ORDER BY started_at, task_id, target_table
"""
_COPIES = """
SELECT
    copied_from,
    SUM(files) AS files,
    SUM(row_count) AS row_count,
    SUM(mb) AS mb,
    SUM(seconds) AS seconds,
    CAST(SUM(row_count) / NULLIF(SUM(seconds), 0) AS BIGINT) AS rows_per_second,
    SUM(mb) / NULLIF(SUM(seconds), 0) AS mb_per_second
FROM (
    SELECT
        (
            SELECT SPLIT_PART(MIN(sys_load_detail.file_name), '/', 4) || '/'
            FROM sys_load_detail
            WHERE sys_load_detail.query_id = sys_load_history.query_id
        ) AS copied_from,
        source_file_count AS files,
        loaded_rows AS row_count,
        source_file_bytes / 1000000.0 AS mb,
        duration / 1000000.0 AS seconds
    FROM sys_load_history
    WHERE status = 'completed' AND start_time >= %s
) AS copies
GROUP BY copied_from
ORDER BY copied_from
"""
_QUALITY = """
SELECT status, severity, check_name, observed, expected, detail
FROM ops.quality_results
WHERE checked_at >= %s
ORDER BY CASE status WHEN 'passed' THEN 1 ELSE 0 END, severity, check_name
"""


def ask(connection: Connection, sql: str, values: Sequence[object] = ()) -> Answer:
    """Run one SELECT."""
    cursor = connection.cursor()
    cursor.execute(sql, tuple(values))
    columns = tuple(str(column[0]) for column in cursor.description)
    return Answer(columns, [tuple(row) for row in cursor.fetchall()])


def question(path: Path) -> str:
    """Return what a file of include/sparkify/analytics asks: the first sentence of its comment."""
    lines = path.read_text("utf-8").splitlines()
    comment = " ".join(line.removeprefix("--").strip() for line in lines if line.startswith("--")) + " "
    ends = [comment.index(mark) for mark in ("? ", ": ", ". ") if mark in comment]
    end = min(ends)
    return comment[: end + 1] if comment[end] == "?" else comment[:end]


def show_counts(console: Console, connection: Connection) -> None:
    """Show how many rows each table of the star, and each staging table, holds."""
    heading(console, "The warehouse")
    show(console, ask(connection, _COUNTS))


def show_loads(console: Console, connection: Connection, since: datetime) -> None:
    """Show what the loads that ended after ``since`` (UTC, naive) changed, and how fast COPY was."""
    heading(console, "What the run changed")
    show(console, ask(connection, _LOADS, (since,)))
    heading(console, "How fast COPY read S3")
    show(console, ask(connection, _COPIES, (since,)))


def show_quality(console: Console, connection: Connection, since: datetime) -> None:
    """Show the outcome of every check made after ``since`` (UTC, naive), failures first and explained."""
    checks = ask(connection, _QUALITY, (since,)).rows
    failures = [check for check in checks if check[0] != "passed"]
    heading(console, f"Quality: {len(checks) - len(failures)} of {len(checks)} checks passed")
    outcomes: list[tuple[str, ...]] = [
        (status if status == "passed" else f"{status} ({severity})", name, observed)
        for status, severity, name, observed, _, _ in checks
    ]
    show(console, Answer(("status", "check", "observed"), outcomes))
    for _, _, name, observed, expected, detail in failures:
        text = f"{name}: expected {expected}, found {observed}. {detail or ''}\n"
        console.print(printable(text, keep="\n"), markup=False, soft_wrap=True)


def show_answers(console: Console, connection: Connection) -> None:
    """Answer the questions of include/sparkify/analytics."""
    for name, bar in QUESTIONS.items():
        path = ANALYTICS / f"{name}.sql"
        heading(console, question(path))
        show(console, ask(connection, path.read_text("utf-8")), bar)


def heading(console: Console, text: str) -> None:
    """Print the title of a section."""
    console.print(text, style="bold cyan", markup=False, highlight=False)
    console.print()
