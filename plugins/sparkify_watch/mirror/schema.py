"""The mirror's tables. Times are text as `stamp` writes it, naive UTC, so that they sort as time does."""

from datetime import datetime

VERSION = 1
"""Of what stands below; a file of another version is emptied and made anew. Raise it with every change."""

TABLES: tuple[str, ...] = (
    # How old the picture is and why it is not newer: rows picture_at, tried_at, problem, warehouse.
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # The tables of ops, with the columns they have there; "day" is the piece that is compared and replaced.
    """
    CREATE TABLE loads (
        load_id TEXT PRIMARY KEY, dag_id TEXT, run_id TEXT, task_id TEXT, target_table TEXT,
        window_start TEXT, window_end TEXT, rows_deleted INTEGER, rows_inserted INTEGER,
        rows_rejected INTEGER, files INTEGER, bytes INTEGER, started_at TEXT, finished_at TEXT, day TEXT
    )
    """,
    "CREATE INDEX loads_by_table ON loads (target_table, load_id)",
    "CREATE INDEX loads_by_window ON loads (target_table, window_start, window_end)",
    "CREATE INDEX loads_by_run ON loads (dag_id, run_id, task_id)",
    "CREATE INDEX loads_by_day ON loads (day)",
    """
    CREATE TABLE staged_files (
        id INTEGER PRIMARY KEY, dataset TEXT, bucket TEXT, key TEXT, etag TEXT, size INTEGER,
        last_modified TEXT, load_id TEXT, staged_at TEXT, day TEXT
    )
    """,
    "CREATE INDEX staged_files_by_key ON staged_files (dataset, key, staged_at)",
    "CREATE INDEX staged_files_by_time ON staged_files (dataset, staged_at, id)",
    "CREATE INDEX staged_files_by_load ON staged_files (load_id)",
    "CREATE INDEX staged_files_by_day ON staged_files (day)",
    """
    CREATE TABLE rejected_rows (
        id INTEGER PRIMARY KEY, file TEXT, line INTEGER, column_name TEXT, value TEXT, reason TEXT,
        raw_text TEXT, load_id TEXT, day TEXT
    )
    """,
    "CREATE INDEX rejected_rows_by_load ON rejected_rows (load_id, id)",
    "CREATE INDEX rejected_rows_by_file ON rejected_rows (file, line)",
    "CREATE INDEX rejected_rows_by_day ON rejected_rows (day)",
    """
    CREATE TABLE quality_results (
        id INTEGER PRIMARY KEY, checked_at TEXT, dag_id TEXT, run_id TEXT, task_id TEXT, window_start TEXT,
        window_end TEXT, check_name TEXT, check_kind TEXT, table_name TEXT, severity TEXT, status TEXT,
        observed TEXT, expected TEXT, detail TEXT, day TEXT
    )
    """,
    "CREATE INDEX quality_by_check ON quality_results (dag_id, check_name, checked_at)",
    "CREATE INDEX quality_by_window ON quality_results (dag_id, window_start, window_end)",
    "CREATE INDEX quality_by_status ON quality_results (dag_id, status, checked_at)",
    "CREATE INDEX quality_by_day ON quality_results (day)",
    """
    CREATE TABLE changes (
        source_table TEXT, load_id TEXT, window_start TEXT, window_end TEXT, day TEXT
    )
    """,
    "CREATE INDEX changes_by_load ON changes (source_table, load_id)",
    "CREATE INDEX changes_by_day ON changes (day)",
    "CREATE TABLE changes_taken (target_table TEXT, change_load_id TEXT, load_id TEXT, day TEXT)",
    "CREATE INDEX changes_taken_by_change ON changes_taken (change_load_id, target_table)",
    "CREATE INDEX changes_taken_by_day ON changes_taken (day)",
    # A table as it was counted last: newest is the latest time in it, where it has a column of time.
    """
    CREATE TABLE tables (
        name TEXT PRIMARY KEY, row_count INTEGER, newest TEXT, counted_at TEXT, last_load_id TEXT
    ) WITHOUT ROWID
    """,
    # An analysts' question and its answer: columns and rows are JSON.
    """
    CREATE TABLE answers (
        dataset TEXT, name TEXT, title TEXT, columns TEXT, rows TEXT, asked_at TEXT, problem TEXT,
        PRIMARY KEY (dataset, name)
    ) WITHOUT ROWID
    """,
)


def stamp(moment: datetime | None) -> str | None:
    """Return a time (naive UTC) as the mirror keeps it."""
    return None if moment is None else moment.isoformat(sep=" ", timespec="microseconds")


def moment(text: str | None) -> datetime | None:
    """Return a time of the mirror, naive UTC."""
    return None if text is None else datetime.fromisoformat(text)
