"""Every mode of the loading operators, over either type of connection, on a dataset not Sparkify's."""

import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import (
    Audits,
    Follow,
    LoadDimensionOperator,
    LoadFactOperator,
    StageToRedshiftOperator,
)
from sparkify.warehouse import rejected_rows
from sparkify.warehouse.schema import with_ops
from tests.system.runs import task_context

ORDERS = ("orders", "staging_orders", "customers")
NINE, TEN, ELEVEN = (f"2020-05-01T{hour:02}:00:00+00:00" for hour in (9, 10, 11))


@pytest.fixture(params=["redshift_default", "postgres_sandbox"])
def conn_id(request):
    return request.param


@pytest.fixture
def orders(warehouse):
    warehouse.execute(
        *(f"DROP TABLE IF EXISTS {table}" for table in ORDERS),
        *with_ops(()),
        "CREATE TABLE staging_orders (id INTEGER, at TIMESTAMP, customer VARCHAR(20), cents INTEGER, "
        "load_id VARCHAR(64))",
        "CREATE TABLE orders (id INTEGER NOT NULL, at TIMESTAMP, customer VARCHAR(20), cents INTEGER)",
        "CREATE TABLE customers (customer VARCHAR(20) NOT NULL, cents INTEGER, last_at TIMESTAMP)",
    )
    yield warehouse
    warehouse.execute(*(f"DROP TABLE IF EXISTS {table}" for table in ORDERS))


def order(number, at=NINE, customer="ada", cents=100):
    return {"id": number, "at": at[:19].replace("T", " "), "customer": customer, "cents": cents}


def put_orders(source, key, *found, compress=False):
    body = "".join(json.dumps(one) + "\n" for one in found).encode()
    source.put(key, gzip.compress(body) if compress else body)


def stage_orders(source, conn_id, start=NINE, end=TEN, **arguments):
    operator = StageToRedshiftOperator(
        task_id="stage",
        table="staging_orders",
        conn_id=conn_id,
        bucket=source.bucket,
        work_bucket="sparkify-work",
        **{"mode": "window", "prefix": "orders/", "time_column": "at", **arguments},
    )
    return operator.execute(task_context(start, end)), operator


def ids(warehouse, table="staging_orders"):
    return [row[0] for row in warehouse.query(f"SELECT id FROM {table} ORDER BY id")]


NAME = "SELECT current_setting('application_name')"


def session_name():
    with DAG("the_dag", schedule=None):
        operator = LoadFactOperator(
            task_id="the_task", table="orders", sql="SELECT", mode="window", time_column="at"
        )
    return operator.run_in_warehouse(lambda session: session.scalar(NAME))


def test_a_session_has_the_name_of_its_task_unless_the_connection_has_one(orders, monkeypatch):
    assert session_name() == "the_dag.the_task"
    connection = json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    connection["extra"]["application_name"] = "nightly"
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    assert session_name() == "nightly"


class TestStaging:
    def test_window_replaces_its_own_rows_and_no_others(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1, NINE), order(2, TEN))
        stage_orders(source, conn_id, NINE, TEN)
        stage_orders(source, conn_id, TEN, ELEVEN)
        put_orders(source, "orders/a.json", order(3, NINE), order(4, TEN))
        result, _ = stage_orders(source, conn_id, NINE, TEN)
        assert ids(orders) == [2, 3]
        assert (result["rows_inserted"], result["rows_deleted"], result["files"]) == (1, 1, 1)

    def test_an_hourly_key_pattern_reads_the_files_of_the_window_only(self, orders, source, conn_id):
        for number, hour in enumerate((8, 9, 10)):
            put_orders(source, f"orders/2020-05-01/{hour:02}.json", order(number, NINE))
        result, _ = stage_orders(source, conn_id, prefix=None, key_pattern="orders/%Y-%m-%d/%H.json")
        assert ids(orders) == [1]
        assert result["missing_files"] == 0

    def test_two_runs_that_append_the_same_new_file_at_once_append_it_once(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1))
        with ThreadPoolExecutor(2) as both:
            runs = [both.submit(stage_orders, source, conn_id, mode="append") for _ in range(2)]
            assert sorted(run.result()[0]["rows_inserted"] for run in runs) == [0, 1]
        assert ids(orders) == [1]

    def test_replace_does_not_empty_a_table_for_a_prefix_without_files(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1))
        stage_orders(source, conn_id, mode="replace")
        with pytest.raises(
            AirflowFailException,
            match=r"orders/ holds no file whose key .* orders/typo/.*allow_empty",
        ):
            stage_orders(source, conn_id, mode="replace", prefix="orders/typo/", source_prefix="orders/")
        assert ids(orders) == [1]

    def test_append_adds_each_file_version_once_whatever_is_retried(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1))
        stage_orders(source, conn_id, mode="append")
        put_orders(source, "orders/b.json", order(2))
        stage_orders(source, conn_id, mode="append")
        stage_orders(source, conn_id, mode="append")
        assert ids(orders) == [1, 2]

    def test_replace_leaves_what_the_files_hold_now(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1), order(2))
        stage_orders(source, conn_id, mode="replace")
        put_orders(source, "orders/a.json", order(2))
        stage_orders(source, conn_id, mode="replace")
        assert ids(orders) == [2]

    def test_changed_files_replaces_rows_of_the_same_key(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1, cents=1), order(2, cents=1))
        stage_orders(source, conn_id, mode="changed_files", key_columns=["id"])
        put_orders(source, "orders/b.json", order(2, cents=7), order(2, cents=7), order(3, cents=1))
        stage_orders(source, conn_id, mode="changed_files", key_columns=["id"])
        assert orders.query("SELECT id, cents FROM staging_orders ORDER BY id") == [(1, 1), (2, 7), (3, 1)]

    def test_gzip_jsonpaths_and_options_reach_copy(self, orders, source, conn_id, tmp_path):
        (tmp_path / "orders.json").write_text('{"jsonpaths": ["$.n", "$.t", "$.c", "$.x"]}')
        put_orders(
            source, "orders/a.json.gz", {"n": 5, "t": 1588323600000, "c": "ada", "x": 3}, compress=True
        )
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

    def test_a_jsonpaths_file_with_too_few_paths_says_how_many_there_must_be(
        self, orders, source, conn_id, tmp_path
    ):
        (tmp_path / "orders.json").write_text('{"jsonpaths": ["$.n", "$.t"]}')
        put_orders(source, "orders/a.json", order(1))
        with (
            DAG("orders", template_searchpath=[str(tmp_path)]),
            pytest.raises(AirflowFailException, match=r"JSONPath size: 2, .*: 4"),
        ):
            stage_orders(source, conn_id, jsonpaths="orders.json")

    def test_tolerated_rows_are_kept_with_file_line_column_and_reason(self, orders, source, conn_id):
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
        self, orders, source, conn_id, monkeypatch
    ):
        monkeypatch.setattr(rejected_rows, "_STL", "SELECT * FROM stl_load_errors_of_serverless")
        put_orders(source, "orders/a.json", order(1), order("two"), order(3))
        result, _ = stage_orders(source, conn_id, max_errors=2)
        assert ids(orders) == [1, 3]
        assert (result["rows_inserted"], result["rows_rejected"]) == (2, 1)
        assert orders.query("SELECT line FROM ops.rejected_rows") == [(2,)]

    def test_a_row_without_time_or_key_fails_the_load_with_file_line_and_column(
        self, orders, source, conn_id
    ):
        put_orders(source, "orders/a.json", order(1), {"id": 2}, {"at": "2020-05-01 09:00:00"})
        with pytest.raises(AirflowFailException, match=r"orders/a.json line 2, column at .*not-null field"):
            stage_orders(source, conn_id, key_columns=["id"])
        assert (ids(orders), orders.query("SELECT * FROM ops.staged_files")) == ([], [])
        result, _ = stage_orders(source, conn_id, key_columns=["id"], max_errors=2)
        assert (result["rows_inserted"], result["rows_rejected"]) == (1, 2)
        kept = orders.query('SELECT line, "column", raw_text FROM ops.rejected_rows ORDER BY line')
        assert [row[:2] for row in kept] == [(2, "at"), (3, "id")]

    def test_a_second_source_of_a_table_is_refused_and_both_are_named(self, orders, source, conn_id):
        put_orders(source, "eu/2020-05-01.json", order(1))
        put_orders(source, "us/2020-05-01.json", order(2))
        stage_orders(source, conn_id, prefix=None, key_pattern="eu/%Y-%m-%d.json")
        with pytest.raises(
            AirflowFailException, match=r"holds the rows of s3://.*/eu/%Y.* those of .*/us/%Y"
        ):
            stage_orders(source, conn_id, prefix=None, key_pattern="us/%Y-%m-%d.json")
        with pytest.raises(AirflowFailException, match=r"in mode replace. Nothing was staged"):
            stage_orders(source, conn_id, mode="replace", prefix="us/")
        assert ids(orders) == [1]
        assert [key for (key,) in orders.query("SELECT key FROM ops.staged_files")] == ["eu/2020-05-01.json"]

    def test_of_two_sources_that_begin_at_once_one_is_refused(self, orders, source, conn_id):
        for name in ("eu", "us"):
            put_orders(source, f"{name}/a.json", order(1))
        with ThreadPoolExecutor(2) as both:
            runs = [both.submit(stage_orders, source, conn_id, prefix=f"{name}/") for name in ("eu", "us")]
            failures = [run.exception() for run in runs]
        assert sorted(type(one).__name__ for one in failures) == ["AirflowFailException", "NoneType"]

    def test_a_part_of_the_source_may_be_staged_by_its_prefix(self, orders, source, conn_id):
        changed = {"mode": "changed_files", "key_columns": ["id"], "source_prefix": "orders/"}
        for number, name in enumerate("ab"):
            put_orders(source, f"orders/{name}/1.json", order(number))
            stage_orders(source, conn_id, prefix=f"orders/{name}/", **changed)
        stage_orders(source, conn_id, prefix="orders/", **changed)
        assert ids(orders) == [0, 1]
        with pytest.raises(AirflowFailException, match=r"prefix 'other/' does not begin with .*'orders/'"):
            stage_orders(source, conn_id, prefix="other/", **changed)

    def test_sources_that_are_appended_may_be_several(self, orders, source, conn_id):
        for number, name in enumerate(("eu", "us")):
            put_orders(source, f"{name}/a.json", order(number))
            stage_orders(source, conn_id, mode="append", prefix=f"{name}/")
        assert ids(orders) == [0, 1]

    def test_a_file_that_was_appended_and_has_changed_is_not_appended_again(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1))
        stage_orders(source, conn_id, mode="append")
        put_orders(source, "orders/a.json", order(1), order(2))
        put_orders(source, "orders/b.json", order(3))
        with pytest.raises(AirflowFailException, match=r"orders/a.json was appended .* would be there twice"):
            stage_orders(source, conn_id, mode="append")
        assert ids(orders) == [1]

    def test_indexes_of_a_mapped_task_are_told_apart_in_the_ledger(self, orders, source, conn_id):
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

    @pytest.mark.parametrize("bucket", ["s3://raw", "raw/orders", "arn:aws:s3:::raw", ""])
    def test_what_is_no_buckets_name_is_named_with_where_to_mend_it(self, orders, source, conn_id, bucket):
        operator = stage_orders(source, conn_id, mode="append", allow_empty=True)[1]
        operator.bucket = bucket
        with pytest.raises(
            AirflowFailException, match=r"not a bucket.s plain name.* Set the Airflow Variables"
        ):
            operator.execute(task_context(NINE, TEN))

    def test_a_staging_table_without_load_id_is_told_what_it_lacks(self, orders, source, conn_id):
        orders.execute("ALTER TABLE staging_orders DROP COLUMN load_id")
        put_orders(source, "orders/a.json", order(1))
        with pytest.raises(AirflowFailException, match="ALTER TABLE staging_orders ADD COLUMN load_id"):
            stage_orders(source, conn_id)

    @pytest.mark.parametrize("year", ["0001", "0999", "9999"])
    def test_a_window_in_a_year_that_names_no_file_is_refused(self, orders, source, conn_id, year):
        start, end = (f"{year}-05-01T{hour}:00:00+00:00" for hour in ("09", "10"))
        with pytest.raises(AirflowFailException, match=r"years are not of this world\. Trigger with params"):
            stage_orders(source, conn_id, start, end, prefix=None, key_pattern="orders/%Y/%H.json")

    def test_a_bucket_of_another_region_is_named_with_the_variable_of_the_region(
        self, orders, source, conn_id
    ):
        put_orders(source, "orders/a.json", order(1))
        with pytest.raises(AirflowFailException, match=r"Name the region that the bucket is in"):
            stage_orders(source, conn_id, region="eu-west-1")

    @pytest.mark.parametrize(
        "host", ["127.0.0.1:5439/sparkify", "localhost:5439", "jdbc:redshift://localhost"]
    )
    def test_an_endpoint_given_as_host_is_refused_at_once(self, orders, source, monkeypatch, host):
        connection = json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps({**connection, "host": host}))
        with pytest.raises(AirflowFailException, match="in fields of their own"):
            stage_orders(source, "redshift_default", mode="append")

    def test_the_task_shows_the_statements_it_ran(self, orders, source, conn_id):
        put_orders(source, "orders/a.json", order(1))
        _, operator = stage_orders(source, conn_id)
        assert "COPY" in operator.statements
        assert "IAM_ROLE default" in operator.statements
        assert "'2020-05-01 09:00:00'" in operator.statements
        assert operator.statements.index("LOCK TABLE") < operator.statements.index("DELETE FROM")

    def test_arguments_that_do_not_go_together_are_refused_when_the_dag_is_read(self, source):
        with pytest.raises(ValueError, match="key_pattern or prefix"):
            stage_orders(source, "redshift_default", key_pattern="x")
        with pytest.raises(ValueError, match="needs time_column"):
            stage_orders(source, "redshift_default", time_column=None)
        with pytest.raises(ValueError, match="needs key_columns"):
            stage_orders(source, "redshift_default", mode="changed_files")


IN_WINDOW = "WHERE at >= %(window_start)s AND at < %(window_end)s"


def load_orders(conn_id, start=NINE, end=TEN, **arguments):
    operator = LoadFactOperator(
        task_id="load",
        table="orders",
        conn_id=conn_id,
        **{
            "sql": f"SELECT id, at, customer, cents FROM staging_orders {IN_WINDOW};",
            "time_column": "at",
            **arguments,
        },
    )
    return operator.execute(task_context(start, end))


def load_customers(conn_id, start=NINE, end=TEN, **arguments):
    newest = "ROW_NUMBER() OVER (PARTITION BY customer ORDER BY at DESC, id DESC)"
    operator = LoadDimensionOperator(
        task_id="load",
        table="customers",
        conn_id=conn_id,
        **{
            "sql": f"SELECT customer, cents, at AS last_at FROM (SELECT *, {newest} AS n FROM staging_orders "
            f"{IN_WINDOW}) AS o WHERE n = 1",
            "mode": "upsert",
            "key_columns": ["customer"],
            "newer_by": "last_at",
            **arguments,
        },
    )
    return operator.execute(task_context(start, end))


def put_rows(warehouse, *rows):
    for number, at, customer, cents in rows:
        warehouse.execute(
            f"INSERT INTO staging_orders VALUES ({number}, '{at[:19]}', '{customer}', {cents}, 'x')"
        )


class TestFacts:
    def test_an_hour_that_was_staged_again_as_empty_is_emptied_whatever_rows_a_run_must_have(
        self, orders, conn_id
    ):
        put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2))
        load_orders(conn_id, NINE, TEN)
        orders.execute(
            "DELETE FROM staging_orders WHERE id = 1",
            f"INSERT INTO ops.changes VALUES ('staging_orders', 'L1', '{NINE[:19]}', '{TEN[:19]}')",
        )
        load_orders(conn_id, TEN, ELEVEN, follows=[Follow("staging_orders")], audits=Audits(min_rows=1))
        assert ids(orders, "orders") == [2]

    @pytest.mark.parametrize(
        "load",
        [
            lambda conn_id, **follow: load_orders(conn_id, mode="append", key_columns=["id"], **follow),
            lambda conn_id, **follow: load_customers(conn_id, newer_by=None, **follow),
        ],
    )
    def test_a_table_that_cannot_take_in_an_older_window_must_not_follow(self, orders, conn_id, load):
        with pytest.raises(AirflowFailException, match="in mode window, or upsert with newer_by"):
            load(conn_id, follows=[Follow("staging_orders")])

    def test_a_table_that_reads_all_of_what_it_follows_takes_its_changes_in_by_being_loaded(
        self, orders, conn_id
    ):
        put_rows(orders, (1, NINE, "ada", 1))
        orders.execute("INSERT INTO ops.changes VALUES ('staging_orders', 'L1', NULL, NULL)")
        sql = "SELECT id, at, customer, cents FROM staging_orders"
        load_orders(conn_id, sql=sql, mode="replace", follows=[Follow("staging_orders")])
        assert orders.query("SELECT target_table, change_load_id FROM ops.changes_taken") == [
            ("orders", "L1")
        ]

    def test_a_change_without_a_window_needs_an_update_where_only_a_window_is_read(self, orders, conn_id):
        put_rows(orders, (1, NINE, "ada", 1))
        orders.execute("INSERT INTO ops.changes VALUES ('staging_orders', 'L1', NULL, NULL)")
        with pytest.raises(AirflowFailException, match="Give the Follow an update"):
            load_orders(conn_id, follows=[Follow("staging_orders")])
        assert ids(orders, "orders") == []

    def test_window_loads_the_same_rows_however_often_it_runs(self, orders, conn_id):
        put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2))
        for _ in range(2):
            load_orders(conn_id, NINE, TEN)
        load_orders(conn_id, TEN, ELEVEN)
        assert ids(orders, "orders") == [1, 2]

    def test_a_select_that_does_not_keep_to_the_window_is_refused(self, orders, conn_id):
        put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2))
        with pytest.raises(AirflowFailException, match="1 rows for orders lie outside the window"):
            load_orders(conn_id, sql="SELECT id, at, customer, cents FROM staging_orders")
        assert ids(orders, "orders") == []

    def test_append_adds_only_keys_that_are_not_there(self, orders, conn_id):
        select = "SELECT id, at, customer, cents FROM staging_orders"
        put_rows(orders, (1, NINE, "ada", 1))
        load_orders(conn_id, sql=select, mode="append", key_columns=["id"])
        put_rows(orders, (2, NINE, "ada", 2))
        result = load_orders(conn_id, sql=select, mode="append", key_columns=["id"])
        assert ids(orders, "orders") == [1, 2]
        assert result["rows_inserted"] == 1

    def test_replace_writes_nothing_when_nothing_changed(self, orders, conn_id):
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

    @pytest.mark.parametrize(
        ("audits", "message"),
        [
            (Audits(not_null=["customer"]), "1 of 3 rows have no customer"),
            (Audits(unique=["id"]), r"1 values of \(id\) come more than once"),
            (Audits(min_rows=4), "3 rows, where at least 4 are expected"),
        ],
    )
    def test_a_broken_audit_rolls_the_load_back_and_says_which(self, orders, conn_id, audits, message):
        put_rows(orders, (1, NINE, "ada", 1))
        load_orders(conn_id)
        put_rows(orders, (2, NINE, "bob", 2), (2, NINE, "bob", 2))
        orders.execute("UPDATE staging_orders SET customer = NULL WHERE id = 1")
        with pytest.raises(AirflowFailException, match=message):
            load_orders(conn_id, audits=audits)
        assert orders.query("SELECT id, customer FROM orders") == [(1, "ada")]

    def test_wrong_sql_names_the_task_the_table_and_the_connection(self, orders, conn_id):
        with pytest.raises(
            AirflowFailException, match=f"load: writing orders over connection {conn_id} .* failed: .*colour"
        ):
            load_orders(conn_id, sql="SELECT colour FROM staging_orders")

    def test_percent_signs_in_a_select_mean_themselves(self, orders, conn_id):
        put_rows(orders, (1, NINE, "ada", 17), (2, NINE, "bob", 2))
        columns = "id, at, '100%' AS customer, cents % 5 AS cents"
        select = f"SELECT {columns} FROM staging_orders WHERE customer LIKE 'a%'"
        load_orders(conn_id, sql=select, mode="replace")
        assert orders.query("SELECT id, customer, cents FROM orders") == [(1, "100%", 2)]

    def test_a_constant_with_a_percent_sign_stays_a_constant(self, orders, conn_id):
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

    def test_a_change_completes_earlier_facts_once_and_after_others_have_taken_it(self, orders, conn_id):
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


class TestDimensions:
    @pytest.mark.parametrize("backwards", [False, True])
    def test_upsert_keeps_the_newer_row_in_either_order(self, orders, conn_id, backwards):
        put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2), (3, NINE, "bob", 3))
        windows = [(NINE, TEN), (TEN, ELEVEN)]
        for window in reversed(windows) if backwards else windows:
            load_customers(conn_id, *window)
        assert orders.query("SELECT customer, cents FROM customers ORDER BY customer") == [
            ("ada", 2),
            ("bob", 3),
        ]

    def test_upsert_goes_back_to_history_when_its_window_lost_the_newest_row(self, orders, conn_id):
        put_rows(orders, (1, NINE, "ada", 1), (2, TEN, "ada", 2), (3, TEN, "bob", 3))
        load_customers(conn_id, NINE, ELEVEN)
        orders.execute("DELETE FROM staging_orders WHERE id IN (2, 3)")
        load_customers(conn_id, TEN, ELEVEN)
        assert orders.query("SELECT customer, cents FROM customers") == [("ada", 1)]

    def test_a_key_that_comes_twice_is_refused_before_it_is_there_twice(self, orders, conn_id):
        put_rows(orders, (1, NINE, "ada", 1), (2, NINE, "ada", 2))
        with pytest.raises(AirflowFailException, match=r"\(customer\) come more than once"):
            load_customers(conn_id, sql="SELECT customer, cents, at AS last_at FROM staging_orders")

    def test_arguments_that_do_not_go_together_are_refused_when_the_dag_is_read(self):
        with pytest.raises(ValueError, match="upsert needs key_columns"):
            LoadDimensionOperator(task_id="x", table="t", sql="SELECT 1")
        with pytest.raises(ValueError, match="newer_by goes with mode upsert"):
            LoadDimensionOperator(task_id="x", table="t", sql="SELECT 1", mode="replace", newer_by="at")
