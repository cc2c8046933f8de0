"""Rows as a Parquet file, made by DuckDB of the lines that were kept for it."""

from collections.abc import Sequence
from pathlib import Path

from sandbox.redshift.copy.duck import connect, quote_name, quote_text
from sandbox.redshift.unload.columns import UnloadColumn
from sandbox.redshift.unload.lines import Row

# "If a column uses TIMESTAMPTZ data format, only the timestamp values are unloaded" (the page "UNLOAD").
_TYPES = {
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time without time zone": "TIME",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
}
_READER = (
    "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
    "allow_quoted_nulls = false, parallel = false, max_line_size = 16777216"
)


def kept_line(row: Row) -> str:
    """A row as a line for `write_parquet`; the field before the others tells an empty line from a NULL."""
    fields = ["" if value is None else '"' + value.replace('"', '""') + '"' for value in row]
    return ",".join(["0", *fields]) + "\n"


def write_parquet(lines: Path, target: Path, columns: Sequence[UnloadColumn]) -> None:
    """Turn a file of kept lines into a Parquet file.

    Args:
        lines: In the target's folder.
        target: The file to write.
        columns: Of the rows.
    """
    kept = ", ".join(["'k': 'VARCHAR'", *(f"'c{at}': 'VARCHAR'" for at in range(len(columns)))])
    wanted = ", ".join(_expression(f"c{at}", column) for at, column in enumerate(columns))
    query = f"SELECT {wanted} FROM read_csv({quote_text(str(lines))}, columns = {{{kept}}}, {_READER})"  # noqa: S608
    with connect(target.parent) as database:
        database.execute(f"COPY ({query}) TO {quote_text(str(target))} (FORMAT parquet, COMPRESSION snappy)")


def _expression(name: str, column: UnloadColumn) -> str:
    type_name = _TYPES.get(column.type_name, "VARCHAR")
    if column.type_name == "numeric":
        precision, scale = column.dimensions or (38, 9)
        type_name = f"DECIMAL({precision}, {scale})"
    value = f"CAST({name} AS {type_name})"
    if column.type_name == "timestamp with time zone":
        value = f"make_timestamp(epoch_us({value}))"
    return f"{value} AS {quote_name(column.name)}"
