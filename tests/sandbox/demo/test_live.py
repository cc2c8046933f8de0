"""Events that happen now."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from sandbox.demo.live import LiveDay

DAY = LiveDay(date(2026, 11, 24), events=2_000)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_nothing_that_lies_ahead_is_shown():
    times = [json.loads(line)["ts"] for line in DAY.until(NOON)]
    assert times
    assert max(times) <= NOON.timestamp() * 1000


def test_a_later_look_only_adds_lines_at_the_end():
    earlier, later = DAY.until(NOON), DAY.until(NOON + timedelta(hours=1))
    assert later[: len(earlier)] == earlier
    assert len(later) > len(earlier)


def test_at_the_end_of_the_day_every_event_has_happened():
    assert len(DAY.until(NOON + timedelta(hours=12))) == 2_000


def test_the_same_day_is_the_same_for_whoever_writes_it():
    assert LiveDay(DAY.day, DAY.events).until(NOON) == DAY.until(NOON)


@pytest.mark.parametrize(
    ("day", "key"), [(date(2026, 1, 2), "log_data/2026/01/2026-01-02-events.json")], ids=["january"]
)
def test_its_file_is_named_as_the_source_names_it(day, key):
    assert LiveDay(day, 1).key == key
