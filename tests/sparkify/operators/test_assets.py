"""Assets: which a task has, when an event is withheld, and the window of a run that events have triggered."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from sparkify.operators import LoadFactOperator, table_asset
from sparkify.operators.assets import announce, with_told_window
from sparkify.warehouse.ledger import LoadRecord, TaskRun, utc_now
from sparkify.window import Window, WindowError, resolve_window

NINE = datetime(2018, 11, 15, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATE = {"window_start": "2018-11-14T00:00:00+00:00", "window_end": "2018-11-14T01:00:00+00:00"}


def told(start, end, **more):
    ends = {"window_start": start.isoformat(), "window_end": end.isoformat()}
    return SimpleNamespace(extra={**ends, **more})


def window_of(context):
    return resolve_window(with_told_window({"params": {}, **context}))


def load(table, **more):
    return LoadFactOperator(task_id="load", table=table, sql="SELECT 1 AS id", mode="replace", **more)


def test_a_run_that_assets_have_triggered_covers_what_their_events_tell_of():
    events = {
        "one": [told(NINE, NINE + HOUR), told(NINE + HOUR, NINE + 2 * HOUR)],
        "two": [told(NINE, NINE + HOUR, other_windows=[LATE]), SimpleNamespace(extra={})],
    }
    context = {"triggering_asset_events": events}
    assert window_of(context) == Window(datetime(2018, 11, 14, tzinfo=UTC), NINE + 2 * HOUR)
    interval = {"data_interval_start": NINE, "data_interval_end": NINE + HOUR}
    assert window_of(context | interval) == Window(NINE, NINE + HOUR)
    assert window_of(context | {"params": LATE}) == Window(NINE - 33 * HOUR, NINE - 32 * HOUR)


def test_events_without_a_window_give_a_run_none():
    events = {"songs": [SimpleNamespace(extra={"window_start": None, "window_end": None})]}
    with pytest.raises(WindowError, match="This run has no window"):
        window_of({"triggering_asset_events": events})


def test_a_table_is_one_asset_however_a_task_writes_its_name():
    assert load("public.Orders").outlets == load("orders").outlets == [table_asset("ORDERS")]
    assert load("orders").outlets[0].name == "redshift_default.orders"
    assert load("orders", conn_id="other").outlets[0].name == "other.orders"


def test_a_table_that_a_template_names_is_no_asset_and_outlets_that_are_given_stay():
    assert load("{{ params.table }}").outlets == []
    assert load("orders", outlets=[table_asset("more")]).outlets == [
        table_asset("more"),
        table_asset("orders"),
    ]


@pytest.mark.parametrize(
    ("rows", "try_number", "has_event"), [(0, 1, False), (1, 1, True), (0, 2, True)], ids=str
)
def test_a_load_that_changes_nothing_has_no_event_unless_an_earlier_try_may_have(rows, try_number, has_event):
    task, events = load("orders", outlets=[table_asset("more")]), {}
    events[table_asset("orders")] = SimpleNamespace(extra={})
    record = LoadRecord("id", TaskRun("d", "r", "t"), "orders", utc_now(), rows_inserted=rows)
    context = {"ti": SimpleNamespace(try_number=try_number), "outlet_events": events}
    announce(task, "orders", record, context)
    assert (table_asset("orders") in task.outlets) == has_event
    assert table_asset("more") in task.outlets
    assert bool(events[table_asset("orders")].extra) == has_event
