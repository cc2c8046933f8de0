"""Rows of source files that are not staged, and why COPY refused them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.failures import describe
from sparkify.text import printable
from sparkify.warehouse.copy_history import CopyRecord, wait_for_rows
from sparkify.warehouse.session import Session

_ERRORS = """
SELECT
    TRIM(file_name), line_number, TRIM(column_name), TRIM(column_type), error_code, TRIM(error_message)
FROM sys_load_error_detail
WHERE query_id = %(query_id)s
ORDER BY file_name, line_number
"""
# Only here is the raw value, and not on Serverless.
_RAW = """
SELECT TRIM(filename), line_number, TRIM(colname), err_code, TRIM(raw_field_value), TRIM(raw_line)
FROM stl_load_errors
WHERE
    session = %(session_id)s
    AND query = (SELECT MAX(query) FROM stl_load_errors WHERE session = %(session_id)s)
"""
_PASSED_OVER = re.compile(r"(\d+) record\(s\) could not be loaded")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that is not staged; `line` counts from 1.

    Line, value and raw line may be unknown; only a row that COPY refused has an error code.
    """

    file: str
    line: int | None
    column: str
    column_type: str
    value: str | None
    raw_line: str | None
    code: int | None
    reason: str

    def __str__(self) -> str:
        value = "" if self.value is None else f", value {self.value!r}"
        column = f", column {self.column} ({self.column_type})" if self.column else ""
        line = "" if self.line is None else f" line {self.line}"
        code = "" if self.code is None else f" (error {self.code})"
        text = f"{self.file}{line}{column}{value}: {self.reason}{code}"
        return printable(text)


def is_data_error(error: BaseException) -> bool:
    """Tell whether COPY failed on its data, so that the load error tables hold the reason."""
    failure = describe(error)
    return failure is not None and "Load into table" in failure.message


def count_passed_over(notices: Sequence[str]) -> int:
    """Return how many rows COPY says it has passed over, from the notices that came with it."""
    return sum(int(match[1]) for notice in notices if (match := _PASSED_OVER.search(notice)))


def read_rejected_rows(session: Session, copy: CopyRecord) -> Sequence[RejectedRow]:
    """Return the rows that one COPY rejected, in file and line order.

    Args:
        session: the session that copied, with nothing that is not committed.
        copy: the COPY.
    """
    values = {"query_id": copy.query_id}
    rows = wait_for_rows(session, lambda: session.query(_ERRORS, values), copy.errors)
    raw = _read_raw(session, copy) if rows else {}
    found = []
    for file, line, column, column_type, code, reason in rows:
        value, text = raw.get((file, line, column, code), (None, None))
        found.append(RejectedRow(file, line, column, column_type, value, text, code, reason))
    return found


def _read_raw(session: Session, copy: CopyRecord) -> Mapping[tuple[Any, ...], tuple[Any, ...]]:
    """Return value and line of the newest errors of the session, which are those of a COPY that had any."""
    try:
        rows = session.query(_RAW, {"session_id": copy.session_id})
    except Exception as error:
        if describe(error) is None:
            raise
        session.rollback()
        return {}
    return {row[:4]: row[4:] for row in rows}


def summarize(rejected: Sequence[RejectedRow], most: int = 5) -> str:
    """Return the first `most` rejected rows, a line each, and how many more there are."""
    lines = [f"  {row}" for row in rejected[:most]]
    if len(rejected) > most:
        lines.append(f"  … and {len(rejected) - most} more")
    return "\n".join(lines)
