"""DATEFORMAT and TIMEFORMAT strings.

The elements are those of the guide's page "DATEFORMAT and TIMEFORMAT strings": unlike in SQL functions, HH
means HH24, SS takes fractions down to microseconds, and no time zone may be given.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH_PATTERN = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)

# Longest first: the first alternative that fits is taken.
_ELEMENTS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MON": rf"(?P<month_name>{MONTH_PATTERN})",
    "MM": r"(?P<month>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "HH24": r"(?P<hour>\d{1,2})",
    "HH12": r"(?P<hour>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "SS": r"(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6})\d*)?",
    "AM": r"(?P<meridiem>[ap]\.?m\.?)",
    "PM": r"(?P<meridiem>[ap]\.?m\.?)",
}
_ELEMENT = re.compile("|".join(_ELEMENTS) + r"|[TtZz](?![A-Za-z])|T(?=[HhMmSs])|[^A-Za-z]", re.IGNORECASE)


@dataclass(frozen=True)
class Moment:
    """A date and time of day, with the offset or zone that stood behind it ('' when none did)."""

    time: dt.datetime
    zone: str = ""
    before_christ: bool = False


Parser = Callable[[str], Moment]


def format_parser(text: str) -> Parser:
    """A parser of texts written like the format `text`; the parser raises ValueError when they are not.

    Raises:
        ValueError: The format has an element that DATEFORMAT and TIMEFORMAT do not know.
    """
    pattern = re.compile("".join(_patterns(text)) + r"\s*", re.IGNORECASE)

    def parse(value: str) -> Moment:
        match = pattern.fullmatch(value)
        if match is None:
            raise ValueError(value)
        return moment(match.groupdict())

    return parse


def _patterns(text: str) -> list[str]:
    patterns, position, seen = [], 0, set()
    while position < len(text):
        match = _ELEMENT.match(text, position)
        element = match.group().upper() if match else text[position:]
        if match is None or (element in _ELEMENTS and element in seen):
            raise ValueError(
                f"the format '{text}' has an unknown or repeated element at '{text[position:]}'; "
                "elements: YYYY YY MM MON DD HH HH24 HH12 MI SS AM PM"
            )
        seen.add(element)
        patterns.append(_ELEMENTS.get(element, re.escape(element)))
        position = match.end()
    return patterns


def moment(parts: dict[str, str | None]) -> Moment:
    """The moment that named parts (year, month or month_name, day, hour, …) describe.

    Raises:
        ValueError: There is no such day or time.
    """
    hour = int(parts.get("hour") or 0)
    meridiem = (parts.get("meridiem") or "").lower()
    if meridiem:
        if not 1 <= hour <= 12:
            raise ValueError("an hour with AM or PM is between 1 and 12")
        hour = hour % 12 + (12 if meridiem.startswith("p") else 0)
    time = dt.datetime(  # noqa: DTZ001 — a TIMESTAMP has no time zone
        _year(parts),
        _month(parts),
        int(parts.get("day") or 1),
        hour,
        int(parts.get("minute") or 0),
        int(parts.get("second") or 0),
        int((parts.get("fraction") or "0").ljust(6, "0")),
    )
    before_christ = bool(parts.get("era"))
    if before_christ and (time.month, time.day) == (2, 29):
        raise ValueError("leap years before Christ are others")  # 1 BC, 5 BC, …
    return Moment(time, parts.get("zone") or "", before_christ=before_christ)


def _year(parts: dict[str, str | None]) -> int:
    short = parts.get("short_year")
    if short is None:
        return int(parts.get("year") or 1)
    # As PostgreSQL reads two-digit years: 70 … 99 are of the last century.
    return int(short) + (1900 if int(short) >= 70 else 2000)


def _month(parts: dict[str, str | None]) -> int:
    name = parts.get("month_name")
    return MONTHS.index(name[:3].lower()) + 1 if name else int(parts.get("month") or 1)
