"""Rows as lines of text: delimited, CSV, fixed widths or JSON, by the guide's page "UNLOAD"."""

import re
from collections.abc import Callable, Sequence

import orjson

from sandbox.redshift.copy.errors import INVALID_PARAMETER, CopyError
from sandbox.redshift.unload.columns import NUMBERS, TEXTS, UnloadColumn
from sandbox.redshift.unload.command import UnloadOptions

Row = Sequence[str | None]
Line = Callable[[Row], str]

_FINITE = re.compile(r"-?[\d.]+(?:[eE][+-]?\d+)?")


def line_writer(columns: Sequence[UnloadColumn], options: UnloadOptions) -> Line:
    """What makes a line of a row.

    Args:
        columns: Those that the file has.
        options: The UNLOAD's.

    Raises:
        CopyError: FIXEDWIDTH has another number of columns.
    """
    if options.data_format == "JSON":
        return _json(columns)
    if options.data_format == "FIXEDWIDTH":
        return _fixed_width(columns, options)
    if options.data_format == "CSV":
        return _csv(options)
    return _delimited(columns, options)


def header_line(columns: Sequence[UnloadColumn], options: UnloadOptions) -> str:
    """The line of the columns' names, to which text transformations apply as well."""
    names = [UnloadColumn(column.name, "character varying") for column in columns]
    return line_writer(names, options)([column.name for column in columns])


def _delimited(columns: Sequence[UnloadColumn], options: UnloadOptions) -> Line:
    delimiter = options.delimiter or "|"
    null = options.null_as or ""
    quote = '"' if options.add_quotes else ""
    escape = re.compile(f"[\n\r\\\\{re.escape(delimiter)}" + ("'\"" if quote else "") + "]")
    escaped = [options.escape and column.type_name in TEXTS for column in columns]
    rewrites = any(escaped) or quote

    def line(row: Row) -> str:
        fields = [null if value is None else value for value in row]
        if rewrites:
            pairs = zip(fields, row, escaped, strict=True)
            fields = [
                escape.sub(r"\\\g<0>", text) if escapes and value is not None else text
                for text, value, escapes in pairs
            ]
            fields = [f"{quote}{text}{quote}" for text in fields]
        return delimiter.join(fields) + "\n"

    return line


def _csv(options: UnloadOptions) -> Line:
    delimiter = options.delimiter or ","
    null = options.null_as or ""
    special = re.compile(f'[\n\r"{re.escape(delimiter)}]')

    def field(value: str | None) -> str:
        if value is None:
            return null
        return '"' + value.replace('"', '""') + '"' if special.search(value) else value

    return lambda row: delimiter.join(map(field, row)) + "\n"


def _fixed_width(columns: Sequence[UnloadColumn], options: UnloadOptions) -> Line:
    widths, null = options.fixed_width, options.null_as or ""
    if len(widths) != len(columns):
        text = f"FIXEDWIDTH has {len(widths)} columns, the query {len(columns)}"
        raise CopyError(INVALID_PARAMETER, text)

    def field(value: str | None, width: int, column: UnloadColumn) -> str:
        text = null if value is None else value
        if len(text) <= width:
            return text.ljust(width)
        # "An empty field is output for non-character columns; an error is reported for character columns."
        if value is None and column.type_name not in TEXTS:
            return " " * width
        # "The UNLOAD command will fail rather than truncate data" ("Unloading data in … fixed-width format").
        raise CopyError(
            INVALID_PARAMETER,
            f"A value of column {column.name} has {len(text)} characters, its FIXEDWIDTH is {width}",
            reached_load=True,
        )

    return lambda row: "".join(map(field, row, widths, columns)) + "\n"


def _json(columns: Sequence[UnloadColumn]) -> Line:
    def value(text: str | None, column: UnloadColumn) -> str:
        if text is None:
            return "null"
        if column.type_name == "super" or (column.type_name in NUMBERS and _FINITE.fullmatch(text)):
            return text
        return orjson.dumps(text).decode()

    names = [orjson.dumps(column.name).decode() + ":" for column in columns]

    def line(row: Row) -> str:
        fields = [name + value(text, column) for name, text, column in zip(names, row, columns, strict=True)]
        return "{" + ",".join(fields) + "}\n"

    return line
