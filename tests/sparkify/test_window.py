from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from sparkify.window import Window, WindowError, resolve_window

NINE = datetime(2018, 11, 15, 9, tzinfo=UTC)
TEN = datetime(2018, 11, 15, 10, tzinfo=UTC)


def test_the_window_is_the_data_interval_where_no_params_are_given():
    context = {
        "params": {"window_start": None, "window_end": None},
        "data_interval_start": NINE,
        "data_interval_end": TEN,
    }
    assert resolve_window(context) == Window(NINE, TEN)


def test_params_win_over_the_data_interval():
    params = {"window_start": "2018-11-01T00:00:00.000Z", "window_end": "2018-11-02T01:00:00+01:00"}
    window = resolve_window({"params": params, "data_interval_start": NINE, "data_interval_end": TEN})
    assert window == Window(datetime(2018, 11, 1, tzinfo=UTC), datetime(2018, 11, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "This run has no window"),
        ({"window_start": "2018-11-01T00:00:00Z"}, "window_start is given but window_end is not"),
        ({"window_end": "2018-11-01T00:00:00Z"}, "window_end is given but window_start is not"),
        ({"window_start": "2018-11-01T00:00:00Z", "window_end": "2018-11-01T00:00:00Z"}, "is empty"),
        ({"window_start": "2018-11-02T00:00:00Z", "window_end": "2018-11-01T00:00:00Z"}, "is reversed"),
        ({"window_start": "yesterday", "window_end": "2018-11-01T00:00:00Z"}, "'yesterday' is not a time"),
        ({"window_start": "2018-11-01T00:00:00", "window_end": "2018-11-02T00:00:00Z"}, "has no time zone"),
    ],
)
def test_a_run_without_a_usable_window_is_refused_with_what_to_enter(params, message):
    with pytest.raises(WindowError, match=message) as caught:
        resolve_window({"params": params})
    assert '"window_start": "2018-11-01T00:00:00+00:00"' in str(caught.value)


def test_a_zero_length_data_interval_is_refused():
    with pytest.raises(WindowError, match="is empty"):
        resolve_window({"params": {}, "data_interval_start": NINE, "data_interval_end": NINE})


def test_bound_values_are_naive_utc_whatever_zone_the_ends_came_in():
    paris = timezone(timedelta(hours=1))
    window = Window(datetime(2018, 11, 15, 10, tzinfo=paris), TEN)
    assert window.values == {
        "window_start": datetime(2018, 11, 15, 9),
        "window_end": datetime(2018, 11, 15, 10),
    }


def test_a_key_pattern_gives_every_day_that_the_window_touches_once():
    window = Window(datetime(2018, 10, 31, 23, 30, tzinfo=UTC), datetime(2018, 11, 2, tzinfo=UTC))
    assert list(window.periods("log/%Y/%m/%d.json")) == ["log/2018/10/31.json", "log/2018/11/01.json"]


def test_an_hourly_pattern_gives_the_hour_of_a_window_inside_it():
    window = Window(NINE + timedelta(minutes=10), NINE + timedelta(minutes=20))
    assert list(window.periods("%Y-%m-%dT%H")) == ["2018-11-15T09"]


def test_a_pattern_that_changes_within_an_hour_is_refused():
    with pytest.raises(WindowError, match="changes within an hour"):
        Window(NINE, TEN).periods("%Y/%H%M.json")


def test_the_end_of_the_window_belongs_to_the_next():
    assert list(Window(NINE, TEN).periods("%H")) == ["09"]


def test_a_run_that_assets_have_triggered_covers_what_their_events_tell_of():
    def told(start, end, **more):
        return SimpleNamespace(
            extra={"window_start": start.isoformat(), "window_end": end.isoformat(), **more}
        )

    hour = timedelta(hours=1)
    late = {"window_start": "2018-11-14T00:00:00+00:00", "window_end": "2018-11-14T01:00:00+00:00"}
    events = {
        "one": [told(NINE, TEN), told(TEN, TEN + hour)],
        "two": [told(NINE, TEN, other_windows=[late]), SimpleNamespace(extra={})],
    }
    context = {"params": {}, "triggering_asset_events": events}
    assert resolve_window(context) == Window(datetime(2018, 11, 14, tzinfo=UTC), TEN + hour)
    interval = {"data_interval_start": NINE, "data_interval_end": TEN}
    assert resolve_window({**context, **interval}) == Window(NINE, TEN)


def test_events_without_a_window_give_a_run_none():
    events = {"songs": [SimpleNamespace(extra={"window_start": None, "window_end": None})]}
    with pytest.raises(WindowError, match="This run has no window"):
        resolve_window({"params": {}, "triggering_asset_events": events})
