"""Rows of a text file to rows of PostgreSQL's COPY text format."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sandbox.redshift.copy.columns import TargetColumn, converter_for
from sandbox.redshift.copy.conversion.values import NOT_UTF8, NULL
from sandbox.redshift.copy.delimited import (
    DELIMITER_NOT_FOUND,
    EXTRA_COLUMNS,
    MAX_RECORD_BYTES,
    NO_DELIMITER,
    Problem,
    Record,
)
from sandbox.redshift.copy.errors import (
    INVALID_PARAMETER,
    ConversionError,
    CopyError,
    ErrorField,
    FatalError,
    Replacement,
    storable,
)
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.rows import Rows

_SHOWN_CHARACTERS = 1024
# Rows are converted column by column in pieces of so many fields.
_MOST_FIELDS = 64 * 1024


class TextRows:
    """Turns the rows of text files into rows of the target's columns.

    Args:
        columns: The target's columns in COPY's order.
        options: How the rows and their values are read.

    Raises:
        CopyError: A column has a type that cannot be loaded, or FIXEDWIDTH has another number of columns.
    """

    def __init__(self, columns: Sequence[TargetColumn], options: Options) -> None:
        if options.fixed_width and len(options.fixed_width) != len(columns):
            raise CopyError(
                INVALID_PARAMETER,
                f"FIXEDWIDTH has {len(options.fixed_width)} columns, the target {len(columns)}",
            )
        self._columns = columns
        self._options = options
        self._null = r"\N" if options.null_as is None else options.null_as
        strict, self._replacing = options, None
        if options.accept_invalid_chars is not None:
            strict = replace(options, accept_invalid_chars="")
            self._replacing = [converter_for(column, options) for column in columns]
        self._converters = [converter_for(column, strict) for column in columns]

    def build(self, records: Sequence[Record], file_name: str) -> Iterator[Rows]:
        """The rows in pieces: column by column, and only when one is bad row by row."""
        size = max(1, _MOST_FIELDS // len(self._columns))
        for start in range(0, len(records), size):
            piece = records[start : start + size]
            yield self._at_once(piece) or self._singly(piece, file_name)

    def _at_once(self, records: Sequence[Record]) -> Rows | None:
        rows = [self._completed(record) for record in records]
        is_sound = all(map(_is_small, records)) and {len(self._columns)} == set(map(len, rows))
        if not is_sound or any(record.problem for record in records):
            return None
        cells = []
        try:
            for convert, values in zip(self._converters, zip(*rows, strict=True), strict=True):
                cells.append([convert(None if value == self._null else value) for value in values])
        except ConversionError:
            return None
        return _joined(list(zip(*cells, strict=True)))

    def _singly(self, records: Sequence[Record], file_name: str) -> Rows:
        rows: list[Sequence[str]] = []
        errors: list[FatalError] = []
        replacements: list[Replacement] = []
        for record in records:
            cells: list[str] = []
            replaced: list[str] = []
            problem = self._problem(record)
            for at, value in enumerate([] if problem else self._completed(record)):
                try:
                    cells.append(self._convert(at, value, replaced))
                except ConversionError as error:
                    problem = Problem(error.code, error.reason, at, self._start(record, at), value)
                    break
            if problem:
                errors.append(self._error(problem, record, cells, file_name))
                continue
            rows.append(cells)
            if replaced:
                replacements.append(Replacement(file_name, record.line, replaced[0], _shown(record.text)))
        return _joined(rows, errors, replacements)

    def _completed(self, record: Record) -> list[str]:
        """The row's fields: without what only ends it, and with what FILLRECORD puts at its end."""
        fields, count = record.fields, len(self._columns)
        # "This field can be a delimiter" (the guide's page "Preparing your input data"): it may end a row.
        if len(fields) == count + 1 and not fields[-1] and self._options.data_format == "TEXT":
            return fields[:-1]
        if len(fields) < count and self._options.fill_record:
            return [*fields, *map(self._filler, self._columns[len(fields) :])]
        return fields

    def _filler(self, column: TargetColumn) -> str:
        """What FILLRECORD takes for a missing column: NULL, but for VARCHAR an empty text."""
        return self._null if column.type_name == "character" else ""

    def _problem(self, record: Record) -> Problem | None:
        if record.problem:
            return record.problem
        fields = self._completed(record)
        count = len(self._columns)
        if not _is_small(record) and len(record.text.encode(errors="surrogateescape")) > MAX_RECORD_BYTES:
            return Problem(1216, f"Row exceeds {MAX_RECORD_BYTES} bytes", 0, 0, "")
        if len(fields) > count:
            return Problem(1202, EXTRA_COLUMNS, count, self._start(record, count), fields[count])
        if len(fields) < count:
            last = len(fields) - 1
            return Problem(NO_DELIMITER, DELIMITER_NOT_FOUND, last, self._start(record, last), fields[last])
        return None

    def _convert(self, at: int, value: str, replaced: list[str]) -> str:
        """The field of a column, whose name joins `replaced` where only ACCEPTINVCHARS lets it be one."""
        given = None if value == self._null else value
        if given and "\0" in given and self._null == "\0":
            # The guide's page "Load error reference", 1218.
            raise ConversionError(1218, "Field contains NUL and more than one byte")
        try:
            return self._converters[at](given)
        except ConversionError as error:
            if self._replacing is None or error.code != NOT_UTF8:
                raise
        cell = self._replacing[at](given)
        replaced.append(self._columns[at].name)
        return cell

    def _start(self, record: Record, at: int) -> int:
        """Where a field begins in its row."""
        if at < len(record.starts):
            return record.starts[at]
        if self._options.fixed_width:
            return sum(self._options.fixed_width[:at])
        return sum(len(value) + 1 for value in record.fields[:at])

    def _error(self, problem: Problem, record: Record, cells: Sequence[str], file_name: str) -> FatalError:
        is_extra = problem.column >= len(self._columns)
        column = None if is_extra else self._columns[problem.column]
        values = [*(None if cell == NULL else cell for cell in cells), problem.value]
        # Only of a row whose fields before the bad one are known is each one shown.
        shown = zip(self._columns, values, strict=False) if len(cells) == problem.column else ()
        return FatalError(
            file_name=file_name,
            line_number=record.line,
            code=problem.code,
            reason=_shown(problem.reason),
            raw_line=_shown(record.text),
            column=column.name if column else "",
            column_type=column.short_type if column else "",
            column_length=column.length_text if column else "",
            position=problem.position,
            raw_value=_shown(problem.value),
            fields=tuple(
                ErrorField(c.name, c.short_type, c.length_text, None if value is None else _shown(value))
                for c, value in shown
            ),
        )


def _is_small(record: Record) -> bool:
    """Whether no character of the row can make it too large."""
    return len(record.text) <= MAX_RECORD_BYTES // 4


def _shown(text: str) -> str:
    """The beginning of a text as a load error can keep it."""
    clean = text[: 4 * _SHOWN_CHARACTERS].encode(errors="surrogateescape").decode(errors="replace")
    return storable(clean)[:_SHOWN_CHARACTERS]


def _joined(
    rows: Sequence[Sequence[str]], errors: Sequence[FatalError] = (), replacements: Sequence[Replacement] = ()
) -> Rows:
    data = "".join(["\t".join(row) + "\n" for row in rows])
    return Rows(data.encode(), len(rows), errors, replacements)
