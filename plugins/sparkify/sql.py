"""SQL text: the one place that quotes identifiers and constants and turns named values into bound ones."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | date | datetime | None

_NAMED = re.compile(r"%\((\w+)\)s")
# What may hold a percent sign: a comment, a string constant, a placeholder, the sign alone.
_PIECE = re.compile(r"--[^\n]*|'(?:[^'\\]|\\.|'')*'|%\((?P<name>\w+)\)s|%", re.DOTALL)
_ESCAPED = re.compile(r"(?:'|\\)(.)", re.DOTALL)


def quote_identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier.

    Args:
        name: one identifier, without a schema. Redshift folds ASCII letters to lower case even inside
            quotes, so the result is lower case and means the same on PostgreSQL.

    Raises:
        ValueError: the name is empty, holds a NUL, or is longer than Redshift's 127 bytes.
    """
    if not name or "\0" in name or len(name.encode()) > 127:
        raise ValueError(f"Not a Redshift identifier (1 to 127 bytes, no NUL): {name!r}")
    return '"' + name.lower().replace('"', '""') + '"'


def quote_table(name: str) -> str:
    """Return `table` or `schema.table` with each part quoted.

    Raises:
        ValueError: there are more than two parts, or one of them is no identifier.
    """
    parts = name.split(".")
    if len(parts) > 2:
        raise ValueError(f"Not a table name (table or schema.table): {name!r}")
    return ".".join(quote_identifier(part) for part in parts)


def quote_columns(names: Sequence[str], prefix: str = "") -> str:
    """Return column names quoted and joined by commas, each after `prefix` (such as `alias.`)."""
    return ", ".join(prefix + quote_identifier(name) for name in names)


def quote_literal(value: Value) -> str:
    """Return `value` as an SQL constant, for the statements that cannot bind (COPY) and for display.

    Backslashes are doubled because Redshift reads them as escapes in ordinary literals.

    Raises:
        ValueError: the text holds a NUL, which no Redshift string can.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    if "\0" in text:
        raise ValueError("A Redshift string cannot hold a NUL character")
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def bind(sql: str, values: Mapping[str, Value]) -> tuple[str, list[Value]]:
    """Turn `%(name)s` placeholders into the positional `%s` that every driver here understands.

    Any other percent sign stays what it is, so a statement with LIKE '%x%' needs no escaping in its file:
    constants that hold one are bound too, because drivers disagree on whether `%%` inside quotes is one sign.

    Args:
        sql: one statement.
        values: the values of its placeholders; names it does not use are left out.

    Returns:
        The statement and its values in order.

    Raises:
        KeyError: the statement names a value that is not given.
    """
    bound: list[Value] = []

    def replace(match: re.Match[str]) -> str:
        text, name = match.group(), match.group("name")
        if name is not None:
            if name not in values:
                raise KeyError(f"The SQL uses %({name})s; the values here are: {', '.join(values) or 'none'}")
            bound.append(values[name])
            return "%s"
        if text.startswith("'") and "%" in text:
            bound.append(_ESCAPED.sub(r"\1", text[1:-1]))
            return "%s"
        return text.replace("%", "%%")

    return _PIECE.sub(replace, sql), bound


def display(sql: str, values: Mapping[str, Value]) -> str:
    """Return `sql` with its values written in, for logs and the UI; never to be executed."""
    return _NAMED.sub(lambda match: quote_literal(values.get(match.group(1))), sql).strip()
