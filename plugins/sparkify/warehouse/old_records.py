"""Old records of schema `ops`: those that no load, check or reset will ask for again are forgotten.

What stays, however old: the version of a file that was staged last, a load that rows or other records name or
whose window counts as staged, a rejected row whose file waits to be mended, a change that a table has yet to
take in, and one of a staging table that still holds its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sparkify.warehouse import ledger
from sparkify.warehouse.retention import NOT_TAKEN, first_load_id, raise_mark
from sparkify.warehouse.schema import made_relation, with_ops
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import quote_identifier, quote_literal, quote_table

_CHOSEN = "sparkify_forgettable"
_TAKEN_IN = """
SELECT changes.load_id
FROM ops.changes
INNER JOIN ops.changes_taken ON changes.load_id = changes_taken.change_load_id
"""
_NOT_BY_ALL = f"SELECT changes.load_id {NOT_TAKEN}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be forgotten of a table.

    Args:
        table: the table.
        keys: its columns by which chosen rows are found.
        select: gives these, and `day` as YYYYMMDD, of rows older than `%(day)s` or load id `%(load_id)s`.
    """

    table: str
    keys: Sequence[str]
    select: str


_VERSIONS = Rule(
    "ops.staged_files",
    ("dataset", "bucket", "key", "etag", "staged_at"),
    """
    SELECT dataset, bucket, key, etag, staged_at, TO_CHAR(staged_at, 'YYYYMMDD') AS day
    FROM (
        SELECT
            dataset, bucket, key, etag, staged_at,
            ROW_NUMBER() OVER (PARTITION BY dataset, bucket, key ORDER BY staged_at DESC) AS newest
        FROM ops.staged_files
    ) AS versions
    WHERE newest > 1 AND TO_CHAR(staged_at, 'YYYYMMDD') < %(day)s
    """,
)
_REJECTED = Rule(
    "ops.rejected_rows",
    ("file", "load_id"),
    """
    SELECT DISTINCT rejected_rows.file, rejected_rows.load_id, LEFT(rejected_rows.load_id, 8) AS day
    FROM ops.rejected_rows
    INNER JOIN ops.staged_files
        ON
            rejected_rows.load_id = staged_files.load_id
            AND rejected_rows.file = 's3://' || staged_files.bucket || '/' || staged_files.key
    WHERE rejected_rows.load_id < %(load_id)s
    """,
)
_SETTLED = Rule(
    "ops.settled_rows",
    ("file", "load_id", "settled_by"),
    """
    SELECT DISTINCT file, load_id, settled_by, TO_CHAR(settled_at, 'YYYYMMDD') AS day
    FROM ops.settled_rows
    WHERE TO_CHAR(settled_at, 'YYYYMMDD') < %(day)s
    """,
)
_RESULTS = Rule(
    "ops.quality_results",
    ("dag_id", "run_id", "task_id"),
    """
    SELECT dag_id, run_id, task_id, TO_CHAR(MAX(checked_at), 'YYYYMMDD') AS day
    FROM ops.quality_results
    GROUP BY dag_id, run_id, task_id
    HAVING TO_CHAR(MAX(checked_at), 'YYYYMMDD') < %(day)s
    """,
)
_MEASURES = Rule(
    "ops.quality_measures",
    ("measure_id", "window_start", "window_end", "measured_at"),
    """
    SELECT measure_id, window_start, window_end, measured_at, TO_CHAR(measured_at, 'YYYYMMDD') AS day
    FROM ops.quality_measures
    WHERE TO_CHAR(measured_at, 'YYYYMMDD') < %(day)s
    """,
)
_WINDOW_CHANGES = Rule(
    "ops.changes",
    ("source_table", "load_id"),
    f"""
    SELECT DISTINCT source_table, load_id, LEFT(load_id, 8) AS day
    FROM ops.changes
    WHERE
        load_id < %(load_id)s AND window_start IS NOT NULL
        AND load_id IN ({_TAKEN_IN}) AND load_id NOT IN ({_NOT_BY_ALL})
    """,
)
_CHANGES_TAKEN = Rule(
    "ops.changes_taken",
    ("change_load_id",),
    """
    SELECT DISTINCT change_load_id, LEFT(change_load_id, 8) AS day
    FROM ops.changes_taken
    LEFT JOIN ops.changes ON changes_taken.change_load_id = changes.load_id
    WHERE change_load_id < %(load_id)s AND changes.load_id IS NULL
    """,
)


def _changes_without_rows(source: str) -> Rule:
    """Of changes without a window: an update finds rows by their load, and of these no row is left."""
    return Rule(
        "ops.changes",
        ("source_table", "load_id"),
        f"""
        SELECT DISTINCT source_table, load_id, LEFT(load_id, 8) AS day
        FROM ops.changes
        WHERE
            load_id < %(load_id)s AND window_start IS NULL AND source_table = {quote_literal(source)}
            AND load_id IN ({_TAKEN_IN}) AND load_id NOT IN ({_NOT_BY_ALL})
            AND load_id NOT IN (SELECT load_id FROM {quote_table(source)} WHERE load_id IS NOT NULL)
        """,
    )


def _loads(staging: Sequence[str]) -> Rule:
    """Loads that nothing names; a load whose window counts as staged has it as its window."""
    records = ("staged_files", "rejected_rows", "changes", "changes_taken", "sources", "retention")
    others = "\n".join(
        f"AND load_id NOT IN (SELECT load_id FROM {quote_table(table)} WHERE load_id IS NOT NULL)"
        for table in (*(f"ops.{name}" for name in records), *staging)
    )
    return Rule(
        "ops.loads",
        ("load_id",),
        f"""
        SELECT load_id, TO_CHAR(finished_at, 'YYYYMMDD') AS day
        FROM ops.loads
        WHERE
            TO_CHAR(finished_at, 'YYYYMMDD') < %(day)s
            AND (window_end IS NULL OR target_table NOT IN (SELECT dataset FROM ops.sources))
            {others}
        """,
    )


RECORDS = ("quality_results", "rejected_rows", "staged_files", "changes", "loads")
"""The tables of which old records may be forgotten, in an order in which one lets the next go on."""


def own_tables() -> list[str]:
    """Return the names of the tables of `ops`."""
    made = map(made_relation, with_ops(()))
    return [relation.name for relation in made if relation]


def forget_records(session: Session, name: str, before: datetime, log: Log) -> int:
    """Forget the records of one table from before a day, a month in each transaction; return how many.

    Args:
        session: a fresh session.
        name: one of RECORDS; `changes` is for `ops.changes_taken`, too, `rejected_rows` for those that are
            settled.
        before: the first day of which all stay, in naive UTC.
        log: how many records went.
    """
    rows = sum(_apply(session, rule, before) for rule in _rules(session, name))
    if rows and name == "loads":
        # That no load of a window is on record says nothing of the time before.
        with session.publishing(ledger.STAGED_FILES):
            raise_mark(session, "ops.loads", before, ledger.new_load_id())
    log.info("ops.%s: %d records of before %s forgotten.", name, rows, before.date())
    return rows


def _rules(session: Session, name: str) -> list[Rule]:
    staging = [str(row[0]) for row in session.query("SELECT DISTINCT dataset FROM ops.sources")]
    session.commit()
    rules = {
        "quality_results": [_RESULTS, _MEASURES],
        "rejected_rows": [_REJECTED, _SETTLED],
        "staged_files": [_VERSIONS],
        "changes": [_WINDOW_CHANGES, *map(_changes_without_rows, staging), _CHANGES_TAKEN],
        "loads": [_loads(staging)],
    }
    return rules[name]


def _apply(session: Session, rule: Rule, before: datetime) -> int:
    """Delete what a rule chooses: before any lock, because what it chooses once it always would."""
    select = rule.select
    # A definition cannot bind values.
    for name, value in (("day", f"{before:%Y%m%d}"), ("load_id", first_load_id(before))):
        select = select.replace(f"%({name})s", quote_literal(value))
    session.execute(f"DROP TABLE IF EXISTS {_CHOSEN}")
    session.execute(f"CREATE TEMP TABLE {_CHOSEN} AS\n{select}")
    months = session.query(f"SELECT DISTINCT LEFT(day, 6) AS month FROM {_CHOSEN} ORDER BY month")
    return sum(_delete(session, rule, str(month)) for (month,) in months)


def _delete(session: Session, rule: Rule, month: str) -> int:
    bare = rule.table.rpartition(".")[2]
    same = " AND ".join(f"{bare}.{name} = {_CHOSEN}.{name}" for name in map(quote_identifier, rule.keys))
    with session.publishing(ledger.STAGED_FILES):
        return session.execute(
            f"DELETE FROM {quote_table(rule.table)} USING {_CHOSEN}\n"
            f"WHERE {same} AND LEFT({_CHOSEN}.day, 6) = %(month)s",
            {"month": month},
        )
