"""What pages ask the mirror about staged files and rejected rows."""

import sqlite3
from dataclasses import dataclass, fields
from datetime import datetime

from sparkify_watch.mirror.read import FIRST, Part, Place, part


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A version of a source file that was staged; sizes in bytes. One that has gone has no etag."""

    dataset: str
    bucket: str
    key: str
    etag: str
    size: int
    last_modified: datetime
    load_id: str
    staged_at: datetime


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row of a source file that was not staged; what is not known of it is None.

    Args:
        load_id: the load that left it out, or that failed because of it.
        is_refused: the latter.
    """

    file: str
    line: int | None
    column_name: str | None
    value: str | None
    reason: str | None
    raw_text: str | None
    load_id: str
    is_refused: bool


_FILE = ", ".join(field.name for field in fields(StagedFile))
_REJECTED = ", ".join(field.name for field in fields(RejectedRow)[:-1])
REJECTED = f"""
    SELECT {_REJECTED}, 0 AS is_refused FROM rejected_rows WHERE {{condition}}
    UNION ALL
    SELECT {_REJECTED}, 1 FROM refused_rows WHERE {{condition}}
    ORDER BY load_id DESC, file, line
"""
"""The query of rejected rows and of those that loads have refused; it has its values twice."""
_SEARCHED = ("file", "column_name", "value", "reason", "raw_text")


def staged_files(db: sqlite3.Connection, owner: str, search: str = "", at: Place = FIRST) -> Part[StagedFile]:
    """Return versions of files that were staged, the one staged last first.

    Args:
        db: the mirror.
        owner: the dataset's name.
        search: only files whose key has this in it, whatever its capitals.
        at: which page of them.
    """
    condition, values = "owner = ?", [owner]
    if search:
        condition, values = f"{condition} AND {_like('key')}", [owner, _pattern(search)]
    sql = f"SELECT {_FILE} FROM staged_files WHERE {condition} ORDER BY staged_at DESC, id DESC"
    return part(db, sql, values, StagedFile, at)


def count_files(db: sqlite3.Connection, owner: str) -> int:
    """Return how many versions of files are on record."""
    return int(db.execute("SELECT COUNT(*) FROM staged_files WHERE owner = ?", (owner,)).fetchone()[0])


def rejected_rows(
    db: sqlite3.Connection, owner: str, load_id: str = "", search: str = "", at: Place = FIRST
) -> Part[RejectedRow]:
    """Return rejected rows, those of the newest load first, in the order of their lines.

    Args:
        db: the mirror.
        owner: the dataset's name.
        load_id: only those of this load.
        search: only rows that have this in file, column, value, reason or text, whatever its capitals.
        at: which page of them.
    """
    conditions, values = ["owner = ?"], [owner]
    if load_id:
        conditions, values = [*conditions, "load_id = ?"], [*values, load_id]
    if search:
        conditions.append(f"({' OR '.join(map(_like, _SEARCHED))})")
        values += [_pattern(search)] * len(_SEARCHED)
    sql = REJECTED.format(condition=" AND ".join(conditions))
    return part(db, sql, [*values, *values], RejectedRow, at)


def count_rejected(db: sqlite3.Connection, owner: str) -> int:
    """Return how many rows are on record as rejected, those because of which loads failed among them."""
    counts = [
        db.execute(f"SELECT COUNT(*) FROM {table} WHERE owner = ?", (owner,)).fetchone()[0]
        for table in ("rejected_rows", "refused_rows")
    ]
    return sum(counts)


def _like(column: str) -> str:
    return f"{column} LIKE ? ESCAPE '\\'"


def _pattern(search: str) -> str:
    for special in ("\\", "%", "_"):
        search = search.replace(special, f"\\{special}")
    return f"%{search}%"
