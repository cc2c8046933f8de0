"""DATEFORMAT 'auto' and TIMEFORMAT 'auto': dates and times in any of the documented forms.

The forms are those of the guide's page "Using automatic recognition with DATEFORMAT and TIMEFORMAT". Epoch
numbers are none of them.
"""

import datetime as dt
import re

from sandbox.redshift.copy.conversion.formats import MONTH_PATTERN, Moment, moment

_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?)?"
    r"(?:\s*(?P<meridiem>[ap]\.?m\.?))?"
)
_COMPACT_CLOCK = r"(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?"
# BC is no zone; it stands last, as in the guide's "Jan-08-95 BC".
_ZONE = r"(?:\s*(?P<zone>[+-]\d{1,2}(?::?\d{2})?|(?!bc$)[a-z]{1,4}))?"
_ERA = r"(?:\s*(?P<era>bc))?"
_MONTH_NAME = rf"(?P<month_name>{MONTH_PATTERN})"
_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_ANY_YEAR = r"(?P<year>\d{1,4})"

_TIME = rf"(?:\s+{_CLOCK}{_ZONE})?"
_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}(?:[T\s]\s*{_CLOCK}{_ZONE})?{_ERA}",
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?:[T\s]\s*(?:{_COMPACT_CLOCK}){_ZONE})?{_ERA}",
        rf"(?P<short_year>\d\d)(?P<month>\d\d)(?P<day>\d\d)(?:\s+{_COMPACT_CLOCK}{_ZONE})?",
        rf"{_YEAR}\.(?P<day_of_year>\d{{3}}){_TIME}",
        rf"J(?P<julian>\d+){_TIME}",
        rf"{_DAY}[-/\s]{_MONTH_NAME}[-/,\s]\s*{_YEAR}{_TIME}{_ERA}",
        rf"{_YEAR}[-/\s]{_MONTH_NAME}[-/\s]{_DAY}{_TIME}{_ERA}",
        rf"{_MONTH_NAME}[-/.\s]\s*{_DAY}[-/,\s]\s*{_YEAR}{_TIME}{_ERA}",
        rf"{_MONTH_NAME}[-\s]{_DAY}[-,\s]\s*{_ANY_YEAR}{_TIME}\s*(?P<era>bc)",
        rf"{_DAY}\s+{_MONTH_NAME}\s+{_CLOCK}\s+{_YEAR}{_ZONE}{_ERA}",
        rf"{_MONTH_NAME}\s+{_DAY}\s+{_CLOCK}\s+{_YEAR}{_ZONE}{_ERA}",
    )
]
# Month first, as in the documented examples; day first when the first number is no month.
_NUMBERS_ONLY = re.compile(
    rf"(?P<month>\d{{1,2}})(?P<sign>[-/.])(?P<day>\d{{1,2}})(?P=sign){_YEAR}{_TIME}{_ERA}",
    re.IGNORECASE,
)
# The Julian day of 0001-01-01 in the Gregorian calendar.
_JULIAN_DAY_OF_YEAR_1 = 1_721_426


def recognize(text: str) -> Moment:
    """The moment that `text` names.

    Raises:
        ValueError: It is in none of the documented forms, or there is no such day.
    """
    for pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            return _moment(match.groupdict())
    if match := _NUMBERS_ONLY.fullmatch(text):
        parts = match.groupdict()
        if int(parts["month"]) > 12:
            parts["month"], parts["day"] = parts["day"], parts["month"]
        return _moment(parts)
    raise ValueError(text)


def _moment(parts: dict[str, str | None]) -> Moment:
    day_of_year, julian = parts.get("day_of_year"), parts.get("julian")
    if day_of_year is None and julian is None:
        return moment(parts)
    start = moment(parts)
    if julian is not None:
        return Moment(_after(start.time, int(julian) - _JULIAN_DAY_OF_YEAR_1), start.zone)
    found = _after(start.time, int(day_of_year or 0) - 1)
    if found.year != start.time.year:
        raise ValueError(f"the year has no day {day_of_year}")
    return Moment(found, start.zone)


def _after(start: dt.datetime, days: int) -> dt.datetime:
    try:
        return start + dt.timedelta(days)
    except OverflowError as error:
        raise ValueError(f"{days} days after {start} is out of range") from error
