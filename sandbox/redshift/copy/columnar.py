"""Parquet files as rows: their columns in order, each of exactly the type that the table's column has.

Rules are those of the guide's page "COPY from columnar data formats". COPY of these formats goes through
Redshift Spectrum, which converts nothing; its errors (15001 and 15007) have the words of public reports.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import duckdb

from sandbox.redshift.copy.columns import TargetColumn, converter_for
from sandbox.redshift.copy.conversion.values import NULL
from sandbox.redshift.copy.duck import connect, quote_name, quote_text
from sandbox.redshift.copy.errors import INTERNAL_ERROR, ConversionError, CopyError
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.rows import Rows
from sandbox.redshift.copy.s3 import parse_address

_SIZE_ERROR, _SCHEMA_ERROR = 15001, 15007
# So many rows are held at a time, or as many as may have so many characters.
_MOST_ROWS, _MOST_CHARACTERS = 2048, 8 * 1024 * 1024
_MAX_TEXT = 65_535

_INT32 = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")
_MOMENTS = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
_TEXTS = ("VARCHAR", "BLOB", "JSON")
# Types of Parquet's columns, by DuckDB's names, that each type of the table takes: no other. Spectrum
# "doesn't do any type of coercions" (github.com/bluelabsio/records-mover/issues/85); the list is unconfirmed.
_COMPATIBLE = {
    "smallint": _INT32,
    "integer": _INT32,
    "bigint": ("BIGINT", "UBIGINT"),
    "real": ("FLOAT",),
    "double precision": ("DOUBLE",),
    "boolean": ("BOOLEAN",),
    "character": _TEXTS,
    "character varying": _TEXTS,
    "text": _TEXTS,
    "date": ("DATE",),
    "time without time zone": ("TIME",),
    "timestamp without time zone": _MOMENTS,
    "timestamp with time zone": _MOMENTS,
}
_SPECTRUM_NAMES = {"smallint": "SMALLINT", "integer": "INT", "real": "FLOAT", "double precision": "DOUBLE"}


@dataclass(frozen=True)
class _FileColumn:
    """A column of a Parquet file: its name, DuckDB's type of it and the schema's line as errors show it."""

    name: str
    type_name: str
    shown: str


class _BadValueError(Exception):
    """A value that does not fit the column of this number."""

    def __init__(self, column: int, cause: ConversionError) -> None:
        super().__init__(cause.reason)
        self.column = column
        self.cause = cause


class ParquetRows:
    """Turns Parquet files into rows of the target's columns.

    Args:
        columns: The target's columns in COPY's order.
        options: The COPY's.
        region: The buckets' region.

    Raises:
        CopyError: A column has a type that cannot be loaded.
    """

    def __init__(self, columns: Sequence[TargetColumn], options: Options, region: str) -> None:
        self._columns = columns
        self._options = options
        self._region = region
        self._converters = [converter_for(column, options) for column in columns]

    def load(self, blocks: Iterable[bytes], url: str) -> Iterator[Rows]:
        """The rows of one file in pieces.

        Raises:
            CopyError: It is no Parquet file, does not fit the table or holds a value that does not.
        """
        with tempfile.TemporaryDirectory(prefix="copy-parquet-") as folder:
            path = Path(folder) / "data.parquet"
            with path.open("wb") as file:
                _write(file, blocks)
            with connect(Path(folder)) as database:
                try:
                    yield from self._rows(database, path, url)
                except duckdb.Error as error:
                    raise self._error(_SCHEMA_ERROR, f"{self._shown(url)}: {_first_line(error)}") from error

    def _rows(self, database: duckdb.DuckDBPyConnection, path: Path, url: str) -> Iterator[Rows]:
        found = _file_columns(database, path)
        self._check_count(len(found), url)
        for column, file_column in zip(self._columns, found, strict=False):
            self._check_type(column, file_column, url)
        wanted = ", ".join(_expression(*pair) for pair in zip(self._columns, found, strict=False))
        cursor = database.execute(f"SELECT {wanted} FROM read_parquet({quote_text(str(path))})")  # noqa: S608
        size = max(1, min(_MOST_ROWS, _MOST_CHARACTERS // sum(map(_most_characters, self._columns))))
        missing = [self._filler(column) for column in self._columns[len(found) :]]
        while rows := cursor.fetchmany(size):
            try:
                yield self._converted(rows, missing)
            except _BadValueError as error:
                raise self._bad_value(error, _longest(database, path, found[error.column]), url) from error

    def _converted(self, rows: Sequence[tuple[Any, ...]], missing: Sequence[str]) -> Rows:
        columns = zip(*rows, strict=True)
        cells = []
        for at, values in enumerate(columns):
            try:
                cells.append([self._converters[at](_value(value)) for value in values])
            except ConversionError as error:
                raise _BadValueError(at, error) from error
        cells += [[filler] * len(rows) for filler in missing]
        data = "".join(["\t".join(row) + "\n" for row in zip(*cells, strict=True)])
        return Rows(data.encode(), len(rows))

    def _bad_value(self, error: "_BadValueError", longest: int, url: str) -> CopyError:
        column, file = self._columns[error.column], f"File name: {self._shown(url)}"
        if column.length and longest > column.length:
            return self._error(
                _SIZE_ERROR,
                f"The length of the data column {column.name} is longer than the length defined in the "
                f"table. Table: {column.length}, Data: {longest}, {file}",
            )
        return self._error(_SIZE_ERROR, f"{error.cause.reason}, column {column.name}, {file}")

    def _check_count(self, count: int, url: str) -> None:
        wanted = len(self._columns)
        if count > wanted or (count < wanted and not self._options.fill_record):
            raise self._error(
                _SCHEMA_ERROR,
                f"Unmatched number of columns between table and file. Table columns: {wanted}, "
                f"Data columns: {count}, File name: {self._shown(url)}",
            )

    def _check_type(self, column: TargetColumn, found: _FileColumn, url: str) -> None:
        if column.type_name == "numeric":
            fits = found.type_name == f"DECIMAL({column.precision or 18},{column.scale or 0})"
        else:
            fits = found.type_name in _COMPATIBLE.get(column.type_name, ())
        if not fits:
            context = (
                f"File '{self._shown(url)}' has an incompatible Parquet schema for column "
                f"'{url}.{found.name}'. Column type: {_spectrum_type(column)}, Parquet schema:\n{found.shown}"
            )
            raise self._error(_SCHEMA_ERROR, context)

    def _filler(self, column: TargetColumn) -> str:
        if column.not_null:
            raise self._error(_SIZE_ERROR, f"NULL in column {column.name}, which is NOT NULL")
        return NULL

    def _shown(self, url: str) -> str:
        """A file as Spectrum names it."""
        address = parse_address(url)
        return f"https://s3.{self._region}.amazonaws.com/{address.bucket}/{address.key}"

    def _error(self, code: int, context: str) -> CopyError:
        rule = "  " + "-" * 47
        message = "Spectrum Scan Error"
        detail = f"\n{rule}\n  error:  {message}\n  code:      {code}\n  context:   {context}\n{rule}"
        return CopyError(INTERNAL_ERROR, message, detail, reached_load=True)


def _write(file: IO[bytes], blocks: Iterable[bytes]) -> None:
    for block in blocks:
        file.write(block)


def _file_columns(database: duckdb.DuckDBPyConnection, path: Path) -> list[_FileColumn]:
    """The file's columns of the first level."""
    name = quote_text(str(path))
    described = database.execute(f"DESCRIBE SELECT * FROM read_parquet({name})").fetchall()  # noqa: S608
    fields = "name, lower(coalesce(type, 'group')), lower(repetition_type), num_children"
    schema = database.execute(f"SELECT {fields} FROM parquet_schema({name})").fetchall()  # noqa: S608
    lines: list[str] = []
    position = 1
    while position < len(schema):
        label, kind, repetition, _ = schema[position]
        lines.append(f"{repetition} {kind} {label} [i:{len(lines)} d:{int(repetition != 'required')} r:0]")
        position = _behind(schema, position)
    return [_FileColumn(row[0], row[1], line) for row, line in zip(described, lines, strict=True)]


def _behind(schema: Sequence[tuple[Any, ...]], position: int) -> int:
    """The position behind a column and all that it holds."""
    open_columns = 1
    while open_columns and position < len(schema):
        open_columns += (cast("int | None", schema[position][3]) or 0) - 1
        position += 1
    return position


def _longest(database: duckdb.DuckDBPyConnection, path: Path, column: _FileColumn) -> int:
    """The bytes of the longest text in a column; 0 where it has none."""
    if column.type_name not in _TEXTS:
        return 0
    measure = "octet_length" if column.type_name == "BLOB" else "strlen"
    wanted = f"max({measure}({quote_name(column.name)}))"
    found = database.execute(f"SELECT {wanted} FROM read_parquet({quote_text(str(path))})")  # noqa: S608
    return int((found.fetchone() or (0,))[0] or 0)


def _most_characters(column: TargetColumn) -> int:
    """What a column's value may take, and one character more that shows that it is too long."""
    return (column.length or _MAX_TEXT) + 1 if column.short_type in {"char", "varchar"} else 64


def _expression(column: TargetColumn, found: _FileColumn) -> str:
    """What gives a column's value as a text, cut where it is too long for any column."""
    name = quote_name(found.name)
    if found.type_name == "BLOB":
        return f"{name}[1:{_most_characters(column)}]"
    if found.type_name == "TIMESTAMP WITH TIME ZONE":
        name = f"make_timestamp(epoch_us({name}))"
    elif found.type_name in _MOMENTS:
        name = f"CAST({name} AS TIMESTAMP)"
    zone = " || '+00'" if column.type_name == "timestamp with time zone" else ""
    text = f"CAST({name} AS VARCHAR){zone}"
    return f"left({text}, {_most_characters(column)})" if found.type_name in _TEXTS else text


def _value(value: object) -> object:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else value


def _spectrum_type(column: TargetColumn) -> str:
    if column.type_name == "numeric":
        return f"DECIMAL({column.precision or 18}, {column.scale or 0})"
    name = _SPECTRUM_NAMES.get(column.type_name, column.short_type.upper())
    return f"{name}({column.length})" if column.length else name


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:500]
