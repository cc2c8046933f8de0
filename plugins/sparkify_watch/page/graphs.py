"""The graphs on the pages of loads and checks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from sparkify_watch import charts
from sparkify_watch.mirror.read import LoadDay
from sparkify_watch.mirror.read_quality import Result

DAYS = 60
"""How many days are drawn at most."""

_FEWEST = 14


def draw_days(days: Sequence[LoadDay], table: str) -> list[Markup]:
    """Draw rows and time of each day's loads of a table, days oldest first; one without loads is a gap."""
    if not days:
        return []
    known = {each.day: each for each in days}
    last = days[-1].day
    first = min(days[0].day, last - timedelta(days=_FEWEST - 1))
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)][-DAYS:]
    rows = [(f"{day:%d %b}", known[day].rows_inserted if day in known else 0) for day in every]
    took = [(f"{day:%d %b}", known[day].seconds / known[day].loads if day in known else 0) for day in every]
    return [
        _svg(charts.columns(rows, f"Rows written to {table}, by the day of the load")),
        _svg(charts.columns(took, f"Seconds that a load of {table} took, by the day of the load")),
    ]


def draw_results(results: Sequence[Result]) -> Markup:
    """Draw the last results of a check, given newest first, as a strip from the oldest to the newest."""
    items = [(f"{each.checked_at:%Y-%m-%d %H:%M}: {each.status}", each.status) for each in reversed(results)]
    bad = sum(not each.is_good for each in results)
    return _svg(charts.strip(items, f"{len(results)} last results, {bad} not passed"))


def draw_observed(results: Sequence[Result]) -> Markup | None:
    """Draw what a check saw, results given newest first; nothing where that is no number."""
    seen = [(each.checked_at, _number(each.observed)) for each in reversed(results)]
    points: list[tuple[datetime, float]] = [(at, value) for at, value in seen if value is not None]
    if len(points) < 2 or any(value < 0 for _, value in points):
        return None
    return _svg(charts.lines({"observed": points}, "What the check saw"))


def _number(text: str | None) -> float | None:
    try:
        return float((text or "").replace(",", ""))
    except ValueError:
        return None


def _svg(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - drawn by us, and what others wrote is escaped there
