"""Rows of whole lines at once, where every line is one object of plain values.

msgspec reads the lines into records of the columns' members and finds on the way that a text is a text and
no longer than its column; dictionaries, and a look at each text, would take twice the time. Whatever else
there is has no rows here: `RowBuilder` goes through it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, cast

import msgspec

from sandbox.redshift.copy.columns import TargetColumn, TextRule, batch_for, converter_for, text_rule
from sandbox.redshift.copy.conversion.values import NULL
from sandbox.redshift.copy.errors import ConversionError
from sandbox.redshift.copy.mapping import Source
from sandbox.redshift.copy.options import Options

# Of a text of any length a row may be too large, or hold more fields than are to be held at a time.
_MOST_BYTES, _MOST_FIELDS = 1024 * 1024, 64 * 1024
# What COPY's text format escapes, and NUL, which no text may hold: JSON has them only in this form.
_ESCAPED = re.compile(rb"\\(?:[\\nrt]|u00(?:5[cC]|0[09aAdD]))")
# A column of so many bytes is not filled with characters of four: those that surely fit are enough.
_MANY_BYTES = 256
# A file of which so many pieces, one behind the other, are not ordinary is of another kind.
_MOST_FAILURES = 4

_Members = Sequence[tuple[object, ...]]


class Records:
    """Makes rows of lines.

    Args:
        columns: The target's columns in COPY's order.
        sources: What each of them takes.
        options: How values are converted.
        folds: Members are found by their names in lower case.
    """

    def __init__(
        self,
        columns: Sequence[TargetColumn],
        sources: Sequence[Source],
        options: Options,
        *,
        folds: bool = False,
    ) -> None:
        self._rules = [text_rule(column, options) for column in columns]
        self._batches = [batch_for(column, options) for column in columns]
        self._converters = [converter_for(column, options) for column in columns]
        self._decode = None if folds else _decoder(columns, sources, self._rules)
        self._failures = 0

    def rows(self, text: bytes) -> tuple[bytes, int] | None:
        """The rows of whole lines, and how many they are.

        Returns:
            None where something is not ordinary, whatever it is.
        """
        count = text.count(b"\n")
        if self._decode is None or len(text) > _MOST_BYTES or count * len(self._rules) > _MOST_FIELDS:
            return None
        members = None if _ESCAPED.search(text) else _members(self._decode, text)
        data = self._joined(members) if members and len(members) == count else None
        self._failures = 0 if data else self._failures + 1
        if self._failures == _MOST_FAILURES:
            self._decode = None
        return (data, count) if data else None

    def _joined(self, members: _Members) -> bytes | None:
        columns = list(zip(*members, strict=True))
        try:
            cells = [self._cells(at, values) for at, values in enumerate(columns)]
        except ConversionError:
            return None
        # One character beyond Latin-1 would make all of a joined text wider.
        data = b"\n".join(map(str.encode, map("\t".join, zip(*cells, strict=True)))) + b"\n"
        fits = data.isascii() or all(map(_fits, self._rules, columns))
        return data if fits else None

    def _cells(self, at: int, values: Sequence[object]) -> Sequence[str]:
        """The fields of a column.

        Raises:
            ConversionError: One is bad.
        """
        if self._rules[at]:
            texts = cast("Sequence[str | None]", values)
            return _with_nulls(texts) if None in texts else cast("Sequence[str]", texts)
        batch, convert = self._batches[at], self._converters[at]
        fields = batch(values) if batch else None
        return [convert(value) for value in values] if fields is None else fields


_Decode = Callable[[bytes], list[Any]]


def _decoder(
    columns: Sequence[TargetColumn], sources: Sequence[Source], rules: Sequence[TextRule | None]
) -> _Decode | None:
    """What reads lines into records; None where columns take anything but different members."""
    names = {f"c{at}": source for at, source in enumerate(sources) if isinstance(source, str)}
    if len(set(names.values())) < len(columns):
        return None
    members = [(name, *_kind(column, rule)) for name, column, rule in zip(names, columns, rules, strict=True)]
    try:
        record = msgspec.defstruct("Record", members, rename=names, kw_only=True, gc=False)
    except ValueError:  # a name that JSON writes in another way
        return None
    return msgspec.json.Decoder(record).decode_lines


def _kind(column: TargetColumn, rule: TextRule | None) -> tuple[Any, ...]:
    """The type of a column's member, and what stands for a missing one."""
    if rule is None:
        return bool | int | float | str | None, None
    text = Annotated[str, msgspec.Meta(max_length=_most_characters(rule))]
    return (text,) if column.not_null else (text | None, None)


def _members(decode: _Decode, text: bytes) -> _Members | None:
    try:
        return list(map(msgspec.structs.astuple, decode(text)))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _with_nulls(texts: Sequence[str | None]) -> list[str]:
    return [NULL if text is None else text for text in texts]


def _fits(rule: TextRule | None, values: Sequence[object]) -> bool:
    """Whether texts of few enough characters are of few enough bytes, too."""
    if rule is None or (rule.limit >= _MANY_BYTES and not rule.ascii_only):
        return True
    texts = cast("list[str]", list(filter(None, values)))
    if "".join(texts).isascii():
        return True
    return not rule.ascii_only and all(len(text.encode()) <= rule.limit for text in texts)


def _most_characters(rule: TextRule) -> int:
    return rule.limit // 4 if rule.limit >= _MANY_BYTES and not rule.ascii_only else rule.limit
