"""How times, numbers and sizes are written on pages: the filters of templates."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

DASH = "–"  # noqa: RUF001 - what stands where there is nothing


def number(value: float | None) -> str:
    """Return a number with commas, or a dash."""
    return DASH if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """Return bytes in a unit that a person reads."""
    if value is None:
        return DASH
    left = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if left < 1000:
            return f"{left:.0f} {unit}" if unit == "B" else f"{left:.1f} {unit}"
        left /= 1000
    return f"{left:.1f} TB"


def time(value: datetime | None) -> str:
    """Return a time (naive UTC) to the second, or a dash."""
    return DASH if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def minute(value: datetime | None) -> str:
    """Return a time (naive UTC) to the minute, or a dash."""
    return DASH if value is None else f"{value:%Y-%m-%d %H:%M}"


def duration(seconds: float | None) -> str:
    """Return a span of time in its largest two units at most, or a dash."""
    if seconds is None:
        return DASH
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    for length, unit, smaller in ((86_400, "d", "h"), (3_600, "h", "min"), (60, "min", "s")):
        if seconds >= length:
            whole, rest = divmod(int(seconds), length)
            below = {"h": 3_600, "min": 60, "s": 1}[smaller]
            return f"{whole} {unit} {rest // below} {smaller}" if rest // below else f"{whole} {unit}"
    raise AssertionError("unreachable")


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a time (naive UTC) was."""
    if value is None:
        return "never"
    now = now or datetime.now(UTC).replace(tzinfo=None)
    seconds = max((now - value).total_seconds(), 0)
    return "now" if seconds < 2 else f"{duration(round(seconds))} ago"


FILTERS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (number, size, time, minute, duration, ago)
}
