"""What Redshift keeps of one COPY, found by its manifest, whose name no other COPY has.

Never by an id: those of the SYS views are of another space than those of the STL tables, and
`pg_last_copy_id()` is documented as being of either (Database Developer Guide, "System tables and views" and
"SYS_LOAD_DETAIL").
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.failures import TransientError
from sparkify.warehouse.session import Session

# Rows come to the SYS views some time after the statement; no guide says when at the latest.
LONGEST_LAG_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 5.0
# UNCONFIRMED: the guide says "the Amazon S3 location of files input to be copied" and shows no manifest.
_COPY = """
SELECT query_id, error_count
FROM sys_load_history
WHERE session_id = %(session_id)s AND data_source = %(manifest)s AND status <> 'running'
"""


@dataclass(frozen=True, slots=True)
class CopyRecord:
    """One COPY that has ended: its id in the SYS views, its session, and how many errors it counted."""

    query_id: int
    session_id: int
    errors: int


def find_copy(session: Session, manifest: str) -> CopyRecord:
    """Return the record of a COPY of this session.

    Args:
        session: the session, with nothing that is not committed.
        manifest: the address of the COPY's manifest.

    Raises:
        TransientError: the record has not come within a minute.
    """
    values = {"session_id": session.scalar("SELECT pg_backend_pid()"), "manifest": manifest}
    rows = wait_for_rows(session, lambda: session.query(_COPY, values), 1)
    if not rows:
        raise TransientError(
            f"SYS_LOAD_HISTORY does not show the COPY of {manifest} after {LONGEST_LAG_SECONDS:g} s, so "
            "nobody knows which rows it passed over"
        )
    return CopyRecord(rows[0][0], values["session_id"], rows[0][1] or 0)


def wait_for_rows(
    session: Session, query: Callable[[], Sequence[tuple[Any, ...]]], least: int
) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a SYS view as soon as there are `least`, or those that there are after a minute."""
    end, pause = time.monotonic() + LONGEST_LAG_SECONDS, 0.25
    while True:
        rows = query()
        # The next look is to be at what is there then.
        session.commit()
        if len(rows) >= least or time.monotonic() >= end:
            return rows
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
