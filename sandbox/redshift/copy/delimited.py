"""A file's bytes as rows of fields: delimited text, CSV and text of fixed widths.

Rules are those of the guide's pages "Data format parameters" and "Data conversion parameters". Nearly every
line is nothing but fields and delimiters, and is split at once; one with a quotation mark or a backslash that
means something is read field by field.
"""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.redshift.copy.options import Options

# The guide's limit for a row (TRUNCATECOLUMNS: "rows 4 MB or less in size").
MAX_RECORD_BYTES = 4 * 1024 * 1024

DELIMITER_NOT_FOUND = "Delimiter not found"
EXTRA_COLUMNS = "Extra column(s) found"
# Seen with this code in public reports of STL_LOAD_ERRORS.
INVALID_QUOTES = "Invalid quote formatting for CSV"
NO_DELIMITER = 1214


@dataclass(frozen=True)
class Problem:
    """Why a record cannot be read, and the field that shows it: its number, place and text."""

    code: int
    reason: str
    column: int
    position: int
    value: str


@dataclass(frozen=True)
class Record:
    """One row of a file: the number of its last line, its text, its fields and where each begins."""

    line: int
    text: str
    fields: list[str]
    starts: Sequence[int] = field(default=())
    problem: Problem | None = None
    fatal: bool = False


class _Parser(Protocol):
    """What a format knows of its rows."""

    def is_plain(self, line: str) -> bool:
        """Whether the line is a row of its own whose fields only have to be parted."""

    def split(self, line: str) -> list[str]:
        """The fields of such a line."""

    def record(self, text: str, start: int, *, final: bool) -> tuple[int, Record] | None:
        """The row that begins at `start` and the end of it; None if it may go on behind `text`."""


class TextReader:
    """The rows of one file, in order.

    Args:
        blocks: The file's bytes, decompressed and as UTF-8, in pieces of any size.
        options: The COPY's.
    """

    def __init__(self, blocks: Iterable[bytes], options: Options) -> None:
        self._blocks = blocks
        self._parser = _parser(options)
        self._to_skip = options.ignore_header
        self._skips_blank = options.ignore_blank_lines
        self._line = 0

    @property
    def lines(self) -> int:
        """The lines read so far."""
        return self._line

    def __iter__(self) -> Iterator[list[Record]]:
        """Yield the rows in batches."""
        rest, pending = "", b""
        for block in self._blocks:
            data = pending + block
            end = data.rfind(b"\n") + 1
            text, pending = data[:end].decode(errors="surrogateescape"), data[end:]
            rest = yield from self._records(rest + text, final=False)
            if len(rest) + len(pending) > MAX_RECORD_BYTES:
                yield [self._too_large(rest or pending[:4096].decode(errors="surrogateescape"))]
                return
        rest += pending.decode(errors="surrogateescape")
        if rest:
            yield from self._records(rest, final=True)

    def _records(self, text: str, *, final: bool) -> Generator[list[Record], None, str]:
        """Yield what `text` holds; return the unfinished rest."""
        position = self._skip_header(text)
        batch: list[Record] = []
        while position < len(text):
            end, line = _line_at(text, position)
            if self._skips_blank and not line:
                self._line += 1
                position = end
            elif self._parser.is_plain(line):
                self._line += 1
                batch.append(Record(self._line, line, self._parser.split(line)))
                position = end
            else:
                found = self._parser.record(text, position, final=final)
                if found is None:
                    break
                batch.append(self._numbered(found[1], text, position, found[0]))
                position = found[0]
        if batch:
            yield batch
        return text[position:]

    def _numbered(self, record: Record, text: str, start: int, end: int) -> Record:
        self._line += text.count("\n", start, end) or 1
        shown = text[start:end].removesuffix("\n").removesuffix("\r")
        return Record(self._line, shown, record.fields, record.starts, record.problem)

    def _skip_header(self, text: str) -> int:
        position = 0
        while self._to_skip and position < len(text):
            position, _ = _line_at(text, position)
            self._to_skip -= 1
            self._line += 1
        return position

    def _too_large(self, text: str) -> Record:
        self._line += 1
        problem = Problem(1216, f"Row exceeds {MAX_RECORD_BYTES} bytes", 0, 0, "")
        return Record(self._line, text[:4096], [], problem=problem, fatal=True)


class _Csv:
    """CSV: a field in quotation marks may hold anything, and two of them stand for one."""

    def __init__(self, delimiter: str, quote: str) -> None:
        self._delimiter, self._quote = delimiter, quote
        d, q = re.escape(delimiter), re.escape(quote)
        # "White space between the delimiters and the quotation mark characters is ignored."
        space = "[ \t]*".replace(delimiter, "")
        self._opening = re.compile(f"{space}{q}")
        self._body = re.compile(f"[^{q}]*(?:{q}{q}[^{q}]*)*")
        self._closing = re.compile(f"{q}{space}(?:({d})|\r?(?:\n|\\Z))")
        self._plain = re.compile(f"([^{d}\n]*)(?:({d})|\n|\\Z)")

    def is_plain(self, line: str) -> bool:
        return self._quote not in line

    def split(self, line: str) -> list[str]:
        return line.split(self._delimiter)

    def record(self, text: str, start: int, *, final: bool) -> tuple[int, Record] | None:
        fields: list[str] = []
        starts: list[int] = []
        position, more = start, True
        while more:
            starts.append(position - start)
            opening = self._opening.match(text, position)
            if opening is None:
                plain = self._plain.match(text, position)
                assert plain  # noqa: S101 - it matches nothing, too
                value = plain[1] if plain[2] else plain[1].removesuffix("\r")
                if self._quote in value:
                    return self._broken(text, start, position, fields)
                position, more = plain.end(), bool(plain[2])
            else:
                body = self._body.match(text, opening.end())
                assert body  # noqa: S101 - it matches nothing, too
                if body.end() == len(text) and not final:
                    return None
                closing = self._closing.match(text, body.end())
                if closing is None:
                    return self._broken(text, start, position, fields)
                value = body.group().replace(self._quote * 2, self._quote)
                position, more = closing.end(), bool(closing[1])
            fields.append(value)
        return position, Record(0, "", fields, starts)

    def _broken(self, text: str, start: int, position: int, fields: list[str]) -> tuple[int, Record]:
        """A row whose quotation marks do not fit; it ends with its line."""
        end, _ = _line_at(text, position)
        value = text[position:end].strip().partition(self._delimiter)[0]
        problem = Problem(NO_DELIMITER, INVALID_QUOTES, len(fields), position - start, value)
        return end, Record(0, "", fields, problem=problem)


class _Delimited:
    """Delimited text, with ESCAPE and REMOVEQUOTES where they are given."""

    def __init__(self, options: Options) -> None:
        self._delimiter = options.delimiter or "|"
        self._null = r"\N" if options.null_as is None else options.null_as
        self._escape, self._unquote = options.escape, options.remove_quotes
        d = re.escape(self._delimiter)
        special = ("\\\\" if self._escape else "") + ("'\"" if self._unquote else "")
        self._special = re.compile(f"[{special}]") if special else None
        escaped = r"\\.|" if self._escape else ""
        self._end = re.compile(r"[^\\\n]*(?:\\.[^\\\n]*)*" if self._escape else r"[^\n]*", re.DOTALL)
        inside = r"[^\\]" if self._escape else "."
        self._quoted = re.compile(rf"[ \t]*(['\"])((?:{escaped}{inside})*?)\1(?=({d})|\Z)", re.DOTALL)
        self._opened = re.compile(r"[ \t]*['\"]")
        self._plain = re.compile(rf"(?:{escaped}[^{d}])*", re.DOTALL)

    def is_plain(self, line: str) -> bool:
        return self._special is None or self._special.search(line) is None

    def split(self, line: str) -> list[str]:
        return line.split(self._delimiter)

    def record(self, text: str, start: int, *, final: bool) -> tuple[int, Record] | None:
        found = self._end.match(text, start)
        assert found  # noqa: S101 - it matches nothing, too
        end = found.end()
        if end == len(text) or text[end] != "\n":  # the last line, or a backslash with nothing behind it
            if not final:
                return None
            end = len(text)
        return min(end + 1, len(text)), self._parsed(text[start:end].removesuffix("\r"))

    def _parsed(self, line: str) -> Record:
        fields: list[str] = []
        starts: list[int] = []
        position = 0
        while position <= len(line):
            starts.append(position)
            quoted = self._quoted.match(line, position) if self._unquote else None
            if quoted:
                value, end = quoted[2], quoted.end()
            elif self._unquote and self._opened.match(line, position):
                # "No corresponding ending mark": the row is not loaded. Which error it is, is unconfirmed.
                value = line[position:].partition(self._delimiter)[0]
                problem = Problem(NO_DELIMITER, DELIMITER_NOT_FOUND, len(fields), position, value)
                return Record(0, "", fields, problem=problem)
            else:
                plain = self._plain.match(line, position)
                assert plain  # noqa: S101 - it matches nothing, too
                value, end = plain.group(), plain.end()
            fields.append(self._unescaped(value))
            position = end + 1
        return Record(0, "", fields, starts)

    def _unescaped(self, value: str) -> str:
        """The field without its escapes; the default null string works as it is."""
        if not self._escape or value == self._null == r"\N":
            return value
        return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)


class _FixedWidth:
    """Text of fixed widths, which are numbers of characters."""

    def __init__(self, widths: Sequence[int]) -> None:
        self._widths = widths

    def is_plain(self, line: str) -> bool:
        return len(line) <= sum(self._widths)

    def split(self, line: str) -> list[str]:
        """The fields; those that a short line does not reach are missing."""
        fields: list[str] = []
        position = 0
        for width in self._widths:
            if position >= len(line) and fields:
                break
            fields.append(line[position : position + width])
            position += width
        return fields

    def record(self, text: str, start: int, *, final: bool) -> tuple[int, Record] | None:
        end, line = _line_at(text, start)
        if not text.endswith("\n") and end == len(text) and not final:
            return None
        at = sum(self._widths)
        problem = Problem(1202, EXTRA_COLUMNS, len(self._widths), at, line[at:])
        return end, Record(0, "", self.split(line), problem=problem)


def _parser(options: Options) -> _Parser:
    if options.data_format == "FIXEDWIDTH":
        return _FixedWidth(options.fixed_width)
    if options.data_format == "CSV":
        return _Csv(options.delimiter or ",", options.quote)
    return _Delimited(options)


def _line_at(text: str, start: int) -> tuple[int, str]:
    """Where the next line begins, and the line from `start` on without its end.

    The guide's page on ESCAPE has a carriage return escaped as well as the newline behind it: both end a row.
    """
    found = text.find("\n", start)
    end = len(text) if found < 0 else found
    line = text[start:end]
    return min(end + 1, len(text)), line.removesuffix("\r")
