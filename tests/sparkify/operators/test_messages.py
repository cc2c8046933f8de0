"""What a task's error says, and whether Airflow tries the task again after it."""

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.aws import NotYet
from sparkify.failures import FatalError
from sparkify.operators import (
    CreateTablesOperator,
    DataQualityOperator,
    GrantReadOperator,
    LoadDimensionOperator,
    ReconcileOperator,
    ResetTablesOperator,
)
from sparkify.operators.task_failures import translate_failures

STAGING = {
    "table": "staged",
    "bucket": "from-here",
    "work_bucket": "over-here",
    "key_pattern": "%Y.json",
    "time_column": "at",
}
LOADED = {"loaded_tables": ["facts"], "loaded_sql": ["SELECT 1"], "loaded_time_column": "at"}
RESET = {"sql": [], "tables": ["a", "b"], "chosen": "a b", "confirmation": "", "loading_tag": "loads"}
OPERATORS = {
    "making tables": lambda **k: CreateTablesOperator(sql=[], **k),
    "letting group readers read a, b": lambda **k: GrantReadOperator(group="readers", tables=["a", "b"], **k),
    "emptying a b": lambda **k: ResetTablesOperator(action="empty", **RESET, **k),
    "making all tables anew": lambda **k: ResetTablesOperator(action="recreate", **RESET, **k),
    "running checks.yaml into ops.quality_results": lambda **k: DataQualityOperator(
        checks="checks.yaml", **k
    ),
    "comparing staged with its files": lambda **k: ReconcileOperator(staging=STAGING, **LOADED, **k),
    "writing t": lambda **k: LoadDimensionOperator(table="t", sql="SELECT 1", key_columns=["a"], **k),
}


@pytest.mark.parametrize("doing", OPERATORS)
def test_an_error_says_what_the_task_was_doing_and_over_which_connection(doing, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_WRONG", '{"conn_type": "postgres", "host": "name:5439/db", "port": 5439}'
    )
    operator = OPERATORS[doing](task_id="task", conn_id="wrong")
    with pytest.raises(AirflowFailException) as caught:
        operator.run_in_warehouse(lambda _: pytest.fail("there is no such host"))
    assert str(caught.value).startswith(
        f"task: {doing} over connection wrong (name:5439/db:5439) failed: the host 'name:5439/db' is"
    )


@pytest.mark.parametrize("doing", OPERATORS)
def test_only_loads_have_a_target_table(doing):
    operator = OPERATORS[doing](task_id="task")
    assert ("table" in operator.template_fields) is hasattr(operator, "table") is (doing == "writing t")


def test_what_is_fatal_ends_the_task_for_good():
    with (
        pytest.raises(AirflowFailException, match=r"^The bucket is not there\.$"),
        translate_failures("Doing"),
    ):
        raise FatalError("The bucket is not there.")


def test_what_nobody_knows_ends_the_task_for_good_with_its_cause():
    error = ValueError("a bug")
    message = "^Doing failed: ValueError: a bug$"
    with pytest.raises(AirflowFailException, match=message) as caught, translate_failures("Doing"):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [NotYet("The cluster is creating."), ConnectionResetError("gone")])
def test_what_may_pass_is_left_to_the_retries_of_airflow(error):
    with (
        pytest.raises(AirflowException, match=r"^Doing .*(creating|gone)") as caught,
        translate_failures("Doing"),
    ):
        raise error
    assert not isinstance(caught.value, AirflowFailException)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("staging", "message"),
    [
        ({**STAGING, "key_pattern": None}, "needs key_pattern"),
        ({**STAGING, "time_column": None}, "needs time_column"),
        ({**STAGING, "prefix": "log/"}, "one of the two"),
        ({**STAGING, "colour": "red"}, "No arguments of a staging job: colour"),
        ({**STAGING, "copy_options": ["NOLOAD"]}, "NOLOAD"),
    ],
)
def test_staging_arguments_that_cannot_be_compared_are_refused_when_the_dag_is_read(staging, message):
    with pytest.raises(ValueError, match=message):
        ReconcileOperator(task_id="compare", staging=staging, **LOADED)
