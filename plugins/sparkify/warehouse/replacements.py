"""Characters that COPY replaced under ACCEPTINVCHARS, as far as Redshift tells."""

from sparkify.text import printable
from sparkify.warehouse.copy_history import CopyRecord
from sparkify.warehouse.session import Session

# Redshift logs the first 100 such rows of each slice, but not which slice it was: from 100 rows on there may
# be more than it says (Database Developer Guide, "SYS_COPY_REPLACEMENTS").
_LOGGED_BY_SLICE = 100
_SHOWN = 5
# STL_REPLACEMENTS would say no more, and has nothing of Serverless and of concurrency-scaling clusters.
_ROWS = """
SELECT TRIM(file_name), line_number, TRIM(column_name)
FROM sys_copy_replacements
WHERE query_id = %(query_id)s
ORDER BY file_name, line_number
"""


def describe_replacements(session: Session, copy: CopyRecord) -> str:
    """Return in how many rows a COPY replaced characters; an empty text if in none.

    The first of them follow, a line each: file, line and the first such column.
    """
    rows = session.query(_ROWS, {"query_id": copy.query_id})
    if not rows:
        return ""
    least = "at least " if len(rows) >= _LOGGED_BY_SLICE else ""
    lines = [printable(f"  {file} line {line}, column {column}") for file, line, column in rows[:_SHOWN]]
    more = [f"  … and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
    return "\n".join([f"{least}{len(rows)} rows:", *lines, *more])
