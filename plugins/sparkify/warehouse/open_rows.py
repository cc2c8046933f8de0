"""Rows that no load took: open until a load stages their file, settled from then on, each once.

`ops.rejected_rows` has those that a load left out, `ops.refused_rows` those because of which one failed. The
load that stages a file moves what it no longer finds to `ops.settled_rows`, in the transaction of its rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sparkify.text import cut, printable
from sparkify.warehouse import ledger
from sparkify.warehouse.ledger import TaskRun
from sparkify.warehouse.rejected_rows import RejectedRow
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, named_values
from sparkify.window import Window

REJECTED, REFUSED, SETTLED = "ops.rejected_rows", "ops.refused_rows", "ops.settled_rows"

_COLUMNS = ("file", "line", "column", "value", "reason", "raw_text", "load_id")
_NAMES = 'file, line, "column", value, reason, raw_text, load_id'
_OPEN = f"""
SELECT {_NAMES}
FROM {REJECTED}
WHERE {{condition}}
UNION ALL
SELECT {_NAMES}
FROM {REFUSED}
WHERE {{condition}}
"""
_NOT_STAGED = (
    "file || ' ' || load_id NOT IN (SELECT 's3://' || bucket || '/' || key || ' ' || load_id "
    "FROM ops.staged_files)"
)
_FOUND = f"""
SELECT
    {", ".join(f'rejected_rows."{name}"' for name in _COLUMNS)},
    staged_files.etag, loads.window_start, loads.window_end, 0 AS is_refused
FROM {REJECTED}
LEFT JOIN ops.loads ON rejected_rows.load_id = loads.load_id
LEFT JOIN ops.staged_files
    ON
        rejected_rows.load_id = staged_files.load_id
        AND rejected_rows.file = 's3://' || staged_files.bucket || '/' || staged_files.key
WHERE LEFT(rejected_rows.file, %(length)s) = %(place)s
UNION ALL
SELECT {_NAMES}, etag, window_start, window_end, 1
FROM {REFUSED}
WHERE LEFT(file, %(length)s) = %(place)s
ORDER BY file, line, is_refused
"""


@dataclass(frozen=True, slots=True)
class OpenRow:
    """One row that no load took.

    Args:
        file: its address.
        line: from 1; None where it is not known.
        raw_text: the row, or its beginning; None where Redshift does not tell.
        load_id: the load that left it, or failed because of it.
        etag: the version of the file that it was found in; None where that is not known.
        window: of the load or, if that failed, of its run.
        is_refused: whether its load failed because of it.
    """

    file: str
    line: int | None
    column: str
    value: str | None
    reason: str
    raw_text: str | None
    load_id: str
    etag: str | None
    window: Window | None
    is_refused: bool

    @property
    def found_at(self) -> datetime:
        """When its load began, naive UTC."""
        return ledger.began_at(self.load_id)

    def __str__(self) -> str:
        line = "" if self.line is None else f" line {self.line}"
        value = "" if self.value is None else f", value {self.value!r}"
        return printable(f"{self.file}{line}, column {self.column}{value}: {self.reason}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A load that failed because of rows.

    Args:
        load_id: the load.
        run: whose it was.
        table: what it would have loaded.
        window: the window of its run, if that has one.
        rows: the rows that it named.
        etags: the version of each of their files, by its address.
    """

    load_id: str
    run: TaskRun
    table: str
    window: Window | None
    rows: Sequence[RejectedRow]
    etags: Mapping[str, str]


def find_open(session: Session, place: str) -> list[OpenRow]:
    """Return the open rows of files, in the order of files and lines, each once.

    Args:
        session: with or without a transaction open.
        place: what the addresses of the files begin with.
    """
    found: dict[tuple[object, ...], OpenRow] = {}
    for *row, start, end, is_refused in session.ask(_FOUND, {"place": place, "length": len(place)}):
        window = Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) if start else None
        given = dict(zip((*_COLUMNS, "etag"), row, strict=True))
        one = OpenRow(**given, window=window, is_refused=bool(is_refused))
        # Of a load that failed over a row that an earlier one left out the window is still to be loaded.
        found[one.file, one.line, one.raw_text if one.line is None else None] = one
    return list(found.values())


def record(session: Session, load_id: str, rows: Sequence[RejectedRow], files: str) -> None:
    """Keep the rejected rows of a load; those that earlier loads of its files left, and it did not, settle.

    Args:
        session: inside the transaction of the load.
        load_id: the load.
        rows: what it did not stage.
        files: the table of its files, with columns `bucket` and `key`.
    """
    condition = f"file IN (SELECT 's3://' || bucket || '/' || key FROM {files})"
    before = session.query(_OPEN.format(condition=condition))
    if before:
        for table in (REJECTED, REFUSED):
            session.execute(f"DELETE FROM {table} WHERE {condition}")
    if rows:
        places, values = named_values("file", sorted({row.file for row in rows}))
        # Of a file that is left for later stays what its staged version left.
        session.execute(f"DELETE FROM {REJECTED} WHERE file IN ({places}) AND {_NOT_STAGED}", values)
        session.insert_rows(REJECTED, _COLUMNS, [_values(row, load_id) for row in rows])
    now = ledger.utc_now()
    settled = [(*row, load_id, now) for row in _gone(before, rows)]
    session.insert_rows(SETTLED, (*_COLUMNS, "settled_by", "settled_at"), settled)


def record_refusal(session: Session, refusal: Refusal) -> None:
    """Keep the rows because of which a load failed, in place of those of earlier loads that failed.

    Args:
        session: with nothing that is not committed; it is committed here.
        refusal: the load. Rows of files that another load has staged since it began are left out.
    """
    run, since = refusal.run, ledger.began_at(refusal.load_id)
    window = refusal.window.values if refusal.window else {"window_start": None, "window_end": None}
    more = {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "task_id": run.task_id,
        "target_table": refusal.table,
        **window,
        "refused_at": ledger.utc_now(),
    }
    with session.publishing(ledger.STAGED_FILES):
        staged = _staged_since(session, refusal.table, since)
        rows = [row for row in refusal.rows if row.file not in staged]
        if rows:
            places, values = named_values("file", sorted({row.file for row in rows}))
            session.execute(f"DELETE FROM {REFUSED} WHERE file IN ({places})", values)
        columns = (*_COLUMNS, "etag", *more)
        kept = [(*_values(row, refusal.load_id), refusal.etags.get(row.file), *more.values()) for row in rows]
        session.insert_rows(REFUSED, columns, kept)


def _staged_since(session: Session, table: str, since: datetime) -> set[str]:
    rows = session.query(
        "SELECT 's3://' || bucket || '/' || key FROM ops.staged_files "
        "WHERE dataset = %(table)s AND staged_at >= %(since)s",
        {"table": table, "since": since},
    )
    return {str(file) for (file,) in rows}


def _gone(before: Sequence[tuple[Value, ...]], rows: Sequence[RejectedRow]) -> list[tuple[Value, ...]]:
    """Return those of the rows before that are not among the new ones, each once."""
    left = Counter(_identity(_values(row, "")) for row in rows)
    gone: dict[tuple[Value, ...], tuple[Value, ...]] = {}
    for row in before:
        identity = _identity(row)
        if left[identity] > 0:
            left[identity] -= 1
        else:
            gone[(*identity, row[1])] = row
    return list(gone.values())


def _identity(row: Sequence[Value]) -> tuple[Value, ...]:
    """Return what tells a rejected row from others: its text where that is known, because lines shift."""
    file, line, column, value, _, text, *_ = row
    return (file, column, value, text if text is not None else line)


def _values(row: RejectedRow, load_id: str) -> tuple[str | int | None, ...]:
    value = None if row.value is None else cut(row.value, 1024)
    text = None if row.raw_line is None else cut(row.raw_line, 4096)
    return (row.file, row.line, row.column, value, cut(row.reason, 512), text, load_id)
