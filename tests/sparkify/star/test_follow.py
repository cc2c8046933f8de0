"""Changes of a staging table reach the tables that follow it, each once."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import Audits, Follow
from tests.sparkify.orders import ELEVEN, NINE, TEN, ids, load_customers, load_orders, put_rows


def test_an_hour_that_was_staged_again_as_empty_is_emptied_whatever_rows_a_run_must_have(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2))
    load_orders(conn_id, NINE, TEN)
    orders.execute(
        "DELETE FROM staging_orders WHERE id = 1",
        f"INSERT INTO ops.changes VALUES ('staging_orders', 'L1', '{NINE[:19]}', '{TEN[:19]}')",
    )
    load_orders(conn_id, TEN, ELEVEN, follows=[Follow("staging_orders")], audits=Audits(min_rows=1))
    assert ids(orders, "orders") == [2]


def test_a_change_completes_earlier_facts_once_and_after_others_have_taken_it(orders, conn_id):
    update = "UPDATE orders SET cents = cents + (SELECT COUNT(*) FROM changed_loads)"
    follow = {"follows": [Follow("staging_orders", after=["customers"], update=update)]}
    put_rows(orders, (1, NINE, "ada", 1))
    load_orders(conn_id)
    orders.execute(
        "INSERT INTO ops.changes VALUES "
        "('staging_orders', 'L1', NULL, NULL), ('staging_orders', 'L2', NULL, NULL)",
        "INSERT INTO ops.changes_taken VALUES ('customers', 'L1', 'L9')",
    )
    for _ in range(2):
        load_orders(conn_id, TEN, ELEVEN, **follow)
        assert orders.query("SELECT cents FROM orders") == [(2,)]
    orders.execute("INSERT INTO ops.changes_taken VALUES ('customers', 'L2', 'L9')")
    load_orders(conn_id, TEN, ELEVEN, **follow)
    assert orders.query("SELECT cents FROM orders") == [(3,)]


def test_a_table_that_reads_all_of_what_it_follows_takes_its_changes_in_by_being_loaded(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1))
    orders.execute("INSERT INTO ops.changes VALUES ('staging_orders', 'L1', NULL, NULL)")
    sql = "SELECT id, at, customer, cents FROM staging_orders"
    load_orders(conn_id, sql=sql, mode="replace", follows=[Follow("staging_orders")])
    assert orders.query("SELECT target_table, change_load_id FROM ops.changes_taken") == [("orders", "L1")]


@pytest.mark.parametrize(
    "load",
    [
        lambda conn_id, **follow: load_orders(conn_id, mode="append", key_columns=["id"], **follow),
        lambda conn_id, **follow: load_customers(conn_id, newer_by=None, **follow),
    ],
)
def test_a_table_that_cannot_take_in_an_older_window_must_not_follow(orders, conn_id, load):
    with pytest.raises(AirflowFailException, match="in mode window, or upsert with newer_by"):
        load(conn_id, follows=[Follow("staging_orders")])


def test_a_change_without_a_window_needs_an_update_where_only_a_window_is_read(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1))
    orders.execute("INSERT INTO ops.changes VALUES ('staging_orders', 'L1', NULL, NULL)")
    with pytest.raises(AirflowFailException, match="Give the Follow an update"):
        load_orders(conn_id, follows=[Follow("staging_orders")])
    assert ids(orders, "orders") == []
