"""What docs/sizing.md says of each way to write files, counted where it happens."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from sparkify.operators import stage_redshift
from sparkify.warehouse.session import Session
from tests.sparkify.orders import NINE, TEN, ids, order, put_orders, stage_orders

FILE = Path(__file__).parents[3] / "docs" / "sizing.py"
spec = importlib.util.spec_from_file_location("sizing", FILE)
# Dataclasses look their module up by its name.
sizing = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sizing)

THREE_DAYS_BEFORE = "2020-04-28T09:00:00+00:00"
PATTERNS = {"day": "orders/%Y-%m-%d.json", "hour": "orders/%Y/%m/%d/%H.json"}
OF_NINE = {"prefix": "orders/2020/05/01/09/", "source_prefix": "orders/"}


@pytest.fixture
def requests(monkeypatch):
    """The requests that the task itself sends to S3, by their name."""
    counted = Counter()
    make = stage_redshift.make_s3_client

    def make_counted(aws_conn_id):
        client = make(aws_conn_id)
        client.meta.events.register("before-call.s3", lambda model, **_: counted.update([model.name]))
        return client

    monkeypatch.setattr(stage_redshift, "make_s3_client", make_counted)
    return counted


def as_counted(one):
    """Requests as sizing.py says them, without COPY's own and that for a jsonpaths file: orders have none."""
    said = one.requests
    counted = {
        "GetObject": said["GET"] - one.files - 2,
        "ListObjectsV2": said["LIST"],
        "PutObject": said["PUT"] - 1,
        "HeadObject": said["HEAD"],
    }
    return {name: count for name, count in counted.items() if count}


@pytest.mark.parametrize(("layout", "events"), [("day", 10_000), ("hour", 100_000_000)])
def test_an_ordinary_run_sends_the_requests_that_the_page_says(
    orders, source, conn_id, requests, layout, events
):
    one = sizing.Sizing(events)
    assert one.layout == layout
    files = {"prefix": None, "key_pattern": PATTERNS[layout], "look_back_days": 3}
    stage_orders(source, conn_id, THREE_DAYS_BEFORE, NINE, **files)
    put_orders(source, "orders/2020-05-01.json", order(1, NINE))
    put_orders(source, "orders/2020/05/01/09.json", order(1, NINE))
    requests.clear()
    stage_orders(source, conn_id, NINE, TEN, **files)
    assert ids(orders) == [1]
    assert requests == as_counted(one)


def test_files_under_the_prefix_of_an_hour_are_copied_at_once(orders, source, conn_id, requests):
    one = sizing.Sizing(10**9)
    assert one.layout == "part"
    for number in range(one.files):
        put_orders(source, f"orders/2020/05/01/09/{number:04}.json", order(number, NINE))
    result, _ = stage_orders(source, conn_id, **OF_NINE)
    assert (ids(orders), result["files"]) == ([*range(one.files)], one.files)
    assert requests == as_counted(one)


def test_under_the_prefix_of_an_hour_rows_of_other_hours_are_passed_over_unsaid(orders, source, conn_id):
    put_orders(source, "orders/2020/05/01/09/0000.json", order(1, NINE), order(2, TEN))
    result, _ = stage_orders(source, conn_id, **OF_NINE)
    assert (ids(orders), result["rows_rejected"]) == ([1], 0)


def test_a_change_under_the_prefix_of_an_hour_before_is_not_noticed(orders, source, conn_id):
    put_orders(source, "orders/2020/05/01/09/0000.json", order(1, NINE))
    stage_orders(source, conn_id, **OF_NINE)
    put_orders(source, "orders/2020/05/01/09/0001.json", order(2, NINE))
    put_orders(source, "orders/2020/05/01/10/0000.json", order(3, TEN))
    later = {**OF_NINE, "prefix": "orders/2020/05/01/10/", "look_back_days": 3}
    stage_orders(source, conn_id, TEN, "2020-05-01T11:00:00+00:00", **later)
    assert ids(orders) == [1, 3]


def test_each_further_file_named_by_time_takes_six_statements(orders, source, conn_id, monkeypatch):
    sent, run = [], Session._run
    monkeypatch.setattr(
        Session, "_run", lambda *given, **named: sent.append(given[1]) or run(*given, **named)
    )
    counts = []
    for hour in (9, 10, 11):
        moment = f"2020-05-01T{hour:02}:00:00+00:00"
        put_orders(source, f"orders/2020/05/01/{hour:02}.json", order(hour, moment))
        sent.clear()
        stage_orders(
            source, conn_id, NINE, "2020-05-01T12:00:00+00:00", prefix=None, key_pattern=PATTERNS["hour"]
        )
        counts.append(len(sent))
    assert ids(orders) == [9, 10, 11]
    assert counts[2] - counts[1] == 6
