"""A file's bytes as JSON documents.

A file is a sequence of objects or arrays with nothing but white space between them, one or many a line, on
one or many lines. Nearly every file has one a line: whole blocks of such lines are parsed at once. Everything
else goes through a splitter, which finds each document's end and line and carries on behind a broken one.
"""

import json
import math
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

# Redshift's limit for one document, its braces included; no error tolerance helps beyond.
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024

_TOO_LARGE = f"JSON document exceeds {MAX_DOCUMENT_BYTES} bytes"

# A text (never over a line break), a quote that is not closed on its line, or a bracket.
_PART = re.compile(rb'"[^"\\\n]*(?:\\.[^"\\\n]*)*"|["{}\[\]]')
_SPACE = re.compile(rb"\s*")
_JUNK = re.compile(rb"[^\s{\[]+")
# An integer beyond 64 bits, of which orjson makes a double, has nineteen digits or more. Most blocks have
# no so many in a row, which is quickly found out: every third byte would be a digit. The pattern is for those
# that have.
_DIGITS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
_LONG_DIGITS = b"0" * 19
_LONG_NUMBER = re.compile(rb"(?:^|[-:,\[\s])\d{19}")
# Python converts no more between text and number (sys.set_int_max_str_digits).
_MOST_DIGITS = 4000
# In a sound document only a comma, colon or bracket stands before a line that begins with a bracket.
_NEXT_DOCUMENT = re.compile(rb"[^,:\[\s](?=[ \t\r]*\n\s*[{\[])")


@dataclass(frozen=True)
class Documents:
    """Parsed documents with the number of each one's last line and its bytes."""

    values: Sequence[object]
    lines: Sequence[int]
    texts: Sequence[bytes]
    objects_only: bool

    def part(self, start: int, end: int) -> "Documents":
        """Some of them."""
        some = slice(start, end)
        return Documents(self.values[some], self.lines[some], self.texts[some], self.objects_only)


@dataclass(frozen=True)
class BadDocument:
    """Bytes that are no document; `fatal` when the load must end whatever MAXERROR says."""

    line: int
    text: bytes
    reason: str
    fatal: bool = False


class DocumentReader:
    """Documents of one file, in order.

    Args:
        blocks: The file's bytes, decompressed, in pieces of any size.
        lines_before: Lines of the file that are not among them.
    """

    def __init__(self, blocks: Iterable[bytes], lines_before: int = 0) -> None:
        self._blocks = blocks
        self._first_line = lines_before + 1
        self._line_ends = lines_before
        self._in_line = False

    @property
    def lines(self) -> int:
        """The lines read so far."""
        return self._line_ends + self._in_line

    def __iter__(self) -> Iterator[Documents | BadDocument]:
        """Yield documents in batches, broken ones one by one."""
        rest = b""
        for block in self._blocks:
            self._line_ends += block.count(b"\n")
            self._in_line = not block.endswith(b"\n") if block else self._in_line
            text = rest + block
            end = text.rfind(b"\n") + 1
            quick = ordinary_lines(text[:end], self._first_line)
            if quick is not None:
                self._first_line += len(quick.lines)
                yield quick
                rest = text[end:]
            else:
                rest = yield from self._split(text, final=False)
            if len(rest) > MAX_DOCUMENT_BYTES:
                yield self._too_large(rest)
                return
        if rest.strip():
            yield from self._split(rest, final=True)

    def _split(self, text: bytes, *, final: bool) -> Generator["Documents | BadDocument", None, bytes]:
        """Yield what `text` holds; return the unfinished rest."""
        batch, search = _Batch(), _Search(text)
        position, line = 0, self._first_line
        while True:
            start = _end(_SPACE, text, position)
            line += text.count(b"\n", position, start)
            found = _next(search, start, final=final) if start < len(text) else None
            if found is None:
                break
            end, value = found
            line += text.count(b"\n", start, end)
            if isinstance(value, _Broken):
                yield from batch.flush()
                yield BadDocument(line, text[start:end], value.reason, fatal=end - start > MAX_DOCUMENT_BYTES)
            else:
                batch.add(value, line, text[start:end])
            position = end
        yield from batch.flush()
        self._first_line = line
        return text[start:]

    def _too_large(self, text: bytes) -> BadDocument:
        line = self._first_line + text.count(b"\n")
        return BadDocument(line, text[:1024], _TOO_LARGE, fatal=True)


def ordinary_lines(text: bytes, first_line: int) -> Documents | None:
    """The documents of `text`, which ends with a line, if there is exactly one object on every line."""
    if not text or len(text) > MAX_DOCUMENT_BYTES:
        return None
    lines = text.split(b"\n")
    lines.pop()
    loads = _loads if _has_long_digits(text) else orjson.loads
    try:
        values = list(map(loads, lines))
    except orjson.JSONDecodeError:
        return None
    if set(map(type, values)) != {dict}:
        return None
    return Documents(values, range(first_line, first_line + len(lines)), lines, objects_only=True)


class _Batch:
    """Documents found one by one."""

    def __init__(self) -> None:
        self._documents: list[tuple[object, int, bytes]] = []

    def add(self, value: object, line: int, text: bytes) -> None:
        self._documents.append((value, line, text))

    def flush(self) -> Iterator[Documents]:
        if self._documents:
            values, lines, texts = zip(*self._documents, strict=True)
            self._documents = []
            objects_only = all(isinstance(value, dict) for value in values)
            yield Documents(values, lines, texts, objects_only)


@dataclass(frozen=True)
class _Broken:
    reason: str


class _Search:
    """Looks in one text for the places behind which only a new document can begin.

    Asked for rising positions, it goes through the text once.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._found = _NEXT_DOCUMENT.search(text)
        self._tried = -1

    def document_end(self, start: int) -> int | None:
        """Where a document that begins at `start` must have ended; None when no other begins behind it."""
        while self._found and self._found.start() < start:
            self._found = _NEXT_DOCUMENT.search(self.text, start)
        return self._found.end() if self._found else None

    def untried_line_end(self, start: int) -> int:
        """The end of the line that `start` is in; -1 when it has none, or was asked for before."""
        if start <= self._tried:
            return -1
        found = self.text.find(b"\n", start)
        self._tried = found if found >= 0 else len(self.text)
        return found


def _next(search: _Search, start: int, *, final: bool) -> tuple[int, object] | None:
    """The end and the value (or `_Broken`) of what begins at `start`; None if it may go on."""
    text = search.text
    if text[start] not in b"{[":
        end = _end(_JUNK, text, start)
        return (end, _Broken("Invalid data outside of JSON documents")) if end < len(text) or final else None
    line_end = search.untried_line_end(start)
    if 0 < line_end - start <= MAX_DOCUMENT_BYTES:
        try:
            return line_end, _loads(text[start:line_end])
        except orjson.JSONDecodeError:
            pass
    broken = search.document_end(start)
    closed = _closing(text, start, broken or len(text))
    if closed:
        return closed, _parse(text[start:closed])
    value = _Broken("Invalid JSON document: it is never closed")
    if broken:
        return broken, value
    return (len(text.rstrip()), value) if final else None


def _closing(text: bytes, start: int, end: int) -> int:
    """The position behind the bracket that closes the one at `start`, or 0 if it is not before `end`."""
    depth = 0
    for part in _PART.finditer(text, start, end):
        first = text[part.start()]
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
            if not depth:
                return part.end()
        elif part.end() - part.start() == 1:
            return 0
    return 0


def _parse(text: bytes) -> object:
    """The value of one document, or `_Broken`.

    What orjson refuses the standard library may still read: bytes that are no UTF-8 and halves of surrogate
    pairs become lone surrogates, so that the column they stand in can be named or a replacement stored.
    """
    if len(text) > MAX_DOCUMENT_BYTES:
        return _Broken(_TOO_LARGE)
    try:
        return _loads(text)
    except orjson.JSONDecodeError as error:
        reason = str(error)
    try:
        return _exact(text)
    except (ValueError, RecursionError):
        return _Broken(f"Invalid JSON document: {reason}")


def _has_long_digits(text: bytes) -> bool:
    thirds = text[::3].translate(_DIGITS)
    return _LONG_DIGITS[:6] in thirds and _LONG_DIGITS in text.translate(_DIGITS)


def _loads(text: bytes) -> object:
    """The value of one document with every digit of its integers.

    Raises:
        JSONDecodeError: It is none, or none that can be read exactly.
    """
    value = orjson.loads(text)
    if not _LONG_NUMBER.search(text):
        return value
    try:
        return _exact(text)
    except RecursionError as error:
        raise orjson.JSONDecodeError("it is nested too deeply", "", 0) from error


def _exact(text: bytes) -> object:
    """The value that the standard library reads; a number that Python has not is its text."""
    return json.loads(
        text.decode(errors="surrogateescape"),
        parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else digits,
        parse_float=lambda digits: digits if math.isinf(float(digits)) else float(digits),
        parse_constant=_no_constant,
    )


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _end(pattern: re.Pattern[bytes], text: bytes, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def without_lines(blocks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """`blocks` without their first `count` lines."""
    for block in blocks:
        rest = block
        while count and rest:
            _, newline, rest = rest.partition(b"\n")
            count -= bool(newline)
        if rest:
            yield rest
