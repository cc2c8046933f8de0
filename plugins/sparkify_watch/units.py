"""The unit by which a dataset is loaded: an hour, a day or a month."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum


class Unit(StrEnum):
    """A stretch of the calendar, in UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    def begin(self, moment: datetime) -> datetime:
        """Return the beginning of the unit in which a moment lies."""
        begin = moment.replace(minute=0, second=0, microsecond=0)
        if self is not Unit.HOUR:
            begin = begin.replace(hour=0)
        if self in (Unit.MONTH, Unit.YEAR):
            begin = begin.replace(day=1)
        return begin.replace(month=1) if self is Unit.YEAR else begin

    def after(self, begin: datetime) -> datetime:
        """Return the beginning of the next unit."""
        if self is Unit.HOUR:
            return begin + timedelta(hours=1)
        # From the beginning of any, so many days lead into the next and not beyond.
        days = {Unit.DAY: 1, Unit.MONTH: 31, Unit.YEAR: 366}[self]
        return self.begin(begin + timedelta(days=days))

    def before(self, begin: datetime) -> datetime:
        """Return the beginning of the unit before the one that begins then."""
        return self.begin(begin - timedelta(hours=1))

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the beginnings of the units from `start` to `end`, and where the last of them ends."""
        return list(self._edges(start, end))

    def _edges(self, start: datetime, end: datetime) -> Iterator[datetime]:
        edge = start
        while edge < end:
            yield edge
            edge = self.after(edge)
        yield edge
