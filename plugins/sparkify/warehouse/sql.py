"""SQL text: the one place that quotes identifiers and constants and binds named values."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

Value: TypeAlias = str | int | float | bool | date | datetime | None

# What a placeholder or a semicolon may stand in without being one: comments, constants, quoted names. The
# opening of a block comment only, because they nest.
_PIECE = re.compile(
    r"--[^\n]*|(?P<comment>/\*)|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"]|\"\")*\""
    r"|(?P<tag>(?<![\w$])\$(?:[^\W\d]\w*)?\$).*?(?P=tag)|%\((?P<name>\w+)\)s|(?P<end>;)",
    re.DOTALL,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_BLANK = re.compile(r"\s+|--[^\n]*|(?P<comment>/\*)")
MARKS = {"qmark": "?", "numeric": ":", "format": "%"}
"""The character that stands for a value, by redshift_connector's style."""


def quote_user(name: str) -> str:
    """Return a user's name as a quoted SQL identifier with its capitals, which IAM's identities have."""
    return '"' + name.replace('"', '""') + '"'


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


def execute(cursor: Any, sql: str, values: Mapping[str, Value]) -> None:  # noqa: ANN401 - a driver's own
    """Run one statement, its `%(name)s` placeholders bound; all else reaches the server byte for byte.

    A percent sign, in a constant or as an operator, needs no escaping: what each driver would take for a
    placeholder of its own is kept from it.

    Args:
        cursor: of redshift_connector, or of a driver that formats the text itself (psycopg2, psycopg).
        sql: the statement.
        values: the values of its placeholders; names it does not use are left out.

    Raises:
        KeyError: the statement names a value that is not given.
    """
    pieces = _pieces(sql)
    bound = [_value(values, name) for _, name in pieces if name]
    if not bound:
        # No driver looks at the text of a statement without values.
        cursor.execute(sql, None)
    elif type(cursor).__module__.startswith("redshift_connector"):
        numbers = itertools.count(1)
        text = "".join(f"${next(numbers)}" if name else text for text, name in pieces)
        cursor.paramstyle = _style_that_keeps(text)
        cursor.execute(text, bound)
    else:
        cursor.execute("".join("%s" if name else text.replace("%", "%%") for text, name in pieces), bound)


def _value(values: Mapping[str, Value], name: str) -> Value:
    if name not in values:
        raise KeyError(f"The SQL uses %({name})s; the values here are: {', '.join(values) or 'none'}")
    return values[name]


def _style_that_keeps(text: str) -> str:
    """Return the placeholder style under which redshift_connector sends a text with `$1` as it is.

    Each style changes one character outside of what the driver takes for constants, comments and names; its
    scanner does not know that a backslash escapes, nor what a dollar-quoted constant is.
    """
    for style, mark in MARKS.items():
        if mark not in text:
            return style
    from redshift_connector.core import convert_paramstyle  # noqa: PLC0415 - DAG files need no driver

    for style in ("qmark", "numeric"):
        if convert_paramstyle(style, text)[0] == text:
            return style
    raise ValueError(
        "redshift_connector would change this statement: it takes a part of a constant for the statement. "
        f"Double the quotes inside constants instead of escaping them by a backslash: {text}"
    )


def split_statements(sql: str) -> list[str]:
    """Return the statements of a text without the semicolons that end them, comments before each with it.

    A semicolon in a constant, comment or quoted name ends nothing; where only comments stand is no statement.
    """
    ends = [mark.start() for mark in _marks(sql) if mark["end"]]
    starts = [0, *(end + 1 for end in ends)]
    texts = [sql[start:end].strip() for start, end in zip(starts, [*ends, len(sql)], strict=True)]
    return [text for text in texts if not _is_blank(text)]


def _is_blank(sql: str) -> bool:
    at = 0
    while match := _BLANK.match(sql, at):
        at = _end(sql, match)
    return at == len(sql)


def _pieces(sql: str) -> list[tuple[str, str]]:
    """Return the text in pieces, and with each the name of the placeholder that it is, or an empty one."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for mark in _marks(sql):
        if mark["name"]:
            pieces += [(sql[at : mark.start()], ""), (mark[0], mark["name"])]
            at = mark.end()
    return [*pieces, (sql[at:], "")]


def _marks(sql: str) -> Iterator[re.Match[str]]:
    """Yield the placeholders of a text, and the semicolons that end its statements."""
    at = 0
    while match := _PIECE.search(sql, at):
        at = _end(sql, match)
        if match["name"] or match["end"]:
            yield match


def _end(sql: str, match: re.Match[str]) -> int:
    return _comment_end(sql, match.end()) if match["comment"] else match.end()


def _comment_end(sql: str, at: int) -> int:
    """Return where a block comment ends whose first mark ends at `at`; comments nest."""
    depth = 1
    while depth and (mark := _COMMENT_MARK.search(sql, at)):
        depth += 1 if mark[0] == "/*" else -1
        at = mark.end()
    return len(sql) if depth else at


def display(sql: str, values: Mapping[str, Value]) -> str:
    """Return `sql` with its values written in, for logs and the UI; never to be executed."""
    return "".join(quote_literal(values.get(name)) if name else text for text, name in _pieces(sql)).strip()


def named_values(prefix: str, names: Sequence[Value]) -> tuple[str, dict[str, Value]]:
    """Return values as placeholders for an IN, and by their names."""
    values: dict[str, Value] = {f"{prefix}{number}": name for number, name in enumerate(names)}
    return ", ".join(f"%({name})s" for name in values), values


def rows_of_values(rows: Sequence[Sequence[Value]]) -> tuple[str, dict[str, Value]]:
    """Return what follows VALUES, and its values by name.

    redshift_connector types whole numbers by their size, and the rows of one VALUES must agree.
    """
    whole = {j for row in rows for j, value in enumerate(row) if type(value) is int}
    values = {f"v{i}_{j}": value for i, row in enumerate(rows) for j, value in enumerate(row)}
    places = (
        ", ".join(f"CAST(%(v{i}_{j})s AS BIGINT)" if j in whole else f"%(v{i}_{j})s" for j in range(len(row)))
        for i, row in enumerate(rows)
    )
    return ", ".join(f"({place})" for place in places), values
