"""Why COPY refused a row: file, line, column, value and reason, read from the load error tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparkify.failures import describe
from sparkify.text import printable
from sparkify.warehouse.session import Session

# STL_LOAD_ERRORS has the raw value but does not exist on Serverless; SYS_LOAD_ERROR_DETAIL is everywhere.
_STL = """
SELECT
    TRIM(filename), line_number, TRIM(colname), TRIM(type), TRIM(raw_field_value), TRIM(raw_line),
    err_code, TRIM(err_reason)
FROM stl_load_errors
WHERE
    session = %(pid)s
    AND query = COALESCE(%(copy_id)s, (SELECT MAX(query) FROM stl_load_errors WHERE session = %(pid)s))
ORDER BY filename, line_number
"""
_SYS = """
SELECT
    TRIM(file_name), line_number, TRIM(column_name), TRIM(column_type), NULL, NULL,
    error_code, TRIM(error_message)
FROM sys_load_error_detail
WHERE
    session_id = %(pid)s
    AND query_id = COALESCE(
        %(copy_id)s, (SELECT MAX(query_id) FROM sys_load_error_detail WHERE session_id = %(pid)s)
    )
ORDER BY file_name, line_number
"""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that COPY could not load; `line` counts from 1, `value` and `raw_line` may be unknown."""

    file: str
    line: int
    column: str
    column_type: str
    value: str | None
    raw_line: str | None
    code: int
    reason: str

    def __str__(self) -> str:
        value = "" if self.value is None else f", value {self.value!r}"
        column = f", column {self.column} ({self.column_type})" if self.column else ""
        text = f"{self.file} line {self.line}{column}{value}: {self.reason} (error {self.code})"
        return printable(text)


def is_data_error(error: BaseException) -> bool:
    """Tell whether COPY failed on its data, so that the load error tables hold the reason."""
    failure = describe(error)
    return failure is not None and "Load into table" in failure.message


def read_rejected_rows(
    session: Session, backend_pid: int, copy_id: int | None = None
) -> Sequence[RejectedRow]:
    """Return the rows that one COPY of a session rejected, in file and line order.

    Args:
        session: a session of the same database user with no transaction open.
        backend_pid: `pg_backend_pid()` of the session that copied.
        copy_id: its `pg_last_copy_id()`, which a rollback may not move; without it the newest COPY of the
            session that rejected anything is taken, which after a failed COPY is that one.
    """
    values = {"pid": backend_pid, "copy_id": copy_id}
    try:
        rows = session.query(_STL, values)
    except Exception as error:
        if describe(error) is None:
            raise
        session.rollback()
        rows = []
    # STL tables hold nothing of Serverless and of concurrency-scaling clusters.
    rows = rows or session.query(_SYS, values)
    return [RejectedRow(*row) for row in rows]


def summarize(rejected: Sequence[RejectedRow], most: int = 5) -> str:
    """Return the first `most` rejected rows, a line each, and how many more there are."""
    lines = [f"  {row}" for row in rejected[:most]]
    if len(rejected) > most:
        lines.append(f"  … and {len(rejected) - most} more")
    return "\n".join(lines)
