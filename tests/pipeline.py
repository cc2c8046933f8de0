"""The warehouse and the source bucket of a test, and fixtures that make them: fresh ones for every test."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from definitions import DATASETS
from tests.records import song

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
        *(
            f"DROP TABLE IF EXISTS {table} CASCADE"
            for dataset in DATASETS
            for table in (*dataset.tables, *dataset.beside.values())
        ),
        "DROP SCHEMA IF EXISTS ops CASCADE",
    )
    return found


@pytest.fixture
def source(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Source:
    bucket = f"source-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket)
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET", bucket)
    return Source(s3, bucket)
