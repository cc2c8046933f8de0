"""What reaches COPY, and what becomes of rows that it passes over."""

from datetime import datetime

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.warehouse import copy_history, rejected_rows
from tests.sandbox.redshift.endpoint_clients import sys_lag
from tests.sparkify.orders import ids, order, put_orders, stage_orders


def test_gzip_jsonpaths_and_options_reach_copy(orders, source, conn_id, tmp_path):
    (tmp_path / "orders.json").write_text('{"jsonpaths": ["$.n", "$.t", "$.c", "$.x"]}')
    put_orders(source, "orders/a.json.gz", {"n": 5, "t": 1588323600000, "c": "ada", "x": 3}, compress=True)
    with DAG("orders", template_searchpath=[str(tmp_path)]):
        stage_orders(
            source,
            conn_id,
            gzip=True,
            jsonpaths="orders.json",
            region="us-east-1",
            copy_options=["TIMEFORMAT AS 'epochmillisecs'"],
        )
    assert orders.query("SELECT id, at, cents FROM staging_orders") == [(5, datetime(2020, 5, 1, 9), 3)]


def test_a_jsonpaths_file_with_too_few_paths_says_how_many_there_must_be(orders, source, conn_id, tmp_path):
    (tmp_path / "orders.json").write_text('{"jsonpaths": ["$.n", "$.t"]}')
    put_orders(source, "orders/a.json", order(1))
    with (
        DAG("orders", template_searchpath=[str(tmp_path)]),
        pytest.raises(AirflowFailException, match=r"JSONPath size: 2, .*: 4"),
    ):
        stage_orders(source, conn_id, jsonpaths="orders.json")


def test_a_bucket_of_another_region_is_named_with_the_variable_of_the_region(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1))
    with pytest.raises(AirflowFailException, match=r"Name the region that the bucket is in"):
        stage_orders(source, conn_id, region="eu-west-1")


def test_tolerated_rows_are_kept_with_file_line_column_and_reason(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1), order("two"), order(3, cents="many"))
    result, _ = stage_orders(source, conn_id, max_errors=2)
    assert ids(orders) == [1]
    assert result["rows_rejected"] == 2
    rejected = orders.query('SELECT file, line, "column", reason FROM ops.rejected_rows ORDER BY line')
    assert [row[:3] for row in rejected] == [
        (f"s3://{source.bucket}/orders/a.json", 2, "id"),
        (f"s3://{source.bucket}/orders/a.json", 3, "cents"),
    ]
    assert all("Invalid digit" in row[3] for row in rejected)
    with pytest.raises(AirflowFailException, match=r"line 2, column id"):
        stage_orders(source, conn_id, max_errors=1)
    put_orders(source, "orders/a.json", order(1), order(2))
    stage_orders(source, conn_id, max_errors=2)
    assert orders.query("SELECT COUNT(*) FROM ops.rejected_rows") == [(0,)]


def test_tolerated_rows_cost_no_others_where_the_stl_tables_cannot_be_read(
    orders, source, conn_id, monkeypatch
):
    monkeypatch.setattr(rejected_rows, "_RAW", "SELECT * FROM stl_load_errors_of_serverless")
    put_orders(source, "orders/a.json", order(1), order("two"), order(3))
    result, _ = stage_orders(source, conn_id, max_errors=2)
    assert ids(orders) == [1, 3]
    assert (result["rows_inserted"], result["rows_rejected"]) == (2, 1)
    assert orders.query("SELECT line FROM ops.rejected_rows") == [(2,)]


def test_a_load_whose_copy_redshift_does_not_show_fails_and_stages_nothing(
    orders, source, conn_id, monkeypatch
):
    """Rather than record that no row was rejected."""
    monkeypatch.setattr(copy_history, "_COPY", copy_history._COPY.replace("= %(manifest)s", "= 's3://other'"))
    monkeypatch.setattr(copy_history, "LONGEST_LAG_SECONDS", 0.0)
    monkeypatch.setattr("sparkify.warehouse.tries.time.sleep", lambda _: None)
    put_orders(source, "orders/a.json", order(1), order("two"))
    with pytest.raises(
        AirflowException, match=r"SYS_LOAD_HISTORY does not show the COPY of s3://\S+/manifests/"
    ):
        stage_orders(source, conn_id, max_errors=2)
    assert ids(orders) == []
    with pytest.raises(AirflowFailException, match=r"Load into table 'sparkify_incoming' failed"):
        stage_orders(source, conn_id)


def test_a_load_whose_errors_redshift_does_not_show_fails_and_stages_nothing(
    orders, source, conn_id, monkeypatch
):
    monkeypatch.setattr(rejected_rows, "_ERRORS", rejected_rows._ERRORS.replace("= %(query_id)s", "< 0"))
    monkeypatch.setattr(copy_history, "LONGEST_LAG_SECONDS", 1.0)
    put_orders(source, "orders/a.json", order(1), order("two"))
    with pytest.raises(AirflowFailException, match=r"passed over 1 rows .* the load errors name 0 of them"):
        stage_orders(source, conn_id, max_errors=2)
    assert ids(orders) == []


@pytest.mark.parametrize("max_errors", [0, 2])
def test_errors_that_redshift_shows_late_are_waited_for(orders, source, conn_id, sandbox, max_errors):
    put_orders(source, "orders/a.json", order(1), order("two"))
    with sys_lag(sandbox, 1.5):
        if max_errors:
            assert stage_orders(source, conn_id, max_errors=max_errors)[0]["rows_rejected"] == 1
        else:
            with pytest.raises(AirflowFailException, match=r"line 2, column id \(\w+\), value 'two'"):
                stage_orders(source, conn_id)
    assert ids(orders) == ([1] if max_errors else [])
