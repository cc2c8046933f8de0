"""Changes of a staging table reach the tables that follow it, each once."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import Audits, Follow, Lookup
from sparkify.star.completion import Completer
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


LOOKUP = Lookup(
    "orders_by_note",
    {"note": "VARCHAR(20)"},
    "INSERT INTO orders_by_note (note, id, at) SELECT note, id, at FROM sparkify_incoming",
)
COMPLETES = Follow(
    "staging_orders",
    names="SELECT note FROM wanted",
    prepare="INSERT INTO sparkify_completed (id, cents) SELECT DISTINCT id, 7 FROM orders_by_note "
    "WHERE note IN (%(names)s)",
    update="UPDATE orders SET cents = sparkify_completed.cents FROM sparkify_completed "
    "WHERE orders.id = sparkify_completed.id; DELETE FROM wanted",
)
WITH_NOTE = {
    "sql": "SELECT id, at, customer, cents, customer AS note FROM staging_orders "
    "WHERE at >= %(window_start)s AND at < %(window_end)s",
    "lookup": LOOKUP,
    "follows": [COMPLETES],
}


@pytest.fixture
def noted(orders, conn_id):
    """Two orders of an hour that is loaded, and their notes."""
    gone = ("DROP TABLE IF EXISTS orders_by_note", "DROP TABLE IF EXISTS wanted")
    orders.execute(
        *gone,
        "CREATE TABLE orders_by_note (note VARCHAR(20), id INTEGER, at TIMESTAMP) SORTKEY (note)",
        "CREATE TABLE wanted (note VARCHAR(20))",
    )
    put_rows(orders, (1, NINE, "ada", 1), (2, NINE, "bob", 1))
    load_orders(conn_id, **WITH_NOTE)
    yield orders
    orders.execute(*gone)


def change(orders, note):
    orders.execute(
        "INSERT INTO ops.changes VALUES ('staging_orders', 'L1', NULL, NULL)",
        f"INSERT INTO wanted VALUES ('{note}')",
    )


def cents(orders):
    return orders.query("SELECT id, cents FROM orders ORDER BY id")


def complete(conn_id):
    """Load another hour; return the statements."""
    operator = orders_operator(conn_id, **WITH_NOTE)
    operator.execute(task_context(TEN, ELEVEN))
    return operator.statements.split(";\n\n")


def test_rows_to_complete_are_found_by_name_before_the_lock(noted, conn_id):
    change(noted, "bob")
    statements = complete(conn_id)
    assert cents(noted) == [(1, 1), (2, 7)]
    found, locked, updated = (
        next(n for n, sql in enumerate(statements) if sql.startswith(word))
        for word in ("INSERT INTO sparkify_completed", "LOCK", "UPDATE")
    )
    assert found < locked < updated
    assert noted.query("SELECT COUNT(*) FROM wanted") == [(0,)]


def test_where_no_row_has_the_name_nothing_is_updated(noted, conn_id):
    change(noted, "eve")
    assert not any(sql.startswith("UPDATE") for sql in complete(conn_id))
    assert noted.query("SELECT change_load_id FROM ops.changes_taken WHERE target_table = 'orders'") == [
        ("L1",)
    ]


def test_many_names_are_looked_for_together(noted, conn_id, monkeypatch):
    monkeypatch.setattr("sparkify.star.completion._MOST_NAMES", 1)
    change(noted, "bob")
    noted.execute("INSERT INTO wanted VALUES ('ada')")
    complete(conn_id)
    assert cents(noted) == [(1, 7), (2, 7)]


def test_rows_that_come_between_finding_and_locking_are_completed_too(noted, conn_id, monkeypatch):
    prepare = Completer.prepare

    def prepare_and_let_another_in(completer, pending):
        found = prepare(completer, pending)
        monkeypatch.setattr(Completer, "prepare", prepare)
        put_rows(noted, (3, ELEVEN, "bob", 1))
        load_orders(conn_id, ELEVEN, "2020-05-01T12:00:00+00:00", **{**WITH_NOTE, "follows": []})
        return found

    monkeypatch.setattr(Completer, "prepare", prepare_and_let_another_in)
    change(noted, "bob")
    complete(conn_id)
    assert cents(noted) == [(1, 1), (2, 7), (3, 7)]


def test_an_hour_that_is_loaded_again_is_looked_up_as_it_is_now(noted, conn_id):
    noted.execute("UPDATE staging_orders SET customer = 'eve' WHERE id = 1")
    for _ in range(2):
        load_orders(conn_id, **WITH_NOTE)
    assert noted.query("SELECT note, id FROM orders_by_note ORDER BY id") == [("eve", 1), ("bob", 2)]


def test_what_has_not_changed_is_not_locked_nor_read(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 1))
    load = {"sql": "SELECT id, at, customer, cents FROM staging_orders", "mode": "replace"}
    operator = orders_operator(conn_id, **load, follows=[Follow("staging_orders")])
    operator.execute(task_context(NINE, TEN))
    assert ids(orders, "orders") == []
    assert operator.statements.count(";\n\n") == 0
