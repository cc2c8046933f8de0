"""Dates and times of day in COPY's files."""

import datetime as dt

import pytest

from tests.sandbox.redshift.converting import NULL, TIMESTAMP, TIMESTAMPTZ, convert, refused


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        ("2018-11-02", {}, "2018-11-02"),
        ("2018-11-02 01:25:34", {"date_format": "auto"}, "2018-11-02"),
        ("03/31/2003", {"date_format": "MM/DD/YYYY"}, "2003-03-31"),
        ("March 31, 2003", {"date_format": "MON DD, YYYY"}, "2003-03-31"),
        ("31.12.99", {"date_format": "dd.mm.yy"}, "1999-12-31"),
        (20181102, {"date_format": "auto"}, "2018-11-02"),
        ("Jan-08-95 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("0095-01-08 04:05:06 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("08 Jan 0095 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("01/08/0095 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("1996.008", {"date_format": "auto"}, "1996-01-08"),
        ("J2451187", {"date_format": "auto"}, "1999-01-08"),
        ("not a date", {"accept_any_date": True}, NULL),
    ],
)
def test_dates(value, options, text):
    assert convert("date", value, **options) == text


@pytest.mark.parametrize(
    ("value", "options", "reason"),
    [
        ("2018-1-2", {}, "Invalid Date Format - length must be 10 or more"),
        ("2018-02-30", {}, "Invalid Date Format or value [YYYY-MM-DD]"),
        ("2018-11-02T01:02:03", {}, "Invalid Date Format or value [YYYY-MM-DD]"),
        ("1996.008 BC", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("J2451187 BC", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("0004-02-29 BC", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("1996.367", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("31.13.99", {"date_format": "DD.MM.YY"}, "Invalid Date Format or value [DD.MM.YY]"),
    ],
)
def test_what_is_no_date(value, options, reason):
    assert refused("date", value, **options) == (1205, reason)


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        ("2018-11-02 01:25:34", {}, "2018-11-02 01:25:34"),
        ("2018-11-02 01:25:34.796", {}, "2018-11-02 01:25:34.796000"),
        ("2018-11-02", {}, "2018-11-02 00:00:00"),
        (1541121934796, {"time_format": "epochmillisecs"}, "2018-11-02 01:25:34.796000"),
        (1541121934796.0, {"time_format": "epochmillisecs"}, "2018-11-02 01:25:34.796000"),
        ("1541121934796", {"time_format": "epochmillisecs"}, "2018-11-02 01:25:34.796000"),
        (1541121934.5, {"time_format": "epochsecs"}, "2018-11-02 01:25:34.500000"),
        (1541121934, {"time_format": "epochsecs"}, "2018-11-02 01:25:34.000000"),
        (-1, {"time_format": "epochmillisecs"}, "1969-12-31 23:59:59.999000"),
        ("03.31.2003 18:45:05.123456", {"time_format": "MM.DD.YYYY HH:MI:SS"}, "2003-03-31 18:45:05.123456"),
        ("2019-02-11T05:09:12Z", {"time_format": "YYYY-MM-DDTHH24:MI:SSZ"}, "2019-02-11 05:09:12"),
        ("12:00 am 2019-02-11", {"time_format": "HH12:MI AM YYYY-MM-DD"}, "2019-02-11 00:00:00"),
        ("", {"time_format": "epochmillisecs"}, NULL),
        ("never", {"time_format": "epochmillisecs", "accept_any_date": True}, NULL),
    ],
)
def test_timestamps(value, options, text):
    assert convert(TIMESTAMP, value, **options) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # The documented examples of automatic recognition.
        ("2019-02-11T05:09:12.195Z", "2019-02-11 05:09:12.195000"),
        ("J2451187 04:05:06", "1999-01-08 04:05:06"),
        ("Jan-08-95 BC", "0095-01-08 00:00:00 BC"),
        ("Jan-08-95 04:05:06 BC", "0095-01-08 04:05:06 BC"),
        ("0095-01-08 04:05:06 BC", "0095-01-08 04:05:06 BC"),
        ("0095-01-08T04:05:06.5bc", "0095-01-08 04:05:06.500000 BC"),
        ("0095-01-08 04:05:06 PST BC", "0095-01-08 04:05:06 BC"),
        ("00950108 040506 BC", "0095-01-08 04:05:06 BC"),
        ("08 Jan 04:05:06 0095 BC", "0095-01-08 04:05:06 BC"),
        ("01/08/0095 04:05:06.00 PST BC", "0095-01-08 04:05:06 BC"),
        ("J2345678 04:05:06", "1710-02-23 04:05:06"),
        ("19960108 040809", "1996-01-08 04:08:09"),
        ("960108 040809", "1996-01-08 04:08:09"),
        ("1996-01-08 04:05:06.789", "1996-01-08 04:05:06.789000"),
        ("17 Dec 07:37:16 1997 PST", "1997-12-17 07:37:16"),
        ("12/17/1997 07:37:16.00 PST", "1997-12-17 07:37:16"),
        ("1997-12-17 07:37:16-08", "1997-12-17 07:37:16"),
        ("12.17.1997 07:37:16.00 PST", "1997-12-17 07:37:16"),
        ("31/12/1997", "1997-12-31 00:00:00"),
        ("Dec 17 07:37:16 1997", "1997-12-17 07:37:16"),
        ("17-Dec-1997 7:37 PM", "1997-12-17 19:37:00"),
        ("1997-Dec-17", "1997-12-17 00:00:00"),
        ("December 17, 1997", "1997-12-17 00:00:00"),
    ],
)
def test_automatic_recognition(value, text):
    assert convert(TIMESTAMP, value, time_format="auto") == text


@pytest.mark.parametrize(
    ("value", "options", "shown"),
    [
        ("2018-11-02T01:25:34Z", {}, "YYYY-MM-DD HH24:MI:SS"),
        (1541121934796, {}, "YYYY-MM-DD HH24:MI:SS"),
        (1541121934796, {"time_format": "auto"}, "auto"),
        ("yesterday", {"time_format": "epochmillisecs"}, "epochmillisecs"),
        (10**20, {"time_format": "epochmillisecs"}, "epochmillisecs"),
        (10**12, {"time_format": "epochsecs"}, "epochsecs"),
        ("2018-11-02 24:00:00", {}, "YYYY-MM-DD HH24:MI:SS"),
        ("13:00 PM", {"time_format": "HH12:MI PM"}, "HH12:MI PM"),
    ],
)
def test_what_is_no_timestamp(value, options, shown):
    assert refused(TIMESTAMP, value, **options) == (1206, f"Invalid timestamp format or value [{shown}]")


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        ("2018-11-02 01:25:34+02", {}, "2018-11-02 01:25:34+02:00"),
        ("2018-11-02 01:25:34", {}, "2018-11-02 01:25:34+00:00"),
        ("2018-11-02T01:25:34-0530", {"time_format": "auto"}, "2018-11-02 01:25:34-05:30"),
        ("17 Dec 07:37:16 1997 PST", {"time_format": "auto"}, "1997-12-17 07:37:16-08:00"),
        (0, {"time_format": "epochsecs"}, "1970-01-01 00:00:00.000000+00"),
    ],
)
def test_timestamps_with_a_zone(value, options, text):
    assert convert(TIMESTAMPTZ, value, **options) == text


def test_an_unknown_zone_is_refused():
    assert refused(TIMESTAMPTZ, "17 Dec 07:37:16 1997 XYZ", time_format="auto")[0] == 1206


def test_times_of_day():
    assert convert("time without time zone", "01:02:03.5") == "01:02:03.500000"
    assert refused("time without time zone", "25:00:00")[0] == 1206


def test_every_day_from_year_1_to_9999_has_its_epoch():
    for day in (dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, tzinfo=dt.UTC)):
        seconds = int(day.timestamp())
        assert convert(TIMESTAMP, seconds, time_format="epochsecs").startswith(f"{day:%Y}-".rjust(5, "0"))
