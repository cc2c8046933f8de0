"""Ordinary values of a whole column at once.

A column's values of one block are nearly always of one type and need nothing but their text. What is asked of
each of them, one by one, is then asked of all together, which takes a third of the time. Where one of them is
anything else there is no answer, and the column's converter goes through them: it alone says what a value
becomes, and that it cannot be one.
"""

from collections.abc import Callable, Sequence
from typing import cast

import orjson

from sandbox.redshift.copy.conversion.times import LAST_SECOND, clock_times, day_text
from sandbox.redshift.copy.conversion.values import NULL

# The fields of a column, the same as from its converter; None where one of the values is not ordinary.
BatchConverter = Callable[[Sequence[object]], list[str] | None]

_NONE = type(None)
_TEXT_OR_NONE = {str, _NONE}
_INTEGER_OR_NONE = {int, _NONE}  # True is none of them: its type is bool
_FLOAT_OR_NONE = {float, _NONE}
_BOOLEAN_OR_NONE = {bool, _NONE}
_BOOLEANS = {True: "t", False: "f", None: NULL}
# Eighteen digits are a number of 64 bits, whichever they are.
_SURE_DIGITS = 18
# What COPY's text format escapes, and NUL, which no text may hold.
_ESCAPED = "\\\t\n\r\0"


def text_batch(limit: int, *, ascii_only: bool) -> BatchConverter:
    """Texts that fit `limit` bytes and hold nothing to escape.

    Args:
        limit: Bytes of the column.
        ascii_only: Of other characters some may not be stored, or must be replaced.
    """
    # So many characters fit, however many bytes each one takes.
    surely_fits = limit // 4

    def convert(values: Sequence[object]) -> list[str] | None:
        kinds = set(map(type, values))
        if not kinds <= _TEXT_OR_NONE:
            return None
        texts = cast("Sequence[str | None]", values)
        joined = "".join(filter(None, texts))
        if any(character in joined for character in _ESCAPED):
            return None
        longest = max(map(len, filter(None, texts)), default=0)
        if joined.isascii():
            fits = longest <= limit
        else:
            fits = not ascii_only and longest <= surely_fits and _is_utf8(joined)
        return _with_nulls(texts, kinds) if fits else None

    return convert


def integer_batch(byte_count: int) -> BatchConverter:
    """Integers that fit so many bytes, as numbers or as texts of digits."""
    low, high = -(2 ** (8 * byte_count - 1)), 2 ** (8 * byte_count - 1) - 1
    sure_digits = len(str(high)) - 1

    def convert(values: Sequence[object]) -> list[str] | None:
        if (fields := _digits(values, sure_digits)) is not None:
            return fields
        numbers = _integers(values)
        if numbers is None:
            return None
        known = _known(numbers)
        if known and not low <= min(known) <= max(known) <= high:
            return None
        return _fields(orjson.dumps(numbers))

    return convert


def double_batch(values: Sequence[object]) -> list[str] | None:
    """Numbers that Python and orjson write alike, for DOUBLE PRECISION."""
    kinds = set(map(type, values))
    if not kinds <= _FLOAT_OR_NONE:
        return None
    written = orjson.dumps(values)
    # Python writes an exponent for more of the small numbers, and with a sign for the large ones. What JSON
    # has no number for would be one null more.
    nulls = values.count(None) if _NONE in kinds else 0
    if b"e" in written or b"0.0000" in written or written.count(b"null") != nulls:
        return None
    return _fields(written)


def boolean_batch(values: Sequence[object]) -> list[str] | None:
    """True and false."""
    if not set(map(type, values)) <= _BOOLEAN_OR_NONE:
        return None
    return [_BOOLEANS[value] for value in cast("Sequence[bool | None]", values)]


def epoch_batch(*, milliseconds: bool, with_zone: bool) -> BatchConverter:
    """Epochs from 1970 to 9999 as numbers, for TIMESTAMP and TIMESTAMPTZ."""
    per_second, zone = (1000 if milliseconds else 1), ("+00" if with_zone else "")
    fractions = [f".{part * 1_000_000 // per_second:06d}{zone}" for part in range(per_second)]
    last, seconds, per_day = LAST_SECOND * per_second, clock_times(), 86_400 * per_second

    def convert(values: Sequence[object]) -> list[str] | None:
        if not set(map(type, values)) <= _INTEGER_OR_NONE:
            return None
        epochs = cast("Sequence[int | None]", values)
        known = _known(epochs) if None in epochs else cast("Sequence[int]", epochs)
        if known and not 0 <= (first := min(known)) <= (latest := max(known)) <= last:
            return None
        if known and known is epochs and first // per_day == latest // per_day:
            day, start = day_text(first // per_day), first // per_day * per_day
            since = [at - start for at in known]
            return [f"{day} {seconds[at // per_second]}{fractions[at % per_second]}" for at in since]
        return [
            NULL
            if at is None
            else f"{day_text(at // per_day)} {seconds[at // per_second % 86_400]}{fractions[at % per_second]}"
            for at in epochs
        ]

    return convert


def required_batch(convert: BatchConverter) -> BatchConverter:
    """`convert` for a column that is NOT NULL."""

    def convert_required(values: Sequence[object]) -> list[str] | None:
        fields = convert(values)
        return None if fields is None or NULL in fields else fields

    return convert_required


def _known(values: Sequence[int | None]) -> Sequence[int]:
    return [value for value in values if value is not None]


def _integers(values: Sequence[object]) -> Sequence[int | None] | None:
    kinds = set(map(type, values))
    if kinds <= _INTEGER_OR_NONE:
        return cast("Sequence[int | None]", values)
    if not kinds <= _TEXT_OR_NONE:
        return None
    texts = cast("Sequence[str | None]", values)
    written = [text for text in texts if text]
    joined = "".join(written)
    if written and not (joined.isascii() and joined.isdigit() and max(map(len, written)) <= _SURE_DIGITS):
        return None
    # An empty text is NULL.
    return [int(text) if text else None for text in texts]


def _digits(values: Sequence[object], most: int) -> list[str] | None:
    """Texts of up to so many digits, which are their fields already; an empty one is NULL."""
    if not set(map(type, values)) <= _TEXT_OR_NONE:
        return None
    texts = cast("Sequence[str | None]", values)
    written = [text for text in texts if text]
    joined = "".join(written)
    if not (joined.isascii() and joined.isdigit()) or max(map(len, written)) > most or min(written) < "1":
        return None
    return [text or NULL for text in texts]


def _fields(numbers: bytes) -> list[str]:
    """The fields that a JSON array of numbers and nulls holds."""
    return numbers[1:-1].decode().replace("null", NULL).split(",")


def _with_nulls(texts: Sequence[str | None], kinds: set[type]) -> list[str]:
    if _NONE not in kinds:
        return cast("list[str]", list(texts))
    return [NULL if text is None else text for text in texts]


def _is_utf8(text: str) -> bool:
    """Whether there is no half of a surrogate pair in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
