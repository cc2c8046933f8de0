"""The log of loads, written through a connection of its own so that it survives the client's rollback."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from sandbox.redshift.copy.errors import FatalError, Replacement

# STL_LOADERROR_DETAIL keeps the fields of the first 20 bad rows of a slice.
_DETAILED_ERRORS = 20
# Of rows with many long fields the first ones must do: all are held until the load ends.
_MOST_FIELDS = 5_000
# SYS_COPY_REPLACEMENTS keeps the first 100 rows of a slice.
_LOGGED_REPLACEMENTS = 100
# What a transaction that began before the load's end sees of its errors.
_REPEATED_ERRORS = 1000
_WRITE_ERRORS = 500

_START = """
INSERT INTO pg_internal.load (
    query_id, user_id, session_id, backend_start, transaction_id, database_name, table_id, table_name,
    query_text, data_source, file_format, start_time
)
SELECT
    COALESCE(%(query_id)s, pg_catalog.nextval('pg_internal.query_id')),
    -- A login's name is a user's own, or has a prefix before it.
    (SELECT usesysid FROM pg_catalog.pg_user
    WHERE usename IN (%(user)s::text, pg_catalog.regexp_replace(%(user)s::text, '^IAMA?:', ''))
    ORDER BY usename = %(user)s::text DESC LIMIT 1), %(session_id)s,
    (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = %(session_id)s), %(transaction_id)s,
    %(database_name)s, %(table_id)s, %(table_name)s, %(query_text)s, %(data_source)s,
    %(file_format)s, %(start_time)s
RETURNING pg_catalog.to_jsonb(load), (SELECT usename::text FROM pg_catalog.pg_user WHERE usesysid = user_id)
"""
_ADD_ERRORS = """
INSERT INTO pg_internal.load_error
SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::pg_internal.load_error, %s::pg_catalog.jsonb)
"""
_ADD_FIELDS = """
INSERT INTO pg_internal.load_error_field
SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::pg_internal.load_error_field, %s::pg_catalog.jsonb)
"""


@dataclass(frozen=True)
class LoadStart:
    """What is known of a load before it reads anything."""

    session_id: int
    user: str
    database_name: str
    transaction_id: int | None
    table_id: int
    table_name: str
    query_text: str
    data_source: str
    query_id: int | None = None
    file_format: str = "JSON"


@dataclass
class LoadedFile:
    """One file read by a load; sizes in bytes, times in UTC."""

    file_name: str
    bytes_scanned: int
    start_time: dt.datetime
    end_time: dt.datetime
    lines_scanned: int = 0
    error_count: int = 0
    file_etag: str = ""
    file_last_modified: dt.datetime | None = None


@dataclass
class LoadTotals:
    """How a load ended; `reached_load` tells whether `pg_last_copy_id()` counts it."""

    status: str
    reached_load: bool
    loaded_rows: int = 0
    loaded_bytes: int = 0
    error_message: str | None = None
    files: Sequence[LoadedFile] = field(default=())


class LoadLog:
    """The log entries of one load.

    Args:
        settings: The sandbox whose PostgreSQL keeps the log.
        start: The load; it is visible with status 'running' from now on.

    Attributes:
        user: The database user who loads, by the user's own name.
    """

    def __init__(self, settings: Settings, start: LoadStart) -> None:
        self._connection = postgres.connect_log(settings, start.database_name)
        self._connection.execute("SELECT pg_internal.tidy_loads()")
        values = {**vars(start), "start_time": utc_now()}
        found = self._connection.execute(_START, values).fetchone()
        assert found is not None  # noqa: S101 — INSERT … RETURNING returns its row
        self._load: dict[str, object] = found[0]
        self.user: str = found[1] or start.user
        self.error_count = 0
        self._unwritten: list[dict[str, object]] = []
        self._repeated: list[dict[str, object]] = []
        self._fields: list[dict[str, object]] = []
        self._replacements: list[Replacement] = []

    @property
    def query_id(self) -> int:
        """The load's number in the STL views."""
        return int(str(self._load["query_id"]))

    def add_error(self, error: FatalError) -> None:
        """Keep one rejected row."""
        row = self._error_row(error)
        self._unwritten.append(row)
        if self.error_count < _REPEATED_ERRORS:
            self._repeated.append(row)
        if self.error_count < _DETAILED_ERRORS and len(self._fields) < _MOST_FIELDS:
            self._fields += self._field_rows(error)
        self.error_count += 1
        if len(self._unwritten) >= _WRITE_ERRORS:
            self._write_errors()

    def add_replacements(self, replacements: Sequence[Replacement]) -> None:
        """Keep the rows with replaced characters, as far as Redshift does."""
        self._replacements += replacements[: _LOGGED_REPLACEMENTS - len(self._replacements)]

    def end(self, totals: LoadTotals) -> None:
        """Write how the load ended, and close."""
        files = [
            {"query_id": self.query_id, "file_number": number, **_as_json(file)}
            for number, file in enumerate(totals.files)
        ]
        ended = {
            "status": totals.status,
            "reached_load": totals.reached_load,
            "end_time": utc_now().isoformat(),
            "loaded_rows": totals.loaded_rows,
            "loaded_bytes": totals.loaded_bytes,
            "source_file_count": len(files),
            "source_file_bytes": sum(file.bytes_scanned for file in totals.files),
            "error_count": self.error_count,
            "error_message": totals.error_message,
        }
        document = {
            "load": {**self._load, **ended},
            "load_file": files,
            "load_replacement": self._replacement_rows(),
            "load_error": self._repeated,
            "load_error_field": self._fields,
        }
        with self._connection as connection, connection.transaction():
            self._write_errors()
            if self._fields:
                connection.execute(_ADD_FIELDS, [json.dumps(self._fields)])
            connection.execute("SELECT pg_internal.record_load(%s::pg_catalog.jsonb)", [json.dumps(document)])

    def _write_errors(self) -> None:
        if self._unwritten:
            self._connection.execute(_ADD_ERRORS, [json.dumps(self._unwritten)])
            self._unwritten = []

    def _error_row(self, error: FatalError) -> dict[str, object]:
        return {
            "query_id": self.query_id,
            "error_number": self.error_count,
            "file_name": error.file_name,
            "line_number": error.line_number,
            "column_name": error.column,
            "column_type": error.column_type,
            "column_length": error.column_length,
            "position": error.position,
            "raw_line": error.raw_line,
            "raw_value": error.raw_value,
            "error_code": error.code,
            "error_reason": error.reason,
        }

    def _replacement_rows(self) -> list[dict[str, object]]:
        return [
            {
                "query_id": self.query_id,
                "replacement_number": number,
                "file_name": row.file_name,
                "line_number": row.line_number,
                "column_name": row.column,
                "raw_line": row.raw_line,
            }
            for number, row in enumerate(self._replacements)
        ]

    def _field_rows(self, error: FatalError) -> list[dict[str, object]]:
        key = {"query_id": self.query_id, "error_number": self.error_count}
        return [{**key, "field": number, **vars(field)} for number, field in enumerate(error.fields)]


def utc_now() -> dt.datetime:
    """The time in UTC, without a zone, as Redshift's system views give it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _as_json(file: LoadedFile) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in vars(file).items()
    }
