"""StageToRedshiftOperator: the arguments that it refuses, and what it shows."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.contexts import task_context
from tests.sparkify.orders import NINE, TEN, order, put_orders, stage_orders


def test_arguments_that_do_not_go_together_are_refused_when_the_dag_is_read(source):
    with pytest.raises(ValueError, match="key_pattern or prefix"):
        stage_orders(source, "redshift_default", key_pattern="x")
    with pytest.raises(ValueError, match="needs time_column"):
        stage_orders(source, "redshift_default", time_column=None)
    with pytest.raises(ValueError, match="needs key_columns"):
        stage_orders(source, "redshift_default", mode="changed_files")


@pytest.mark.parametrize("bucket", ["s3://raw", "raw/orders", "arn:aws:s3:::raw", ""])
def test_what_is_no_buckets_name_is_named_with_where_to_mend_it(orders, source, conn_id, bucket):
    operator = stage_orders(source, conn_id, mode="append", allow_empty=True)[1]
    operator.bucket = bucket
    with pytest.raises(AirflowFailException, match=r"not a bucket.s plain name.* Set the Airflow Variables"):
        operator.execute(task_context(NINE, TEN))


def test_the_task_shows_the_statements_it_ran(orders, source, conn_id):
    put_orders(source, "orders/a.json", order(1))
    _, operator = stage_orders(source, conn_id)
    assert "COPY" in operator.statements
    assert "IAM_ROLE default" in operator.statements
    assert "'2020-05-01 09:00:00'" in operator.statements
    assert operator.statements.index("LOCK TABLE") < operator.statements.index("DELETE FROM")
