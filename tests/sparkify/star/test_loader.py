"""What a load of a fact or dimension refuses, and how its SELECT reaches the server."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import Audits
from tests.sparkify.orders import IN_WINDOW, NINE, load_orders, put_rows


@pytest.mark.parametrize(
    ("audits", "message"),
    [
        (Audits(not_null=["customer"]), "1 of 3 rows have no customer"),
        (Audits(unique=["id"]), r"1 values of \(id\) come more than once"),
        (Audits(min_rows=4), "3 rows, where at least 4 are expected"),
    ],
)
def test_a_broken_audit_rolls_the_load_back_and_says_which(orders, conn_id, audits, message):
    put_rows(orders, (1, NINE, "ada", 1))
    load_orders(conn_id)
    put_rows(orders, (2, NINE, "bob", 2), (2, NINE, "bob", 2))
    orders.execute("UPDATE staging_orders SET customer = NULL WHERE id = 1")
    with pytest.raises(AirflowFailException, match=message):
        load_orders(conn_id, audits=audits)
    assert orders.query("SELECT id, customer FROM orders") == [(1, "ada")]


def test_wrong_sql_names_the_task_the_table_and_the_connection(orders, conn_id):
    with pytest.raises(
        AirflowFailException, match=f"load: writing orders over connection {conn_id} .* failed: .*colour"
    ):
        load_orders(conn_id, sql="SELECT colour FROM staging_orders")


def test_percent_signs_in_a_select_mean_themselves(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 17), (2, NINE, "bob", 2))
    columns = "id, at, '100%' AS customer, cents % 5 AS cents"
    select = f"SELECT {columns} FROM staging_orders WHERE customer LIKE 'a%'"
    load_orders(conn_id, sql=select, mode="replace")
    assert orders.query("SELECT id, customer, cents FROM orders") == [(1, "100%", 2)]


def test_a_constant_with_a_percent_sign_stays_a_constant(orders, conn_id):
    put_rows(orders, (1, NINE, "ada", 17), (2, NINE, "bob", 2), (3, NINE, "adam", 1))
    kind = "CASE WHEN customer LIKE '%ada%' THEN '100%?' ELSE 'it''s 0%' END"
    select = (
        f"SELECT MIN(id) AS id, MIN(at) AS at, {kind} AS customer, COUNT(*) AS cents "
        f"FROM staging_orders {IN_WINDOW} GROUP BY {kind}"
    )
    load_orders(conn_id, sql=select)
    assert orders.query("SELECT id, customer, cents FROM orders ORDER BY id") == [
        (1, "100%?", 2),
        (2, "it's 0%", 1),
    ]
