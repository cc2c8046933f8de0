"""What a COPY's log has beside that of every transfer: rejected rows, and those with replaced characters."""

import json
from collections.abc import Sequence

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.errors import FatalError, Replacement
from sandbox.redshift.transfer_log import TransferLog, TransferStart

# STL_LOADERROR_DETAIL keeps the fields of the first 20 bad rows of a slice.
_DETAILED_ERRORS = 20
# Of rows with many long fields the first ones must do: all are held until the load ends.
_MOST_FIELDS = 5_000
# SYS_COPY_REPLACEMENTS keeps the first 100 rows of a slice.
_LOGGED_REPLACEMENTS = 100
# What a transaction that began before the load's end sees of its errors.
_REPEATED_ERRORS = 1000
_WRITE_ERRORS = 500

_ADD_ERRORS = """
INSERT INTO pg_internal.load_error
SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::pg_internal.load_error, %s::pg_catalog.jsonb)
"""
_ADD_FIELDS = """
INSERT INTO pg_internal.load_error_field
SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::pg_internal.load_error_field, %s::pg_catalog.jsonb)
"""


class LoadLog(TransferLog):
    """The log entries of one COPY: also the rows it rejects, and those in which it replaces characters.

    Args:
        settings: The sandbox whose PostgreSQL keeps the log.
        start: The COPY; it is visible with status 'running' from now on.
    """

    def __init__(self, settings: Settings, start: TransferStart) -> None:
        super().__init__(settings, start)
        self._unwritten: list[dict[str, object]] = []
        self._repeated: list[dict[str, object]] = []
        self._fields: list[dict[str, object]] = []
        self._replacements: list[Replacement] = []

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

    def _write_details(self) -> dict[str, object]:
        self._write_errors()
        if self._fields:
            self._connection.execute(_ADD_FIELDS, [json.dumps(self._fields)])
        return {
            "load_replacement": self._replacement_rows(),
            "load_error": self._repeated,
            "load_error_field": self._fields,
        }

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
