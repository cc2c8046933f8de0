"""What every conversion shares."""

import json
from collections.abc import Callable

import orjson

from sandbox.redshift.copy.errors import ConversionError

# A JSON value in, a field of PostgreSQL's COPY text format out; raises ConversionError.
Converter = Callable[[object], str]

NULL = r"\N"
NOT_UTF8 = 1220  # the code of a load error


def json_text(value: object) -> str:
    """The text form of a JSON value, which Redshift converts to the column's type.

    Objects and arrays give compact JSON, numbers their shortest exact text, booleans true and false.

    Raises:
        ConversionError: It is nested too deeply.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        pass  # integers beyond 64 bits, texts that are not UTF-8, which the caller finds, or deep nesting
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise ConversionError(1216, "Invalid JSON document: it is nested too deeply") from error


def number_text(value: object) -> str:
    """A value as text: Redshift writes the seventeen digits of a JSON number that is no integer.

    Raises:
        ConversionError: It is nested too deeply.
    """
    return f"{value:.17g}" if isinstance(value, float) else json_text(value)


def invalid_digit(text: str, type_name: str, allowed: str = "0123456789") -> ConversionError:
    """Error 1207 for the first character of `text` that no number of this type holds."""
    start = 1 if text[:1] in {"+", "-"} else 0
    position = next((i for i in range(start, len(text)) if text[i] not in allowed), 0)
    reason = f"Invalid digit, Value '{text[position]}', Pos {position}, Type: {type_name}"
    return ConversionError(1207, reason)


def invalid_utf8(sequence: bytes) -> ConversionError:
    """Error 1220 for bytes that are not UTF-8; the numbers are those of the guide's page on such errors."""
    number = _utf8_error_number(sequence)
    reason = (
        "String contains invalid or unsupported UTF-8 codepoints. "
        f"Bad UTF-8 hex sequence: {sequence.hex(' ')} (error {number})"
    )
    return ConversionError(NOT_UTF8, reason)


def _utf8_error_number(sequence: bytes) -> int:
    first, second = (*sequence, 0, 0)[:2]
    if 0xF8 <= first <= 0xFD:
        return 1  # longer than the four bytes of a VARCHAR's characters
    if first == 0xED and second >= 0xA0:
        return 5  # half a surrogate pair
    if 0xC2 <= first <= 0xF4:
        return 2  # incomplete
    return 3  # no character begins so
