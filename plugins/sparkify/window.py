"""The half-open UTC window [start, end) that one run loads, resolved in one place for every operator."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_HOW = (
    "Trigger with params window_start and window_end, for example "
    '{"window_start": "2018-11-01T00:00:00+00:00", "window_end": "2018-11-02T00:00:00+00:00"}, '
    "or with a logical date, which gives the last whole hour before it."
)


class WindowError(ValueError):
    """The run has no window, or one that is empty, reversed or not a time; the message says what to enter."""


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open interval [start, end) of UTC time; both ends are aware datetimes in UTC.

    Raises:
        WindowError: the window is empty or reversed, or an end has no time zone.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value: datetime = getattr(self, name)
            if value.tzinfo is None:
                raise WindowError(f"window_{name} {value.isoformat()} has no time zone. {_HOW}")
            object.__setattr__(self, name, value.astimezone(UTC))
        if self.start >= self.end:
            kind = "empty" if self.start == self.end else "reversed"
            raise WindowError(f"The window {self} is {kind}: its start must lie before its end. {_HOW}")

    def __str__(self) -> str:
        return f"[{self.start.isoformat()}, {self.end.isoformat()})"

    @property
    def values(self) -> dict[str, datetime]:
        """The ends as naive UTC, which is what TIMESTAMP columns hold, under the names that SQL files use."""
        return {
            "window_start": self.start.replace(tzinfo=None),
            "window_end": self.end.replace(tzinfo=None),
        }

    def expand(self, pattern: str) -> list[str]:
        """Return `pattern` (strftime) once for each name it takes inside the window, oldest first.

        Args:
            pattern: for example `log_data/%Y/%m/%Y-%m-%d-events.json`; it changes at most once an hour.

        Raises:
            WindowError: the pattern names minutes or seconds; such files are loaded by prefix.
        """
        if re.search(r"%[MSfsTXcRr]", pattern.replace("%%", "")):
            raise WindowError(
                f"The key pattern {pattern!r} changes within an hour: stage it by prefix instead."
            )
        return list(dict.fromkeys(hour.strftime(pattern) for hour in self._hours()))

    def _hours(self) -> Iterator[datetime]:
        hour = self.start.replace(minute=0, second=0, microsecond=0)
        while hour < self.end:
            yield hour
            hour += timedelta(hours=1)


# Bounds for a SELECT that is to see all of history; inside what TIMESTAMP holds on every engine.
ALL_TIME = Window(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def resolve_window(context: Mapping[str, Any]) -> Window:
    """Return the window of a run: params window_start/window_end, else its data interval.

    The logical date never decides: a manual run at 05:00 covers 04:00 to 05:00, a scheduled one with the
    same logical date covers 05:00 to 06:00; only the data interval says which.

    Args:
        context: the task's Airflow context; `data_interval_start`/`_end` are absent from it when the run has
            no logical date.

    Raises:
        WindowError: neither gives a window, only one param is given, or the window is empty or reversed.
    """
    params = context.get("params") or {}
    start, end = params.get("window_start"), params.get("window_end")
    if bool(start) != bool(end):
        given, missing = ("window_start", "window_end") if start else ("window_end", "window_start")
        raise WindowError(f"{given} is given but {missing} is not: give both or neither. {_HOW}")
    if start and end:
        return Window(_parse("window_start", start), _parse("window_end", end))
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None:
        raise WindowError(f"This run has no window: it has no data interval and no params. {_HOW}")
    return Window(start, end)


def _parse(name: str, value: str | datetime) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise WindowError(
            f"{name} {value!r} is not a time such as 2018-11-01T00:00:00+00:00. {_HOW}"
        ) from error
