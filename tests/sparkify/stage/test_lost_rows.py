"""Rows that a run could lose, keep twice or tell of wrongly."""

import json

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import Follow, StageToRedshiftOperator
from sparkify.stage.strays import StrayFinder
from sparkify.warehouse import rejected_rows
from tests.contexts import task_context
from tests.sparkify.orders import ids, load_orders, order, put_orders, put_rows, stage_orders

CONNECTION = "redshift_default"
DAY = ("2020-05-01T00:00:00+00:00", "2020-05-02T00:00:00+00:00")
TWO_DAYS = (DAY[0], "2020-05-03T00:00:00+00:00")
DAILY = {"prefix": None, "key_pattern": "orders/%Y-%m-%d.json"}
FIRST, SECOND, THIRD, NINTH = (f"2020-05-{day:02}T09:00:00+00:00" for day in (1, 2, 3, 9))


def stage_in(source, table, **arguments):
    operator = StageToRedshiftOperator(
        task_id="stage",
        table=table,
        conn_id=CONNECTION,
        bucket=source.bucket,
        work_bucket="sparkify-work",
        **{"mode": "window", "time_column": "at", **arguments},
    )
    return operator.execute(task_context(*DAY))


class TestStraysOfSeveralFiles:
    def test_strays_that_files_have_exchanged_are_errors(self, orders, source):
        put_orders(source, "orders/2020-05-01.json", order(1, FIRST), order(2, SECOND))
        put_orders(source, "orders/2020-05-02.json", order(3, SECOND), order(4, FIRST))
        with pytest.raises(AirflowFailException, match="outside the time"):
            stage_orders(source, CONNECTION, *TWO_DAYS, **DAILY)
        assert ids(orders) == []

    def test_a_stray_hidden_on_a_line_with_another_document_is_an_error(self, orders, source):
        put_orders(source, "orders/2020-05-02.json", order(3, SECOND))
        both = json.dumps(order(1, FIRST)) + json.dumps(order(2, NINTH))
        source.put("orders/2020-05-01.json", both + "\n")
        with pytest.raises(AirflowFailException, match="outside the time"):
            stage_orders(source, CONNECTION, *TWO_DAYS, **DAILY)

    def test_a_stray_that_fills_a_gap_of_another_file_is_not_staged_and_costs_no_other(self, orders, source):
        put_orders(source, "orders/2020-05-01.json", order(1, FIRST), order(2, NINTH))
        put_orders(source, "orders/2020-05-02.json", order(3, SECOND), order(4, FIRST))
        result, _ = stage_orders(source, CONNECTION, *TWO_DAYS, **DAILY, keep_strays=True)
        assert ids(orders) == [1, 3]
        assert result["rows_rejected"] == 2


class TestLateFiles:
    @pytest.mark.parametrize("end", ["2020-05-03", "2020-05-04"])
    def test_strays_of_an_earlier_day_keep_no_new_hours_out_where_errors_are_allowed(
        self, orders, source, end
    ):
        put_orders(source, "orders/2020-05-01.json", order(1, FIRST))
        stage_orders(source, CONNECTION, *DAY, **DAILY)
        put_orders(source, "orders/2020-05-01.json", order(1, FIRST), order(2, NINTH), order(3, NINTH))
        put_orders(source, "orders/2020-05-02.json", order(4, SECOND))
        put_orders(source, "orders/2020-05-03.json", order(5, THIRD))
        window = (DAY[1], f"{end}T00:00:00+00:00")
        stage_orders(source, CONNECTION, *window, **DAILY, look_back_days=1, max_errors=1)
        assert ids(orders) == ([1, 4] if end == "2020-05-03" else [1, 4, 5])


class TestRunsThatDieBetweenStagingAndLoading:
    @pytest.mark.parametrize("named_by", [DAILY, {"prefix": "orders/"}])
    @pytest.mark.parametrize("left", [[], [1]])
    def test_another_run_loads_what_they_have_staged_again(self, orders, source, named_by, left):
        def stage(*numbers):
            put_orders(source, "orders/2020-05-01.json", *(order(number, FIRST) for number in numbers))
            if not numbers:
                source.s3.delete_object(Bucket=source.bucket, Key="orders/2020-05-01.json")
            stage_orders(source, CONNECTION, *DAY, **named_by, allow_empty=True)

        follows = [Follow("staging_orders")]
        stage(1, 2)
        load_orders(CONNECTION, *DAY, follows=follows)
        stage(*left)
        load_orders(CONNECTION, DAY[1], TWO_DAYS[1], follows=follows)
        assert ids(orders, "orders") == left
        stage(*left)
        assert orders.query("SELECT COUNT(*) FROM ops.changes") == [(1,)]


class TestStrayLines:
    @pytest.mark.parametrize("bad", ['{"id": 9, "at": 1e30}', "[1]", '"text"', "{"])
    def test_a_document_that_copy_refuses_does_not_hide_the_line_of_a_stray(self, orders, source, bad):
        body = f'{{"id": 1, "at": 1588323600000}}\n{bad}\n{{"id": 2, "at": 1589014800000}}'
        source.put("orders/2020-05-01.json", body)
        options = ["TIMEFORMAT AS 'epochmillisecs'"]
        stage_orders(source, CONNECTION, *DAY, **DAILY, max_errors=2, copy_options=options)
        assert ids(orders) == [1]
        assert orders.query("SELECT line FROM ops.rejected_rows ORDER BY line") == [(2,), (3,)]

    def test_a_file_that_is_mended_before_its_strays_are_looked_for_is_staged_as_mended(
        self, orders, source, monkeypatch
    ):
        find, key = StrayFinder.find, "orders/2020-05-01.json"

        def find_after_mending(*arguments):
            put_orders(source, key, order(1, FIRST))
            return find(*arguments)

        monkeypatch.setattr(StrayFinder, "find", find_after_mending)
        put_orders(source, key, order(1, FIRST), order(2, NINTH))
        stage_orders(source, CONNECTION, *DAY, **DAILY)
        assert ids(orders) == [1]


class TestRejectedRows:
    def test_a_null_that_the_staging_table_does_not_take_is_an_error_of_its_row(self, orders, source):
        columns = "id INTEGER, at TIMESTAMP, customer VARCHAR(20), cents INTEGER NOT NULL"
        orders.execute(
            "DROP TABLE staging_orders", f"CREATE TABLE staging_orders ({columns}, load_id VARCHAR(64))"
        )
        put_orders(source, "orders/a.json", order(1), order(2, cents=None))
        with pytest.raises(AirflowFailException, match=r"orders/a.json line 2, column cents"):
            stage_orders(source, CONNECTION)
        stage_orders(source, CONNECTION, max_errors=1)
        assert ids(orders) == [1]

    @pytest.mark.parametrize("connection", [CONNECTION, "postgres_sandbox"])
    def test_rows_that_copy_passed_over_and_no_load_error_names_fail_the_load(
        self, orders, source, monkeypatch, connection
    ):
        monkeypatch.setattr(rejected_rows, "_STL", f"{rejected_rows._STL.rpartition('ORDER')[0]} AND FALSE")
        monkeypatch.setattr(rejected_rows, "_SYS", f"{rejected_rows._SYS.rpartition('ORDER')[0]} AND FALSE")
        put_orders(source, "orders/a.json", order(1), order("two"))
        with pytest.raises(AirflowFailException, match=r"passed over 1 rows .* load errors name 0"):
            stage_orders(source, connection, max_errors=2)
        assert ids(orders) == []


class TestNames:
    def test_a_table_is_found_behind_an_empty_schema_of_the_users_own(self, orders, source):
        [(user,)] = orders.query("SELECT CURRENT_USER")
        orders.execute(f'CREATE SCHEMA "{user}"')
        try:
            put_orders(source, "orders/a.json", order(1))
            stage_orders(source, CONNECTION)
        finally:
            orders.execute(f'DROP SCHEMA "{user}" CASCADE')
        assert ids(orders) == [1]

    def test_a_table_in_large_letters_is_the_same_table_and_has_one_source(self, orders, source):
        put_orders(source, "eu/a.json", order(1))
        put_orders(source, "us/a.json", order(2))
        stage_orders(source, CONNECTION, prefix="eu/")
        with pytest.raises(AirflowFailException, match="holds the rows of"):
            stage_in(source, "Staging_Orders", prefix="us/")

    def test_a_change_reaches_a_follower_that_writes_the_name_in_large_letters(self, orders):
        put_rows(orders, (1, FIRST, "ada", 1))
        orders.execute(
            f"INSERT INTO ops.changes VALUES ('staging_orders', 'L1', '{DAY[0][:19]}', '{DAY[1][:19]}')"
        )
        follows = [Follow("Staging_Orders")]
        load_orders(CONNECTION, SECOND, THIRD, follows=follows)
        assert ids(orders, "orders") == [1]

    def test_a_table_of_another_schema_is_staged(self, orders, source):
        orders.execute("CREATE SCHEMA landing", "CREATE TABLE landing.raw_orders (LIKE staging_orders)")
        try:
            put_orders(source, "orders/a.json", order(1))
            for mode in ("changed_files", "replace"):
                stage_in(source, "landing.Raw_Orders", prefix="orders/", mode=mode, key_columns=["ID"])
            assert ids(orders, "landing.raw_orders") == [1]
        finally:
            orders.execute("DROP SCHEMA landing CASCADE")
