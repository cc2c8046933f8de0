"""The log of unloads, written as the log of loads is: through a connection of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from sandbox.redshift.copy.history import utc_now
from sandbox.redshift.unload.files import UnloadedFile

_START = """
INSERT INTO pg_internal.unload (
    query_id, user_id, session_id, backend_start, transaction_id, database_name, query_text, location,
    file_format, compression_type, start_time
)
SELECT
    COALESCE(%(query_id)s, pg_catalog.nextval('pg_internal.query_id')),
    -- A login's name is a user's own, or has a prefix before it.
    (SELECT usesysid FROM pg_catalog.pg_user
    WHERE usename IN (%(user)s::text, pg_catalog.regexp_replace(%(user)s::text, '^IAMA?:', ''))
    ORDER BY usename = %(user)s::text DESC LIMIT 1), %(session_id)s,
    (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = %(session_id)s), %(transaction_id)s,
    %(database_name)s, %(query_text)s, %(location)s, %(file_format)s, %(compression_type)s, %(start_time)s
RETURNING pg_catalog.to_jsonb(unload), (SELECT usename::text FROM pg_catalog.pg_user WHERE usesysid = user_id)
"""


@dataclass(frozen=True)
class UnloadStart:
    """What is known of an unload before it reads anything."""

    session_id: int
    user: str
    database_name: str
    transaction_id: int | None
    query_text: str
    location: str
    file_format: str
    compression_type: str
    query_id: int | None = None


@dataclass
class UnloadTotals:
    """How an unload ended; `reached_unload` tells whether `pg_last_unload_id()` counts it."""

    status: str
    reached_unload: bool
    unloaded_rows: int = 0
    error_message: str | None = None
    files: Sequence[UnloadedFile] = field(default=())


class UnloadLog:
    """The log entries of one unload.

    Args:
        settings: The sandbox whose PostgreSQL keeps the log.
        start: The unload; it is visible with status 'running' from now on.

    Attributes:
        user: The database user who unloads, by the user's own name.
    """

    def __init__(self, settings: Settings, start: UnloadStart) -> None:
        self._connection = postgres.connect_log(settings, start.database_name)
        self._connection.execute("SELECT pg_internal.tidy_unloads()")
        values = {**vars(start), "start_time": utc_now()}
        found = self._connection.execute(_START, values).fetchone()
        assert found is not None  # noqa: S101 — INSERT … RETURNING returns its row
        self._unload: dict[str, object] = found[0]
        self.user: str = found[1] or start.user

    def end(self, totals: UnloadTotals) -> None:
        """Write how the unload ended, and close."""
        query_id = self._unload["query_id"]
        files = [
            {
                "query_id": query_id,
                "file_number": number,
                "path": file.url,
                "line_count": file.line_count,
                "transfer_size": file.transfer_size,
                "start_time": file.start_time.isoformat(),
                "end_time": file.end_time.isoformat(),
            }
            for number, file in enumerate(totals.files)
        ]
        ended = {
            "status": totals.status,
            "reached_unload": totals.reached_unload,
            "end_time": utc_now().isoformat(),
            "unloaded_rows": totals.unloaded_rows,
            "file_count": len(files),
            "file_bytes": sum(file.transfer_size for file in totals.files),
            "error_message": totals.error_message,
        }
        document = {"unload": {**self._unload, **ended}, "unload_file": files}
        with self._connection as connection, connection.transaction():
            record = "SELECT pg_internal.record_unload(%s::pg_catalog.jsonb)"
            connection.execute(record, [json.dumps(document)])
