"""The periods that key patterns name, and what windows have in common."""

from datetime import UTC, datetime

import pendulum
import pytest

from sparkify.window import ALL_TIME, Window, WindowError, common, merge, without


def window(start: str, end: str) -> Window:
    return Window(*(datetime.fromisoformat(f"2018-11-{text}+00:00") for text in (start, end)))


def test_the_period_of_a_days_file_is_the_day_also_where_the_window_is_an_hour_of_it():
    assert window("15T09:00", "15T10:00").periods("%Y-%m-%d") == {
        "2018-11-15": window("15T00:00", "16T00:00")
    }


def test_a_window_over_midnight_has_two_days():
    assert window("15T23:30", "16T00:30").periods("%Y-%m-%d") == {
        "2018-11-15": window("15T00:00", "16T00:00"),
        "2018-11-16": window("16T00:00", "17T00:00"),
    }


def test_an_hours_file_has_its_hour():
    assert window("15T09:10", "15T09:20").periods("%Y-%m-%dT%H") == {
        "2018-11-15T09": window("15T09:00", "15T10:00")
    }


def test_a_months_file_has_its_month():
    [period] = window("15T09:00", "15T10:00").periods("%Y/%m").values()
    assert period == Window(datetime(2018, 11, 1, tzinfo=UTC), datetime(2018, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize("pattern", ["all.json", "%H.json", "%m-%d", "%%Y"])
def test_a_name_without_a_year_stands_for_all_time(pattern):
    assert set(window("15T09:00", "15T10:00").periods(pattern).values()) == {ALL_TIME}


@pytest.mark.parametrize("pattern", ["%F.json", "%Y%j", "%G-%V-%u", "%y/%m/%d"])
def test_any_way_of_writing_a_day_has_its_day(pattern):
    [period] = window("15T09:00", "15T10:00").periods(pattern).values()
    assert period == window("15T00:00", "16T00:00")


@pytest.mark.parametrize("pattern", ["%Y-%m-%d-%-M", "%F %T", "%s", "%Y/%m/%d/%S"])
def test_a_name_that_changes_within_an_hour_is_refused_however_it_is_written(pattern):
    with pytest.raises(WindowError, match="changes within an hour"):
        window("15T09:00", "15T10:00").periods(pattern)


def test_a_name_for_times_that_lie_apart_is_refused():
    with pytest.raises(WindowError, match="gives '2018/09' for times that lie apart"):
        window("15T09:00", "17T00:00").periods("%Y/%H")


def test_the_ends_of_a_window_are_plain_datetimes_also_when_airflow_gives_its_own():
    made = Window(pendulum.datetime(2018, 11, 15, 9), pendulum.datetime(2018, 11, 15, 10))
    assert type(made.start) is datetime
    assert made == window("15T09:00", "15T10:00")


def test_windows_that_touch_or_overlap_are_merged():
    merged = merge(
        [window("16T00:00", "17T00:00"), window("15T09:00", "15T10:00"), window("15T09:30", "15T11:00")]
    )
    assert merged == [window("15T09:00", "15T11:00"), window("16T00:00", "17T00:00")]
    assert merge([window("15T09:00", "15T10:00"), window("15T10:00", "15T11:00")]) == [
        window("15T09:00", "15T11:00")
    ]


def test_common_time_is_what_lies_in_both():
    hours = [window("15T09:00", "15T10:00"), window("15T12:00", "15T13:00")]
    assert common(hours, [window("15T09:30", "15T12:15")]) == [
        window("15T09:30", "15T10:00"),
        window("15T12:00", "15T12:15"),
    ]
    assert common(hours, [window("15T10:00", "15T12:00")]) == []


def test_a_window_taken_out_of_a_day_leaves_what_is_around_it():
    day = [window("15T00:00", "16T00:00")]
    assert without(day, window("15T09:00", "15T10:00")) == [
        window("15T00:00", "15T09:00"),
        window("15T10:00", "16T00:00"),
    ]
    assert without(day, window("14T00:00", "17T00:00")) == []
