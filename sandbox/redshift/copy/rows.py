"""Documents to rows of PostgreSQL's COPY text format."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import cast

from sandbox.redshift.copy.columns import TargetColumn, batch_for, converter_for
from sandbox.redshift.copy.conversion.values import NOT_UTF8, NULL, json_text
from sandbox.redshift.copy.documents import BadDocument, Documents
from sandbox.redshift.copy.errors import ConversionError, ErrorField, FatalError, Replacement, storable
from sandbox.redshift.copy.jsonpaths import MEMBER_OF_NO_OBJECT
from sandbox.redshift.copy.mapping import Source, fold_keys
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.records import Records

# Redshift's limit for one row (data format parameters, "COPY from JSON").
MAX_ROW_BYTES = 4 * 1024 * 1024
_ROW_TOO_LARGE = f"Row exceeds {MAX_ROW_BYTES} bytes"
# Neither such a document nor as many characters of fields make a row too large, pipes and all.
_SURELY_FITS = MAX_ROW_BYTES // 4
# A document of a few bytes can have a field in each of 1,600 columns: so many fields are held at a time.
_MOST_FIELDS = 64 * 1024
_PIECE_BYTES = 128 * 1024
_SHOWN_CHARACTERS = 1024
_NOT_AN_OBJECT = "Invalid JSON document: not an object; arrays need a jsonpaths file"


@dataclass(frozen=True)
class Rows:
    """Rows as bytes, how many they are, what was replaced in them, and the errors of the others."""

    data: bytes
    count: int
    errors: Sequence[FatalError] = ()
    replacements: Sequence[Replacement] = ()


class RowBuilder:
    """Turns documents into rows of the target's columns.

    Args:
        columns: The target's columns in COPY's order.
        sources: What each of them takes.
        options: How values are converted.
        auto: The sources are the columns' names, not a jsonpaths file.

    Raises:
        CopyError: A column has a type that cannot be loaded.
    """

    def __init__(
        self, columns: Sequence[TargetColumn], sources: Sequence[Source], options: Options, *, auto: bool
    ) -> None:
        self._columns = columns
        self._auto = auto
        strict, self._replacing = options, None
        if options.accept_invalid_chars is not None:
            # What is to be replaced is an error first, so that a row is known in which it is.
            strict = replace(options, accept_invalid_chars="")
            self._replacing = [converter_for(column, options) for column in columns]
        self._fields = [
            (source, converter_for(column, strict)) for source, column in zip(sources, columns, strict=True)
        ]
        self._sources, self._options = sources, strict
        self._batches = [batch_for(column, strict) for column in columns]
        self._members = _members(sources)
        # Different members are together no longer than their document; all else may repeat parts of it.
        self._repeats = [callable(source) or source in sources[:at] for at, source in enumerate(sources)]
        self._fold = auto and options.json == "auto ignorecase"

    @cached_property
    def records(self) -> Records:
        """What makes rows of whole lines."""
        return Records(self._columns, self._sources, self._options, folds=self._fold)

    def build(self, documents: Documents, file_name: str) -> Iterator[Rows]:
        """The rows of `documents` in pieces: column by column, and only when a value is bad row by row."""
        size = max(1, _MOST_FIELDS // (len(self._fields) or 1))
        for start in range(0, len(documents.values), size):
            yield from self._build_piece(documents.part(start, start + size), file_name)

    def _build_piece(self, documents: Documents, file_name: str) -> Iterator[Rows]:
        values = documents.values
        if self._fold:
            values = [fold_keys(value) for value in values]
        if documents.objects_only and max(map(len, documents.texts)) <= _SURELY_FITS:
            try:
                cells = list(self._cells(cast("Sequence[dict[str, object]]", values)))
            except ConversionError:
                pass
            else:
                data = "\n".join(map("\t".join, zip(*cells, strict=True))) + "\n"
                yield Rows(data.encode(), len(values))
                return
        yield from self._build_singly(values, documents, file_name)

    def _cells(self, values: Sequence[dict[str, object]]) -> Iterator[list[str]]:
        """The fields column by column.

        Raises:
            ConversionError: One is bad, or there is so much that a row may be too large.
        """
        repeated = 0
        for at, found in enumerate(self._columns_of(values)):
            batch = self._batches[at]
            cells = batch(found) if batch else None
            if cells is None:
                convert = self._fields[at][1]
                cells = [convert(value) for value in found]
            if self._repeats[at]:
                repeated += sum(map(len, cells))
                if repeated > _SURELY_FITS // 2:
                    raise ConversionError(1216, _ROW_TOO_LARGE)
            yield cells

    def _columns_of(self, values: Sequence[dict[str, object]]) -> Iterator[Sequence[object]]:
        """What each column takes of all documents."""
        whole = self._whole_rows(values)
        if whole:
            yield from zip(*whole, strict=True)
            return
        for source, _ in self._fields:
            if isinstance(source, str):
                yield [value.get(source) for value in values]
            else:
                yield [source(value) for value in values]

    def _whole_rows(self, values: Sequence[dict[str, object]]) -> Sequence[tuple[object, ...]]:
        """What each document has for all columns; nothing where one of them lacks a member."""
        try:
            return list(map(self._members, values)) if self._members else ()
        except KeyError:
            return ()

    def _build_singly(self, values: Sequence[object], documents: Documents, file_name: str) -> Iterator[Rows]:
        rows: list[Sequence[str]] = []
        errors: list[FatalError] = []
        replacements: list[Replacement] = []
        held = 0
        for value, line, text in zip(values, documents.lines, documents.texts, strict=True):
            fields: list[str] = []
            replaced: list[str] = []
            size = 0
            try:
                for at, (source, _) in enumerate(self._fields):
                    field = self._convert(at, self._take(source, value), replaced)
                    size += _row_bytes(field)
                    if size > MAX_ROW_BYTES:
                        raise ConversionError(1216, _ROW_TOO_LARGE)
                    fields.append(field)
            except ConversionError as error:
                errors.append(self._error(error, value, fields, BadDocument(line, text, ""), file_name))
                size += _SHOWN_CHARACTERS
            else:
                rows.append(fields)
                if replaced:
                    replacements.append(Replacement(file_name, line, replaced[0], shown_text(text)))
                    size += _SHOWN_CHARACTERS
            held += size
            if held >= _PIECE_BYTES:
                yield _joined(rows, errors, replacements)
                rows, errors, replacements, held = [], [], [], 0
        yield _joined(rows, errors, replacements)

    def _convert(self, at: int, value: object, replaced: list[str]) -> str:
        """The field of a column, whose name joins `replaced` where only ACCEPTINVCHARS lets it be one."""
        try:
            return self._fields[at][1](value)
        except ConversionError as error:
            if self._replacing is None or error.code != NOT_UTF8:
                raise
        field = self._replacing[at](value)
        replaced.append(self._columns[at].name)
        return field

    def _take(self, source: Source, value: object) -> object:
        if not isinstance(source, str):
            return source(value)
        if isinstance(value, dict):
            return value.get(source)
        raise ConversionError(1216, _NOT_AN_OBJECT if self._auto else MEMBER_OF_NO_OBJECT)

    def _error(
        self, error: ConversionError, value: object, fields: Sequence[str], where: BadDocument, file_name: str
    ) -> FatalError:
        column = self._columns[len(fields)]
        source, _ = self._fields[len(fields)]
        try:
            raw: str | None = _shown(self._take(source, value))
        except ConversionError:
            raw = None
        values = [*(None if field == NULL else _clipped(field) for field in fields), raw]
        shown = zip(self._columns[: len(values)], values, strict=True)
        return FatalError(
            file_name=file_name,
            line_number=where.line,
            code=error.code,
            reason=_clipped(error.reason),
            raw_line=shown_text(where.text),
            column=column.name,
            column_type=column.short_type,
            column_length=column.length_text,
            raw_value=raw or "",
            fields=tuple(ErrorField(c.name, c.short_type, c.length_text, value) for c, value in shown),
        )


def _members(sources: Sequence[Source]) -> Callable[[object], tuple[object, ...]] | None:
    """What takes all sources of a document that has them; None when they are not two or more names."""
    names = [source for source in sources if isinstance(source, str)]
    if len(names) < len(sources) or len(names) < 2:
        return None
    return cast("Callable[[object], tuple[object, ...]]", itemgetter(*names))


def document_error(document: BadDocument, file_name: str) -> FatalError:
    """The load error of bytes that are no document."""
    return FatalError(file_name, document.line, 1216, document.reason, shown_text(document.text))


def _row_bytes(field: str) -> int:
    """What a field adds to its row's size, in which a pipe counts twice (data format parameters)."""
    size = len(field) if field.isascii() else len(field.encode())
    return size + field.count("|") - field.count(r"\\")  # a backslash is two only for PostgreSQL


def shown_text(text: bytes) -> str:
    """The beginning of `text` as a load error can keep it: PostgreSQL stores neither NUL nor bad UTF-8."""
    return _clipped(text[: 4 * _SHOWN_CHARACTERS].decode(errors="replace"))


def _shown(value: object) -> str | None:
    return None if value is None else _clipped(json_text(value))


def _clipped(text: str) -> str:
    return storable(text)[:_SHOWN_CHARACTERS]


def _joined(
    rows: Sequence[Sequence[str]],
    errors: Sequence[FatalError] = (),
    replacements: Sequence[Replacement] = (),
) -> Rows:
    data = "".join(["\t".join(row) + "\n" for row in rows])
    return Rows(data.encode(), len(rows), errors, replacements)
