"""How many events fall on which day, and at which hour sessions begin."""

from datetime import date, timedelta

from sandbox.demo.sample.chance import cumulative, stream

_WEEKDAYS = (1.0, 1.1, 1.2, 1.15, 1.1, 0.6, 0.55)
"""Monday to Sunday: people listen at work."""
_HOURS = (24, 20, 16, 14, 14, 20, 32, 38, 44, 58, 72, 76, 70, 78, 88, 98, 112, 108, 96, 76, 62, 52, 42, 32)
HOURS = cumulative(_HOURS)
"""Rising shares of sessions that begin in each hour of the day (UTC)."""


def days(seed: int, start: date, count: int, events: int) -> list[tuple[date, int]]:
    """Share exactly ``events`` among ``count`` days from ``start``; working days get more."""
    dates = [start + timedelta(days=number) for number in range(count)]
    shares = [_WEEKDAYS[day.weekday()] * (0.8 + 0.4 * stream(seed, "share", day).random()) for day in dates]
    ends = [round(share * events) for share in cumulative(shares)]
    return [(day, end - begin) for day, begin, end in zip(dates, [0, *ends], ends, strict=False)]
