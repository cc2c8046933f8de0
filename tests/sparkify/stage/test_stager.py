"""Which files a staging table takes in, in every mode, and whose: over either type of connection."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.contexts import task_context
from tests.sparkify.orders import ELEVEN, NINE, TEN, ids, order, put_orders, stage_orders


def test_window_replaces_its_own_rows_and_no_others(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1, NINE), order(2, TEN))
    stage_orders(source, conn_id, NINE, TEN)
    stage_orders(source, conn_id, TEN, ELEVEN)
    put_orders(source, "orders/a.json", order(3, NINE), order(4, TEN))
    result, _ = stage_orders(source, conn_id, NINE, TEN)
    assert ids(orders) == [2, 3]
    assert (result["rows_inserted"], result["rows_deleted"], result["files"]) == (1, 1, 1)


def test_an_hourly_key_pattern_reads_the_files_of_the_window_only(orders, source, conn_id):
    for number, hour in enumerate((8, 9, 10)):
        put_orders(source, f"orders/2020-05-01/{hour:02}.json", order(number, NINE))
    result, _ = stage_orders(source, conn_id, prefix=None, key_pattern="orders/%Y-%m-%d/%H.json")
    assert ids(orders) == [1]
    assert result["missing_files"] == 0


@pytest.mark.parametrize("year", ["0001", "0999", "9999"])
def test_a_window_in_a_year_that_names_no_file_is_refused(orders, source, conn_id, year):
    start, end = (f"{year}-05-01T{hour}:00:00+00:00" for hour in ("09", "10"))
    with pytest.raises(AirflowFailException, match=r"years are not of this world\. Trigger with params"):
        stage_orders(source, conn_id, start, end, prefix=None, key_pattern="orders/%Y/%H.json")


def test_append_adds_each_file_version_once_whatever_is_retried(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1))
    stage_orders(source, conn_id, mode="append")
    put_orders(source, "orders/b.json", order(2))
    stage_orders(source, conn_id, mode="append")
    stage_orders(source, conn_id, mode="append")
    assert ids(orders) == [1, 2]


def test_two_runs_that_append_the_same_new_file_at_once_append_it_once(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1))
    with ThreadPoolExecutor(2) as both:
        runs = [both.submit(stage_orders, source, conn_id, mode="append") for _ in range(2)]
        assert sorted(run.result()[0]["rows_inserted"] for run in runs) == [0, 1]
    assert ids(orders) == [1]


def test_a_file_that_was_appended_and_has_changed_is_not_appended_again(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1))
    stage_orders(source, conn_id, mode="append")
    put_orders(source, "orders/a.json", order(1), order(2))
    put_orders(source, "orders/b.json", order(3))
    with pytest.raises(AirflowFailException, match=r"orders/a.json was appended .* would be there twice"):
        stage_orders(source, conn_id, mode="append")
    assert ids(orders) == [1]


def test_replace_leaves_what_the_files_hold_now(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1), order(2))
    stage_orders(source, conn_id, mode="replace")
    put_orders(source, "orders/a.json", order(2))
    stage_orders(source, conn_id, mode="replace")
    assert ids(orders) == [2]


def test_replace_does_not_empty_a_table_for_a_prefix_without_files(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1))
    stage_orders(source, conn_id, mode="replace")
    with pytest.raises(
        AirflowFailException,
        match=r"orders/ holds no file whose key .* orders/typo/.*allow_empty",
    ):
        stage_orders(source, conn_id, mode="replace", prefix="orders/typo/", source_prefix="orders/")
    assert ids(orders) == [1]


def test_changed_files_replaces_rows_of_the_same_key(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1, cents=1), order(2, cents=1))
    stage_orders(source, conn_id, mode="changed_files", key_columns=["id"])
    put_orders(source, "orders/b.json", order(2, cents=7), order(2, cents=7), order(3, cents=1))
    stage_orders(source, conn_id, mode="changed_files", key_columns=["id"])
    assert orders.query("SELECT id, cents FROM staging_orders ORDER BY id") == [(1, 1), (2, 7), (3, 1)]


def test_a_second_source_of_a_table_is_refused_and_both_are_named(orders, source, conn_id):
    put_orders(source, "eu/2020-05-01.json", order(1))
    put_orders(source, "us/2020-05-01.json", order(2))
    stage_orders(source, conn_id, prefix=None, key_pattern="eu/%Y-%m-%d.json")
    with pytest.raises(AirflowFailException, match=r"holds the rows of s3://.*/eu/%Y.* those of .*/us/%Y"):
        stage_orders(source, conn_id, prefix=None, key_pattern="us/%Y-%m-%d.json")
    with pytest.raises(AirflowFailException, match=r"in mode replace. Nothing was staged"):
        stage_orders(source, conn_id, mode="replace", prefix="us/")
    assert ids(orders) == [1]
    assert [key for (key,) in orders.query("SELECT key FROM ops.staged_files")] == ["eu/2020-05-01.json"]


def test_of_two_sources_that_begin_at_once_one_is_refused(orders, source, conn_id):
    for name in ("eu", "us"):
        put_orders(source, f"{name}/a.json", order(1))
    with ThreadPoolExecutor(2) as both:
        runs = [both.submit(stage_orders, source, conn_id, prefix=f"{name}/") for name in ("eu", "us")]
        failures = [run.exception() for run in runs]
    assert sorted(type(one).__name__ for one in failures) == ["AirflowFailException", "NoneType"]


def test_a_part_of_the_source_may_be_staged_by_its_prefix(orders, source, conn_id):
    changed = {"mode": "changed_files", "key_columns": ["id"], "source_prefix": "orders/"}
    for number, name in enumerate("ab"):
        put_orders(source, f"orders/{name}/1.json", order(number))
        stage_orders(source, conn_id, prefix=f"orders/{name}/", **changed)
    stage_orders(source, conn_id, prefix="orders/", **changed)
    assert ids(orders) == [0, 1]
    with pytest.raises(AirflowFailException, match=r"prefix 'other/' does not begin with .*'orders/'"):
        stage_orders(source, conn_id, prefix="other/", **changed)


def test_sources_that_are_appended_may_be_several(orders, source, conn_id):
    for number, name in enumerate(("eu", "us")):
        put_orders(source, f"{name}/a.json", order(number))
        stage_orders(source, conn_id, mode="append", prefix=f"{name}/")
    assert ids(orders) == [0, 1]


def test_indexes_of_a_mapped_task_are_told_apart_in_the_ledger(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1))
    operator = stage_orders(source, conn_id, mode="append")[1]
    context = task_context(NINE, TEN)
    context["ti"].map_index = 3
    put_orders(source, "orders/b.json", order(2))
    operator.execute(context)
    assert orders.query("SELECT task_id FROM ops.loads ORDER BY load_id") == [
        ("test_task",),
        ("test_task[3]",),
    ]
