"""How a fact or dimension takes the rows of its SELECT, in every mode."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.contexts import task_context
from tests.sparkify.orders import (
    ELEVEN,
    NINE,
    TEN,
    ids,
    load_customers,
    load_orders,
    orders_operator,
    put_rows,
)


def test_window_loads_the_same_rows_however_often_it_runs(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2))
    for _ in range(2):
        load_orders(conn_id, NINE, TEN)
    load_orders(conn_id, TEN, ELEVEN)
    assert ids(orders, "orders") == [1, 2]


def test_a_select_that_does_not_keep_to_the_window_is_refused(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2))
    with pytest.raises(AirflowFailException, match="1 rows lie outside the window"):
        load_orders(conn_id, sql="SELECT id, at, customer, cents FROM staging_orders")
    assert ids(orders, "orders") == []


def test_append_adds_only_keys_that_are_not_there(orders, conn_id):
    select = "SELECT id, at, customer, cents FROM staging_orders"
    put_rows(orders, (1, NINE, "ada", 1))
    load_orders(conn_id, sql=select, mode="append", key_columns=["id"])
    put_rows(orders, (2, NINE, "ada", 2))
    result = load_orders(conn_id, sql=select, mode="append", key_columns=["id"])
    assert ids(orders, "orders") == [1, 2]
    assert result["rows_inserted"] == 1


def test_replace_writes_nothing_when_nothing_changed(orders, conn_id):
    select = "SELECT id, at, customer, cents FROM staging_orders"
    put_rows(orders, (1, NINE, "ada", 1), (1, NINE, "ada", 1), (2, NINE, "ada", 1))
    assert load_orders(conn_id, sql=select, mode="replace")["rows_inserted"] == 3
    assert load_orders(conn_id, sql=select, mode="replace")["rows_inserted"] == 0
    orders.execute("DELETE FROM staging_orders")
    put_rows(orders, (1, NINE, "ada", 1), (2, NINE, "ada", 1), (2, NINE, "ada", 1))
    assert load_orders(conn_id, sql=select, mode="replace")["rows_inserted"] == 3
    orders.execute("DELETE FROM staging_orders")
    assert load_orders(conn_id, sql=select, mode="replace")["rows_deleted"] == 3
    assert orders.query("SELECT COUNT(*) FROM ops.loads") == [(3,)]


def test_replace_by_keys_writes_only_the_rows_that_differ(orders, conn_id):
    load = {"sql": "SELECT id, at, customer, cents FROM staging_orders", "mode": "replace"}
    put_rows(orders, (1, NINE, "ada", 1), (2, NINE, "ada", 1), (3, NINE, "ada", 1))
    orders.execute("INSERT INTO staging_orders (id) VALUES (5)")
    load_orders(conn_id, **load, key_columns=["id"])
    orders.execute(
        "DELETE FROM staging_orders WHERE id = 1",
        "UPDATE staging_orders SET cents = NULL WHERE id = 2",
        "UPDATE staging_orders SET cents = 7 WHERE id = 5",
    )
    put_rows(orders, (4, NINE, "ada", 1))
    result = load_orders(conn_id, **load, key_columns=["id"])
    assert (result["rows_deleted"], result["rows_inserted"]) == (3, 3)
    rows = orders.query("SELECT id, cents FROM orders ORDER BY id")
    assert rows == [(2, None), (3, 1), (4, 1), (5, 7)]


def test_a_wide_window_renews_what_the_planner_knows_of_the_table_and_an_hour_does_not(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1))
    day_after = NINE.replace("05-01", "05-03")
    analyzed = []
    for end in (TEN, day_after):
        operator = orders_operator(conn_id)
        operator.execute(task_context(NINE, end))
        analyzed.append('ANALYZE "orders"' in operator.statements)
    assert analyzed == [False, True]


@pytest.mark.parametrize("backwards", [False, True])
def test_upsert_keeps_the_newer_row_in_either_order(orders, conn_id, backwards):
    put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2), (3, NINE, "bob", 3))
    windows = [(NINE, TEN), (TEN, ELEVEN)]
    for window in reversed(windows) if backwards else windows:
        load_customers(conn_id, *window)
    assert orders.query("SELECT customer, cents FROM customers ORDER BY customer") == [
        ("ada", 2),
        ("bob", 3),
    ]


def test_upsert_goes_back_to_history_when_its_window_lost_the_newest_row(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2), (3, TEN, "bob", 3))
    load_customers(conn_id, NINE, ELEVEN)
    orders.execute("DELETE FROM staging_orders WHERE id IN (2, 3)")
    load_customers(conn_id, TEN, ELEVEN)
    assert orders.query("SELECT customer, cents FROM customers") == [("ada", 1)]


def test_a_key_that_comes_twice_is_refused_before_it_is_there_twice(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1), (2, NINE, "ada", 2))
    with pytest.raises(AirflowFailException, match=r"\(customer\) come more than once"):
        load_customers(conn_id, sql="SELECT customer, cents, at AS last_at FROM staging_orders")
