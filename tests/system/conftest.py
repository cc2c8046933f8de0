"""A fresh warehouse and a source bucket of its own for every test of the pipeline."""

import itertools
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from definitions import DATASETS
from tests.system.records import song

ROOT = Path(__file__).parents[2]
STAR = ("staging_events", "staging_songs", "songplays", "users", "songs", "artists", "time")

_numbers = itertools.count()


@dataclass
class Warehouse:
    """Reads the tables over redshift_connector."""

    connection: Any

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self.connection.cursor()
        cursor.execute(sql)
        rows = [tuple(row) for row in cursor.fetchall()]
        self.connection.rollback()
        return rows

    def counts(self) -> dict[str, int]:
        return {table: self.query(f"SELECT COUNT(*) FROM {table}")[0][0] for table in STAR}

    def contents(self, *names: str) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, or of those named, in an order of its own and without load ids."""
        tables = {}
        for table in names or STAR:
            rows = self.query(f"SELECT * FROM {table}")
            rows = [row[:-1] for row in rows] if table.startswith("staging_") else rows
            tables[table] = sorted(rows, key=repr)
        return tables

    def execute(self, *statements: str) -> None:
        cursor = self.connection.cursor()
        for sql in statements:
            cursor.execute(sql)
        self.connection.commit()


@dataclass
class Source:
    """Writes source files as the app does."""

    s3: Any
    bucket: str

    def put(self, key: str, body: str | bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_events(self, day: str, events: Sequence[Mapping[str, Any]]) -> str:
        key = f"log_data/{day[:4]}/{day[5:7]}/{day}-events.json"
        self.put(key, "".join(json.dumps(event) + "\n" for event in events))
        return key

    def put_song(self, name: str, **fields: Any) -> str:
        key = f"song_data/{name[2]}/{name[3]}/{name[4]}/{name}.json"
        self.put(key, json.dumps(song(**fields)))
        return key

    def put_folder(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*_data/**/*.json")):
            self.put(path.relative_to(folder).as_posix(), path.read_bytes())


@pytest.fixture
def warehouse(redshift: Any) -> Warehouse:
    found = Warehouse(redshift)
    found.execute(
        *(f"DROP TABLE IF EXISTS {table} CASCADE" for dataset in DATASETS for table in dataset.tables),
        "DROP SCHEMA IF EXISTS ops CASCADE",
    )
    return found


@pytest.fixture
def source(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Source:
    bucket = f"source-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket)
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET", bucket)
    return Source(s3, bucket)


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
    """Execute one task: its templates are rendered, its connections and Variables are the environment's."""
    from airflow.sdk.execution_time.context import VariableAccessor

    operator = task.prepare_for_execution()
    context: Any = {
        "ti": SimpleNamespace(dag_id=task.dag_id, run_id=run_id, task_id=task.task_id),
        "params": params,
        "var": {"value": VariableAccessor(deserialize_json=False)},
    }
    operator.render_template_fields(context)
    return operator.execute(context)
