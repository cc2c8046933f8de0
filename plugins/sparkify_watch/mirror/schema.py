"""The mirror's tables. Times are text as `stamp` writes it, naive UTC, so that they sort as time does."""

from datetime import datetime

VERSION = 3
"""Of what stands below; a file of another version is emptied and made anew. Raise it with every change."""

# The copies of the tables of ops have the columns of these, and: `owner`, the name of the Dataset that a row
# is of; `day`, the part that is compared and replaced at once; `mark`, a number made of what a row says.
TABLES: tuple[str, ...] = (
    # How old the picture is and why it is not newer (picture_at, tried_at, problem), and of what (source).
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # What a table of ops said when it was last asked whether it has changed, and when all of it was compared.
    "CREATE TABLE pulses (name TEXT PRIMARY KEY, pulse TEXT, compared_at TEXT) WITHOUT ROWID",
    """
    CREATE TABLE loads (
        id INTEGER PRIMARY KEY, load_id TEXT, dag_id TEXT, run_id TEXT, task_id TEXT, target_table TEXT,
        window_start TEXT, window_end TEXT, rows_deleted INTEGER, rows_inserted INTEGER,
        rows_rejected INTEGER, files INTEGER, bytes INTEGER, started_at TEXT, finished_at TEXT,
        owner TEXT, day TEXT, mark INTEGER
    )
    """,
    # Redshift declares it unique, and does not see to it.
    "CREATE INDEX loads_by_id ON loads (load_id)",
    "CREATE INDEX loads_by_owner ON loads (owner, load_id)",
    "CREATE INDEX loads_by_table ON loads (target_table, load_id)",
    "CREATE INDEX loads_by_window ON loads (target_table, window_start, window_end)",
    "CREATE INDEX loads_by_end ON loads (target_table, window_end)",
    "CREATE INDEX loads_by_run ON loads (dag_id, run_id, task_id)",
    "CREATE INDEX loads_by_day ON loads (day, mark)",
    # What the loads of a day did to a table.
    """
    CREATE TABLE load_days (
        owner TEXT, target_table TEXT, day TEXT, loads INTEGER, rows_inserted INTEGER, rows_deleted INTEGER,
        rows_rejected INTEGER, files INTEGER, bytes INTEGER, seconds REAL,
        PRIMARY KEY (owner, target_table, day)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX load_days_by_day ON load_days (day)",
    """
    CREATE TABLE staged_files (
        id INTEGER PRIMARY KEY, dataset TEXT, bucket TEXT, key TEXT, etag TEXT, size INTEGER,
        last_modified TEXT, load_id TEXT, staged_at TEXT, owner TEXT, day TEXT, mark INTEGER
    )
    """,
    "CREATE INDEX staged_files_by_key ON staged_files (dataset, key, staged_at)",
    "CREATE INDEX staged_files_by_time ON staged_files (owner, staged_at, id, key)",
    "CREATE INDEX staged_files_by_load ON staged_files (load_id)",
    "CREATE INDEX staged_files_by_day ON staged_files (day, mark)",
    """
    CREATE TABLE rejected_rows (
        id INTEGER PRIMARY KEY, file TEXT, line INTEGER, column_name TEXT, value TEXT, reason TEXT,
        raw_text TEXT, load_id TEXT, owner TEXT, day TEXT, mark INTEGER
    )
    """,
    "CREATE INDEX rejected_rows_by_owner ON rejected_rows (owner, load_id DESC, file, line)",
    "CREATE INDEX rejected_rows_by_load ON rejected_rows (load_id)",
    "CREATE INDEX rejected_rows_by_file ON rejected_rows (file, line)",
    "CREATE INDEX rejected_rows_by_day ON rejected_rows (day, mark)",
    # Of a check its title is unique in its table only: check_key has both.
    """
    CREATE TABLE quality_results (
        id INTEGER PRIMARY KEY, checked_at TEXT, dag_id TEXT, run_id TEXT, task_id TEXT, window_start TEXT,
        window_end TEXT, check_name TEXT, check_kind TEXT, table_name TEXT, severity TEXT, status TEXT,
        observed TEXT, expected TEXT, detail TEXT, check_key TEXT, owner TEXT, day TEXT, mark INTEGER
    )
    """,
    "CREATE INDEX quality_by_check ON quality_results (owner, check_key, checked_at, id)",
    """
    CREATE INDEX quality_bad ON quality_results (window_start, window_end)
    WHERE severity = 'error' AND status <> 'passed'
    """,
    # A window of a day at most is found by its beginning; the others are few.
    "CREATE INDEX quality_by_window ON quality_results (check_key, window_start, window_end, checked_at)",
    """
    CREATE INDEX quality_wide ON quality_results (window_start)
    WHERE JULIANDAY(window_end) - JULIANDAY(window_start) > 1
    """,
    "CREATE INDEX quality_by_name ON quality_results (check_name, checked_at)",
    "CREATE INDEX quality_by_run ON quality_results (dag_id, run_id, task_id)",
    "CREATE INDEX quality_by_day ON quality_results (day, mark)",
    """
    CREATE TABLE changes (
        source_table TEXT, load_id TEXT, window_start TEXT, window_end TEXT, owner TEXT, day TEXT,
        mark INTEGER
    )
    """,
    "CREATE INDEX changes_by_load ON changes (source_table, load_id)",
    "CREATE INDEX changes_by_window ON changes (source_table, window_start, window_end)",
    "CREATE INDEX changes_by_day ON changes (day, mark)",
    """
    CREATE TABLE changes_taken (
        target_table TEXT, change_load_id TEXT, load_id TEXT, owner TEXT, day TEXT, mark INTEGER
    )
    """,
    "CREATE INDEX changes_taken_by_change ON changes_taken (change_load_id, target_table)",
    "CREATE INDEX changes_taken_by_day ON changes_taken (day, mark)",
    """
    CREATE TABLE retention (
        dataset TEXT, forgotten_before TEXT, load_id TEXT, owner TEXT, day TEXT, mark INTEGER
    )
    """,
    # A table as it was counted last: newest is the latest time in it, where it has a column of time; seconds
    # is how long counting took; last_load_id its last load then.
    """
    CREATE TABLE tables (
        name TEXT PRIMARY KEY, row_count INTEGER, newest TEXT, counted_at TEXT, seconds REAL,
        last_load_id TEXT
    ) WITHOUT ROWID
    """,
    # An analysts' question and its answer: columns and rows are JSON, question is the SELECT; after_load is
    # the newest load of the dataset when it was tried last, which took so many seconds.
    """
    CREATE TABLE answers (
        dataset TEXT, name TEXT, question TEXT, columns TEXT, rows TEXT, asked_at TEXT, tried_at TEXT,
        after_load TEXT, seconds REAL, problem TEXT,
        PRIMARY KEY (dataset, name)
    ) WITHOUT ROWID
    """,
)


def stamp(moment: datetime) -> str:
    """Return a time (naive UTC) as the mirror keeps it."""
    return moment.isoformat(sep=" ", timespec="microseconds")


def moment(text: str | None) -> datetime | None:
    """Return a time of the mirror, naive UTC."""
    return None if text is None else datetime.fromisoformat(text)
