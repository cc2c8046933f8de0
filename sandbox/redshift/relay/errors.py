"""PostgreSQL's errors in Redshift's words, where Redshift says something else."""

import re
from collections.abc import Callable
from dataclasses import replace

from sandbox.redshift.dialect.system_views import missing_view
from sandbox.redshift.error_fields import ErrorFields

INTERNAL_ERROR = "XX000"

# CREATE TABLE names the constraints that count a column's bytes this way, see `ddl`.
BYTES_CONSTRAINT = re.compile(r"^(character(?: varying)?\(\d+\)) bytes: ")

# A statement that asks whether an object is there: one that is has come to be since.
_IF_ABSENT = re.compile(r"\bCREATE\s+(?:\w+\s+){1,3}IF\s+NOT\s+EXISTS\b", re.IGNORECASE)
_IS_THERE = ("42P06", "42P07", "42710")
# The type of a constant without one, as PostgreSQL 16 writes it.
_UNKNOWN = re.compile(r'(?<!")\bunknown\b(?!")')


def redshift_error(error: ErrorFields, statement: str = "") -> ErrorFields:
    """The error Redshift reports where PostgreSQL reports this one.

    Args:
        error: as PostgreSQL words it.
        statement: what it answers, as the client wrote it; empty where that tells nothing.
    """
    if error.sqlstate in _IS_THERE and _IF_ABSENT.search(statement):
        return _serialization(error)
    rule = _RULES.get(error.sqlstate)
    return rule(error) if rule else error


def _not_null(error: ErrorFields) -> ErrorFields:
    # PostgreSQL's detail shows the whole row, which Redshift does not.
    message = f"Cannot insert a NULL value into column {error.other('c')}"
    return replace(error.without("n", "d"), sqlstate=INTERNAL_ERROR, message=message, detail=None)


def _check(error: ErrorFields) -> ErrorFields:
    found = BYTES_CONSTRAINT.match(error.other("n"))
    if not found:
        return error
    message = f"value too long for type {found[1]}"
    return replace(error.without("n"), sqlstate="22001", message=message, detail=None)


def _serialization(error: ErrorFields) -> ErrorFields:
    detail = f"Serializable isolation violation on table - PostgreSQL: {error.message}"
    return replace(error, sqlstate=INTERNAL_ERROR, message="1023", detail=detail)


def _same_object(error: ErrorFields) -> ErrorFields:
    """Two sessions made the same object at once; no key of a user's table is ever enforced."""
    return _serialization(error) if error.other("s") == "pg_catalog" else error


def _same_type(error: ErrorFields) -> ErrorFields:
    """A table's row type is looked for after the table: whoever finds only that was overtaken in between."""
    return _serialization(error) if error.other("R") == "TypeCreate" else error


def _no_function(error: ErrorFields) -> ErrorFields:
    """In the words of PostgreSQL 8.0, as github.com/OHDSI/CohortConstructor, issue 337, quotes Redshift."""
    message = _UNKNOWN.sub('"unknown"', error.message.replace("pg_internal.", "pg_catalog."))
    hint = error.hint and error.hint.replace("You might need", "You may need")
    return replace(error, message=message, hint=hint)


def _internal(error: ErrorFields) -> ErrorFields:
    return _serialization(error) if error.message.startswith("tuple concurrently") else error


def _many_matches(error: ErrorFields) -> ErrorFields:
    if "MERGE" not in error.message:
        return error
    message = "Found multiple matches to update the same tuple."
    return replace(error, sqlstate=INTERNAL_ERROR, message=message, hint=None)


def _password(error: ErrorFields) -> ErrorFields:
    # PostgreSQL 8.0, Redshift's ancestor, had no 28P01; redshift_connector raises InterfaceError for 28000.
    return replace(error, sqlstate="28000")


_RULES: dict[str, Callable[[ErrorFields], ErrorFields]] = {
    "42P01": missing_view,
    "23502": _not_null,
    "23514": _check,
    "23505": _same_object,
    "42710": _same_type,
    "42725": _no_function,
    "42883": _no_function,
    "40001": _serialization,
    "XX000": _internal,
    "21000": _many_matches,
    "28P01": _password,
}
