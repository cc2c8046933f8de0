"""The half-open UTC window [start, end) that one run loads, resolved in one place for every operator."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sparkify.failures import FatalError

_HOUR = timedelta(hours=1)
# After 28 years (until 2100) dates, weekdays and weeks are the same again, and only the year is another.
_CALENDAR = timedelta(days=10_227)
# Of which files can be named: four digits, and room for looking back and for a calendar.
_YEARS = range(1000, 9900)
_HOW = (
    "Trigger with params window_start and window_end, for example "
    '{"window_start": "2018-11-01T00:00:00+00:00", "window_end": "2018-11-02T00:00:00+00:00"}, '
    "or with a logical date, which gives the last whole hour before it."
)


class WindowError(FatalError):
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
                raise WindowError(f"window_{name} {value.isoformat()} has no time zone.", _HOW)
            # A plain datetime also where Airflow gives pendulum's, which computes by rules of its own.
            plain = datetime.fromisoformat(value.isoformat()).astimezone(UTC)
            object.__setattr__(self, name, plain)
        if self.start >= self.end:
            kind = "empty" if self.start == self.end else "reversed"
            raise WindowError(f"The window {self} is {kind}: its start must lie before its end.", _HOW)

    def __str__(self) -> str:
        return f"[{self.start.isoformat()}, {self.end.isoformat()})"

    @property
    def is_wide(self) -> bool:
        """Whether it is longer than a day."""
        return self.end - self.start > timedelta(days=1)

    @property
    def values(self) -> dict[str, datetime]:
        """The ends as naive UTC, which is what TIMESTAMP columns hold, under the names that SQL files use."""
        return {
            "window_start": self.start.replace(tzinfo=None),
            "window_end": self.end.replace(tzinfo=None),
        }

    def periods(self, pattern: str) -> dict[str, "Window"]:
        """Return `pattern` (strftime) once for each name it takes inside the window, oldest first.

        Args:
            pattern: for example `log_data/%Y/%m/%Y-%m-%d-events.json`; it changes at most once an hour.

        Returns:
            Each name with the whole period in which the pattern gives it: that of `%Y-%m-%d.json` is the day,
            also where the window covers an hour of it. A pattern without a year gives the same names again
            and again: their period is ALL_TIME.

        Raises:
            WindowError: the pattern names minutes or seconds, or gives a name for times that lie apart.
        """
        if self.start.year not in _YEARS or self.end.year not in _YEARS:
            raise WindowError(f"The window {self} has no files: its years are not of this world.", _HOW)
        first = self._first_hour
        if first.strftime(pattern) != (first + timedelta(minutes=31, seconds=31)).strftime(pattern):
            raise WindowError(
                f"The key pattern {pattern!r} changes within an hour: stage it by prefix instead."
            )
        if first.strftime(pattern) == (first + _CALENDAR).strftime(pattern):
            return dict.fromkeys((hour.strftime(pattern) for hour in self._hours()), ALL_TIME)
        hours = [*_while_same(pattern, self._first_hour, -_HOUR), *self._hours()]
        hours += _while_same(pattern, hours[-1], _HOUR)
        periods: dict[str, Window] = {}
        for hour in sorted(hours):
            name = hour.strftime(pattern)
            start = periods[name].start if name in periods else hour
            if name in periods and periods[name].end != hour:
                raise WindowError(f"The key pattern {pattern!r} gives {name!r} for times that lie apart.")
            periods[name] = Window(start, hour + _HOUR)
        return periods

    @classmethod
    def of_hour(cls, hour: datetime) -> "Window":
        """Return the window of the hour that begins at an aware time."""
        return cls(hour, hour + _HOUR)

    @property
    def _first_hour(self) -> datetime:
        return self.start.replace(minute=0, second=0, microsecond=0)

    def _hours(self) -> Iterator[datetime]:
        hour = self._first_hour
        while hour < self.end:
            yield hour
            hour += _HOUR


# Bounds for a SELECT that is to see all of history; inside what TIMESTAMP holds on every engine.
ALL_TIME = Window(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def merge(windows: Iterable[Window]) -> list[Window]:
    """Return the time that `windows` cover as the fewest windows, oldest first."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda window: window.start):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def common(left: Iterable[Window], right: Iterable[Window]) -> list[Window]:
    """Return the time that lies in both, oldest first."""
    others = merge(right)
    return [
        Window(max(window.start, other.start), min(window.end, other.end))
        for window in merge(left)
        for other in others
        if max(window.start, other.start) < min(window.end, other.end)
    ]


def without(windows: Iterable[Window], taken: Window) -> list[Window]:
    """Return the time of `windows` that does not lie in `taken`, oldest first."""
    around = [(ALL_TIME.start, taken.start), (taken.end, ALL_TIME.end)]
    return common(windows, [Window(start, end) for start, end in around if start < end])


def in_any(column: str, windows: Sequence[Window]) -> tuple[str, dict[str, datetime]]:
    """Return an SQL condition, that a column (quoted) lies in one of the windows, and its values."""
    values: dict[str, datetime] = {}
    for n, window in enumerate(windows):
        values |= {f"{edge}{n}": window.values[f"window_{edge}"] for edge in ("start", "end")}
    places = [f"({column} >= %(start{n})s AND {column} < %(end{n})s)" for n in range(len(windows))]
    return " OR ".join(places) or "FALSE", values


def _while_same(pattern: str, hour: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield the hours next to `hour` as long as the pattern gives the same name."""
    name = hour.strftime(pattern)
    hour += step
    while hour.strftime(pattern) == name:
        yield hour
        hour += step


def resolve_window(context: Mapping[str, Any]) -> Window:
    """Return the window of a run: params window_start/window_end, its data interval or what triggered it.

    A run that events of assets have triggered covers the windows of all of them, and what lies between.

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
        raise WindowError(f"{given} is given but {missing} is not: give both or neither.", _HOW)
    if start and end:
        return Window(_parse("window_start", start), _parse("window_end", end))
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is not None and end is not None:
        return Window(start, end)
    if told := merge(_told_windows(context)):
        return Window(told[0].start, told[-1].end)
    raise WindowError("This run has no window: it has no data interval and no params.", _HOW)


def _told_windows(context: Mapping[str, Any]) -> Iterator[Window]:
    """Yield the windows that the events which have triggered a run tell of."""
    for events in (context.get("triggering_asset_events") or {}).values():
        for event in events:
            for ends in (event.extra, *event.extra.get("other_windows", ())):
                start, end = ends.get("window_start"), ends.get("window_end")
                if start and end:
                    yield Window(_parse("window_start", start), _parse("window_end", end))


def _parse(name: str, value: str | datetime) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise WindowError(
            f"{name} {value!r} is not a time such as 2018-11-01T00:00:00+00:00.", _HOW
        ) from error
