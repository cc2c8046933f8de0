"""Runs of sparkify_etl over a warehouse and a source of each test's own."""

import itertools
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.pipeline import source, warehouse

ROOT = Path(__file__).parents[2]

__all__ = ["source", "warehouse"]

_numbers = itertools.count()

Run = Callable[..., Any]


@pytest.fixture(scope="session")
def metadata_database() -> None:
    """Airflow's own tables, in the session's SQLite file."""
    from airflow.utils.db import initdb

    Path(os.environ["AIRFLOW_HOME"]).mkdir(exist_ok=True)
    initdb()


@pytest.fixture
def etl_dag() -> Callable[[], Any]:
    """Read sparkify_etl anew; a task that fails is not tried again."""
    from airflow.dag_processing.dagbag import DagBag

    def fresh_dag() -> Any:
        # dag.test() leaves a run's conf in the params of the DAG object, which a scheduler never shares.
        dag = DagBag(str(ROOT / "dags" / "sparkify_etl.py")).dags["sparkify_etl"]
        for task in dag.tasks:
            task.retries = 0
        return dag

    return fresh_dag


@pytest.fixture
def run_dag(sandbox: Any, metadata_database: None, etl_dag: Callable[[], Any]) -> Run:
    """Run the DAG as `airflow dags test` does; keyword `at` is a logical date, others are params."""

    def run(at: datetime, **params: str) -> Any:
        return etl_dag().test(logical_date=at, run_conf=params)

    return run


@pytest.fixture
def run_etl(sandbox: Any, etl_dag: Callable[[], Any]) -> Run:
    """Run the tasks of the DAG over a `window`, a pair of UTC times; keywords are params.

    They are executed one after the other in this process, as Airflow's task runner does it, without the
    bookkeeping of a run: that costs three times what the tasks do, and `run_dag` has it.
    """
    dag = etl_dag()

    def run(window: tuple[str, str] | None = None, **params: Any) -> Any:
        if window:
            params |= {"window_start": f"{window[0]}Z", "window_end": f"{window[1]}Z"}
        # Most sources of tests have no songs.
        params = {"allow_no_songs": True, **params}
        params = {name: param.value for name, param in dag.params.items()} | params
        run_id = f"test_run_{next(_numbers)}"
        for task in dag.topological_sort():
            try:
                execute(task, params, run_id)
            except Exception:
                traceback.print_exc(file=sys.stdout)
                return SimpleNamespace(state="failed")
        return SimpleNamespace(state="success")

    return run


def execute(task: Any, params: Mapping[str, Any], run_id: str) -> Any:
    """Execute one task, rendered; return what it returns."""
    operator, context = prepare(task, params, run_id)
    return operator.execute(context)


def prepare(task: Any, params: Mapping[str, Any], run_id: str) -> tuple[Any, Any]:
    """Return a task, rendered, and its context; connections and Variables are those of the environment."""
    from airflow.sdk.execution_time.context import VariableAccessor

    operator = task.prepare_for_execution()
    context: Any = {
        "ti": SimpleNamespace(dag_id=task.dag_id, run_id=run_id, task_id=task.task_id),
        "params": params,
        "var": {"value": VariableAccessor(deserialize_json=False)},
    }
    operator.render_template_fields(context)
    return operator, context
