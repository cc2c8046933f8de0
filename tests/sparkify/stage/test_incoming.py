"""The temp table that COPY fills: columns that fill themselves, and those that no row may lack."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.sparkify.orders import ids, order, put_orders, stage_orders


def test_a_row_without_time_or_key_fails_the_load_with_file_line_and_column(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1), {"id": 2}, {"at": "2020-05-01 09:00:00"})
    with pytest.raises(AirflowFailException, match=r"orders/a.json line 2, column at .*not-null field"):
        stage_orders(source, conn_id, key_columns=["id"])
    assert (ids(orders), orders.query("SELECT * FROM ops.staged_files")) == ([], [])
    result, _ = stage_orders(source, conn_id, key_columns=["id"], max_errors=2)
    assert (result["rows_inserted"], result["rows_rejected"]) == (1, 2)
    kept = orders.query('SELECT line, "column", raw_text FROM ops.rejected_rows ORDER BY line')
    assert [row[:2] for row in kept] == [(2, "at"), (3, "id")]


def test_a_staging_table_without_load_id_is_told_what_it_lacks(orders, source, conn_id):
    orders.execute("ALTER TABLE staging_orders DROP COLUMN load_id")
    put_orders(source, "orders/a.json", order(1))
    with pytest.raises(AirflowFailException, match="ALTER TABLE staging_orders ADD COLUMN load_id"):
        stage_orders(source, conn_id)
