"""SMALLINT, INTEGER, BIGINT, NUMERIC, REAL, DOUBLE PRECISION and BOOLEAN."""

import math
import re
import struct
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal

from sandbox.redshift.copy.conversion.values import NULL, Converter, invalid_digit, json_text, number_text
from sandbox.redshift.copy.errors import ConversionError

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SPECIAL_FLOAT = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_FLOAT_CHARACTERS = "0123456789.eE+-"
# NUMERIC holds at most 38 digits before and 37 behind the point.
_CONTEXT = Context(prec=100)
_MOST_DIGITS = 4000
_INFINITE = {math.inf, -math.inf}
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}


def integer_converter(type_name: str, byte_count: int) -> Converter:
    """A converter to an integer of 2, 4 or 8 bytes, which Redshift's messages call Short, Integer, Long.

    A JSON number without a fraction (1540919166796.0) is an integer; a real fraction is error 1207.
    """
    low, high = -(2 ** (8 * byte_count - 1)), 2 ** (8 * byte_count - 1) - 1

    def convert(value: object) -> str:
        number = value if type(value) is int else _integer(value, type_name)
        if number is None:
            return NULL
        if low <= number <= high:
            return str(number)
        raise ConversionError(1222, f"Overflow ({type_name} valid range {low} to {high})")

    return convert


def decimal_converter(precision: int | None, scale: int | None, *, round_decimals: bool) -> Converter:
    """A converter to NUMERIC(precision, scale): excess digits are cut, with ROUNDEC rounded half up.

    A JSON number with a fraction is the seventeen digits of its double, as in VARCHAR: 0.29 is cut to 0.28.
    The guide's page "COPY from JSON format" warns that such data "might not be rounded as you expect", and
    advises quotes or ROUNDEC.
    """
    digits, places = precision or 38, scale or 0
    step, limit = Decimal(1).scaleb(-places), Decimal(10) ** (digits - places)
    overflow = f"Overflow for NUMERIC({digits},{places})"
    rounding = ROUND_HALF_UP if round_decimals else ROUND_DOWN

    def convert(value: object) -> str:
        if value is None:
            return NULL
        text = number_text(value).strip()
        if not text:
            return NULL
        if not _DECIMAL.fullmatch(text):
            raise _bad_number(text, "Decimal", 1209)
        number = _decimal(text, overflow)
        if number.adjusted() < digits - places + 1:
            number = number.quantize(step, rounding=rounding, context=_CONTEXT)
        if number.copy_abs() >= limit:
            raise ConversionError(1204, overflow)
        return f"{number:f}"

    return convert


def float_converter(type_name: str) -> Converter:
    """A converter to REAL ('Float') or DOUBLE PRECISION ('Double')."""
    single = type_name == "Float"

    def convert(value: object) -> str:
        if value is None:
            return NULL
        if type(value) is float:
            number = value
        else:
            text = json_text(value).strip()
            if not text:
                return NULL
            if _SPECIAL_FLOAT.fullmatch(text):
                return text
            if not _DECIMAL.fullmatch(text):
                raise _bad_number(text, type_name, 1208)
            number = float(text)
        if single:
            number = _single(number)
        if number in _INFINITE:
            raise ConversionError(1204, f"Overflow ({type_name})")
        return repr(number)

    return convert


def boolean_converter() -> Converter:
    """A converter to BOOLEAN from true/t/yes/y/1 and false/f/no/n/0 in any case."""

    def convert(value: object) -> str:
        if value is None:
            return NULL
        text = json_text(value).strip().lower()
        if text in _TRUE:
            return "t"
        if text in _FALSE:
            return "f"
        if not text:
            return NULL
        raise ConversionError(1210, "Unknown boolean format")

    return convert


def _integer(value: object, type_name: str) -> int | None:
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        return int(value)
    text = json_text(value).strip()
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        raise invalid_digit(text, type_name)
    # Beyond any column's range; Python refuses to convert thousands of digits (sys.set_int_max_str_digits).
    digits = text.lstrip("+-0")[:_MOST_DIGITS] or "0"
    return -int(digits) if text[0] == "-" else int(digits)


def _decimal(text: str, overflow: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError as error:  # an exponent of twenty digits
        raise ConversionError(1204, overflow) from error


def _single(value: float) -> float:
    """The nearest number of four bytes: PostgreSQL refuses what is too small for one instead of rounding."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.inf
    return rounded


def _bad_number(text: str, type_name: str, code: int) -> ConversionError:
    if all(character in _FLOAT_CHARACTERS for character in text):
        return ConversionError(code, f"Invalid number '{text[:40]}', Type: {type_name}")
    return invalid_digit(text, type_name, _FLOAT_CHARACTERS)
