"""LoadDimensionOperator: the arguments that it refuses."""

import pytest

from sparkify.operators import LoadDimensionOperator


def test_arguments_that_do_not_go_together_are_refused_when_the_dag_is_read():
    with pytest.raises(ValueError, match="upsert needs key_columns"):
        LoadDimensionOperator(task_id="x", table="t", sql="SELECT 1")
    with pytest.raises(ValueError, match="newer_by goes with mode upsert"):
        LoadDimensionOperator(task_id="x", table="t", sql="SELECT 1", mode="replace", newer_by="at")
