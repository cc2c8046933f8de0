"""The log of COPYs and UNLOADs, through a connection of its own: it survives the client's rollback."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.parts import postgres
from sandbox.parts.settings import Settings

_START = """
INSERT INTO pg_internal.transfer (
    query_id, kind, user_id, session_id, backend_start, transaction_id, database_name, query_text, location,
    file_format, table_id, table_name, compression_type, start_time
)
SELECT
    COALESCE(%(query_id)s, pg_catalog.nextval('pg_internal.query_id')), %(kind)s,
    -- A login's name is a user's own, or has a prefix before it.
    (SELECT usesysid FROM pg_catalog.pg_user
    WHERE usename IN (%(user)s::text, pg_catalog.regexp_replace(%(user)s::text, '^IAMA?:', ''))
    ORDER BY usename = %(user)s::text DESC LIMIT 1), %(session_id)s,
    (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = %(session_id)s), %(transaction_id)s,
    %(database_name)s, %(query_text)s, %(location)s, %(file_format)s, %(table_id)s, %(table_name)s,
    %(compression_type)s, %(start_time)s
RETURNING
    pg_catalog.to_jsonb(transfer),
    (SELECT usename::text FROM pg_catalog.pg_user WHERE usesysid = user_id)
"""
_END = "SELECT pg_internal.record_transfer(%s::pg_catalog.jsonb)"


@dataclass(frozen=True)
class TransferStart:
    """What is known of a COPY or an UNLOAD before it reads anything.

    Args:
        kind: 'COPY' or 'UNLOAD'.
        location: Where it reads, or writes.
        query_id: Its number in the STL views, if it has one already.
        table_id: OID of a COPY's target.
        compression_type: Of an UNLOAD's files, in lower case.
    """

    kind: str
    session_id: int
    user: str
    database_name: str
    transaction_id: int | None
    query_text: str
    location: str
    file_format: str
    query_id: int | None = None
    table_id: int | None = None
    table_name: str | None = None
    compression_type: str | None = None


@dataclass
class TransferredFile:
    """One file that was read or written; its size in bytes, times in UTC."""

    url: str
    size: int
    start_time: dt.datetime
    end_time: dt.datetime
    line_count: int = 0
    error_count: int = 0
    etag: str = ""
    last_modified: dt.datetime | None = None


@dataclass
class TransferTotals:
    """How it ended; `reached_rows` tells whether `pg_last_copy_id()` or `pg_last_unload_id()` counts it."""

    status: str
    reached_rows: bool
    row_count: int = 0
    byte_count: int = 0
    error_message: str | None = None
    files: Sequence[TransferredFile] = field(default=())


class TransferLog:
    """The log entries of one COPY or UNLOAD.

    Args:
        settings: The sandbox whose PostgreSQL keeps the log.
        start: The statement; it is visible with status 'running' from now on.

    Attributes:
        user: The database user who runs it, by the user's own name.
        query_id: Its number in the STL views.
        error_count: The rows it has rejected.
    """

    def __init__(self, settings: Settings, start: TransferStart) -> None:
        self._connection = postgres.connect_log(settings, start.database_name)
        self._connection.execute("SELECT pg_internal.tidy_transfers()")
        values = {**vars(start), "start_time": utc_now()}
        found = self._connection.execute(_START, values).fetchone()
        assert found is not None  # noqa: S101 — INSERT … RETURNING returns its row
        self._transfer: dict[str, object] = found[0]
        self.user: str = found[1] or start.user
        self.query_id: int = found[0]["query_id"]
        self.error_count = 0

    def end(self, totals: TransferTotals) -> None:
        """Write how it ended, and close."""
        ended = {
            "status": totals.status,
            "reached_rows": totals.reached_rows,
            "end_time": utc_now().isoformat(),
            "row_count": totals.row_count,
            "byte_count": totals.byte_count,
            "file_count": len(totals.files),
            "file_bytes": sum(file.size for file in totals.files),
            "error_count": self.error_count,
            "error_message": totals.error_message,
        }
        files = [
            {"query_id": self.query_id, "file_number": number, **_as_json(file)}
            for number, file in enumerate(totals.files)
        ]
        with self._connection as connection, connection.transaction():
            document = {
                "transfer": {**self._transfer, **ended},
                "transfer_file": files,
                **self._write_details(),
            }
            connection.execute(
                "SELECT pg_internal.record_transfer(%s::pg_catalog.jsonb)", [json.dumps(document)]
            )

    def _write_details(self) -> dict[str, object]:
        """Write what only one kind has; return what the document repeats of it."""
        return {}


def utc_now() -> dt.datetime:
    """The time in UTC, without a zone, as Redshift's system views give it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _as_json(file: TransferredFile) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in vars(file).items()
    }
