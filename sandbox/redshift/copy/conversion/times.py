"""DATE, TIME, TIMESTAMP and TIMESTAMPTZ."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from functools import cache, lru_cache

from sandbox.redshift.copy.conversion.formats import Moment, Parser, format_parser, moment
from sandbox.redshift.copy.conversion.recognition import recognize
from sandbox.redshift.copy.conversion.values import NULL, Converter, json_text
from sandbox.redshift.copy.errors import ConversionError
from sandbox.redshift.copy.options import Options

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?"
_DATE = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
_OFFSET = r"\s*(?P<zone>[+-]\d{1,2}(?::?\d{2})?)?"
_DEFAULT_DATE = re.compile(_DATE)
_DEFAULT_TIMESTAMP = re.compile(rf"{_DATE}(?: {_CLOCK})?")
_DEFAULT_TIMESTAMPTZ = re.compile(rf"{_DATE}(?: {_CLOCK}{_OFFSET})?")
_DEFAULT_TIME = re.compile(_CLOCK)

# Zones by name that 'auto' knows, as offsets from UTC in hours.
_ZONES = {"": 0, "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}
_ZONES |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9}
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d*)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_MICROSECONDS_A_DAY = 86_400_000_000
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
LAST_SECOND = 253_402_300_799  # of the year 9999


def date_converter(options: Options) -> Converter:
    """A converter to DATE by DATEFORMAT; the time of day that 'auto' recognizes is dropped."""
    parse = _parser(options.date_format, _DEFAULT_DATE)
    reason = f"Invalid Date Format or value [{options.date_format or 'YYYY-MM-DD'}]"

    def convert(text: str) -> str:
        if options.date_format is None and len(text) < 10:
            raise ConversionError(1205, "Invalid Date Format - length must be 10 or more")
        found = _parsed(parse, text, 1205, reason)
        return found.time.date().isoformat() + (" BC" if found.before_christ else "")

    return _of_text(convert, options)


def timestamp_converter(options: Options, *, with_zone: bool) -> Converter:
    """A converter to TIMESTAMP, or with a zone to TIMESTAMPTZ, by TIMEFORMAT."""
    time_format = options.time_format
    if time_format in {"epochsecs", "epochmillisecs"}:
        return _epoch_converter(options, milliseconds=time_format == "epochmillisecs", with_zone=with_zone)
    parse = _parser(time_format, _DEFAULT_TIMESTAMPTZ if with_zone else _DEFAULT_TIMESTAMP)
    shown = time_format or ("YYYY-MM-DD HH24:MI:SSOF" if with_zone else "YYYY-MM-DD HH24:MI:SS")
    reason = f"Invalid timestamp format or value [{shown}]"

    def convert(text: str) -> str:
        found = _parsed(parse, text, 1206, reason)
        try:
            zone = _offset(found.zone) if with_zone else ""
        except ValueError as error:
            raise ConversionError(1206, reason) from error
        return found.time.isoformat(" ") + zone + (" BC" if found.before_christ else "")

    return _of_text(convert, options)


def time_converter(options: Options) -> Converter:
    """A converter to TIME from HH:MI:SS with a fraction down to microseconds."""
    parse = _pattern_parser(_DEFAULT_TIME)

    def convert(text: str) -> str:
        return _parsed(parse, text, 1206, "Invalid time format or value [HH24:MI:SS]").time.time().isoformat()

    return _of_text(convert, options)


def _of_text(convert: Callable[[str], str], options: Options) -> Converter:
    """A converter that gives texts to `convert`: empty ones are NULL, so are bad ones with ACCEPTANYDATE."""

    def convert_value(value: object) -> str:
        if value is None:
            return NULL
        text = json_text(value).strip()
        if not text:
            return NULL
        try:
            return convert(text)
        except ConversionError:
            if options.accept_any_date:
                return NULL
            raise

    return convert_value


def _epoch_converter(options: Options, *, milliseconds: bool, with_zone: bool) -> Converter:
    per_unit = 1000 if milliseconds else 1_000_000
    reason = f"Invalid timestamp format or value [{options.time_format}]"
    zone = "+00" if with_zone else ""

    def convert(text: str) -> str:
        if not _NUMBER.fullmatch(text):
            raise ConversionError(1206, reason)
        return formatted(int((Decimal(text) * per_unit).to_integral_value(ROUND_FLOOR)))

    def formatted(microseconds: int) -> str:
        days, rest = divmod(microseconds, _MICROSECONDS_A_DAY)
        seconds, fraction = divmod(rest, 1_000_000)
        try:
            day = day_text(days)
        except (ValueError, OverflowError) as error:
            raise ConversionError(1206, reason) from error
        return f"{day} {clock[seconds]}.{fraction:06d}{zone}"

    clock = clock_times()
    last_quick = LAST_SECOND * (1000 if milliseconds else 1)
    convert_other = _of_text(convert, options)

    def convert_value(value: object) -> str:
        # Nearly every epoch is a whole number within the years 1 … 9999: one short way for these.
        if type(value) is int and 0 <= value <= last_quick:
            return formatted(value * per_unit)
        return convert_other(value)

    return convert_value


@cache
def clock_times() -> list[str]:
    """Every second of a day as HH:MM:SS."""
    of_an_hour = [f":{second // 60:02d}:{second % 60:02d}" for second in range(3600)]
    return [f"{hour:02d}{rest}" for hour in range(24) for rest in of_an_hour]


@lru_cache(maxsize=4096)
def day_text(days: int) -> str:
    """The day that begins so many days after 1970-01-01 began."""
    return dt.date.fromordinal(_EPOCH_DAY + days).isoformat()


def _parser(text: str | None, default: re.Pattern[str]) -> Parser:
    if text == "auto":
        return recognize
    return format_parser(text) if text else _pattern_parser(default)


def _pattern_parser(pattern: re.Pattern[str]) -> Parser:
    def parse(text: str) -> Moment:
        match = pattern.fullmatch(text)
        if match is None:
            raise ValueError(text)
        return moment(match.groupdict())

    return parse


def _parsed(parse: Parser, text: str, code: int, reason: str) -> Moment:
    try:
        return parse(text)
    except ValueError as error:
        raise ConversionError(code, reason) from error


def _offset(zone: str) -> str:
    """`zone` as ±HH:MM."""
    if zone.upper() in _ZONES:
        return f"{_ZONES[zone.upper()]:+03d}:00"
    match = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", zone)
    if match is None or int(match[2]) > 14:
        raise ValueError(f"unknown time zone {zone}")
    return f"{match[1]}{int(match[2]):02d}:{match[3] or '00'}"
