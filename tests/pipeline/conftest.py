"""A fresh warehouse and a source bucket of its own for every test of the pipeline."""

import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.records import song

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

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, in an order of its own and without load ids."""
        tables = {}
        for table in STAR:
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
        *(f"DROP TABLE IF EXISTS {table} CASCADE" for table in STAR),
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
def run_etl(sandbox: Any, metadata_database: None) -> Iterator[Run]:
    """Run the whole DAG once; keyword `window` is a pair of UTC times, `at` a logical date."""
    from airflow.dag_processing.dagbag import DagBag

    moments = itertools.count()

    def fresh_dag() -> Any:
        # dag.test() leaves a run's conf in the params of the DAG object, which a scheduler never shares.
        dag = DagBag(str(ROOT / "dags" / "sparkify_etl.py")).dags["sparkify_etl"]
        for task in dag.tasks:
            task.retries = 0
        return dag

    def run(window: tuple[str, str] | None = None, at: datetime | None = None, **params: str) -> Any:
        if window:
            params |= {"window_start": f"{window[0]}Z", "window_end": f"{window[1]}Z"}
        # Logical dates must differ between runs of one DAG.
        logical_date = at or datetime(2030, 1, 1, tzinfo=UTC) + timedelta(
            seconds=next(moments), microseconds=next(_numbers)
        )
        return fresh_dag().test(logical_date=logical_date, run_conf=params)

    return run
