"""A scenario's whole world: the source, the warehouse, the runs, and what must be true of them."""

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sparkify.checks.results import QUALITY_RESULTS
from sparkify.stage.fields import MISSING, SOURCE_FIELDS
from sparkify.warehouse.ledger import STAGED_FILES
from sparkify.warehouse.schema import with_ops
from sparkify.warehouse.session import Session
from tests.conftest import REPOSITORY
from tests.faults import questions, reader
from tests.faults.datasets import BY_NAME, SPARKIFY, Tables, UnderTest
from tests.faults.reader import IdleReader, Reader
from tests.faults.reference import Row, Window
from tests.faults.runs import Run, Runner, wait_until
from tests.pipeline import Source, Warehouse
from tests.records import song, store

OPS_TABLES = (
    *("ops.staged_files", "ops.sources", "ops.loads", "ops.changes_taken", "ops.changes"),
    *("ops.refused_rows", "ops.settled_rows"),
)
JSONPATHS = REPOSITORY / "include" / "sparkify" / "log_events.json"
NEWEST_STAGED = """
    SELECT key, etag FROM (
        SELECT key, etag, ROW_NUMBER() OVER (PARTITION BY key ORDER BY staged_at DESC) AS newest
        FROM ops.staged_files
    ) AS versions WHERE newest = 1"""


def drop_tables(warehouse: Warehouse) -> None:
    tables = (table for under_test in BY_NAME.values() for table in under_test.kept)
    dropped = (f"DROP TABLE IF EXISTS {table} CASCADE" for table in tables)
    warehouse.execute(*dropped, "DROP SCHEMA IF EXISTS ops CASCADE")


def checksum(rows: Sequence[Row]) -> str:
    """Rows of one table in one number."""
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()


@dataclass
class World:
    """What a scenario acts on.

    Args:
        admin: queries PostgreSQL behind the endpoint as its superuser.
        readers: one for each dataset of the world; they read as long as it lasts.
        idle: keeps a transaction open in which it has read every table.
        objects: key → content of the source as it is now.
        versions: key and content of everything that was ever written.
    """

    warehouse: Warehouse
    source: Source
    runner: Runner
    admin: Callable[..., list[tuple[Any, ...]]]
    readers: Sequence[Reader]
    idle: IdleReader | None = None
    objects: dict[str, bytes] = field(default_factory=dict)
    versions: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def tables(self) -> list[str]:
        """The tables of all datasets."""
        return [table for under_test in self.datasets for table in under_test.tables]

    def create_tables(self) -> None:
        """Make all tables, and have them read."""
        texts = (text for under_test in self.datasets for text in under_test.schema)
        self.warehouse.execute(*with_ops(texts))
        self._know_fields()
        # A run's first LOCK is its first also where no run was before.
        session = Session(self.warehouse.connection, logging.getLogger("tests"))
        with session.publishing(*self.tables, STAGED_FILES, QUALITY_RESULTS, SOURCE_FIELDS):
            pass
        self.idle = IdleReader((*self.tables, *OPS_TABLES), self.readers[0].connect)

    def _know_fields(self) -> None:
        """Let every field of the source have been seen: what a run publishes first are its rows."""
        session = Session(self.warehouse.connection, logging.getLogger("tests"))
        names = {table: session.columns(table) for table in self.tables if table.startswith("staging")}
        names["staging_events"] = json.loads(JSONPATHS.read_text())["jsonpaths"]
        rows = [
            (table, name.removeprefix("$['").removesuffix("']"), kind, "", "", "", datetime(2018, 1, 1))
            for table, columns in names.items()
            for name in columns
            for kind in ("text", "number", MISSING)
        ]
        columns = ("dataset", "field", "kind", "file", "etag", "load_id", "seen_at")
        session.insert_rows(SOURCE_FIELDS, columns, rows)
        session.commit()

    def drop_tables(self) -> None:
        """Drop all tables, for which alone readers wait, and which waits for them."""
        if self.idle:
            self.idle.stop()
        for one in self.readers:
            one.may_wait = True
        drop_tables(self.warehouse)

    def empty_tables(self) -> None:
        """Forget every load."""
        assert self.complaints() == []
        kept = (table for under_test in self.datasets for table in under_test.kept)
        self.warehouse.execute(*(f"DELETE FROM {table}" for table in (*kept, *OPS_TABLES)))
        for one in self.readers:
            one.forget()
        self.runner.windows.clear()

    def put(self, key: str, body: bytes) -> str:
        """Write a file."""
        self.source.put(key, body)
        self.objects[key] = body
        self.versions.append((key, body))
        return key

    def wait_for_the_next_second(self) -> None:
        """Let the next version of a file be a later one also for S3, which knows whole seconds."""
        now = int(time.time())
        wait_until(lambda: int(time.time()) > now, "the clock's next second")

    def delete(self, key: str) -> None:
        """Remove a file; its events are gone once their window has run again."""
        self.source.s3.delete_object(Bucket=self.source.bucket, Key=key)
        del self.objects[key]
        self.versions.append((key, b""))

    def delete_everything(self) -> None:
        """Empty the source and forget what it held."""
        for key in list(self.objects):
            self.delete(key)
        self.versions.clear()

    def put_events(self, day: str, events: Sequence[Mapping[str, Any]]) -> str:
        """Write the file of a day such as 2018-11-15."""
        body = "".join(json.dumps(event) + "\n" for event in events).encode()
        return self.put(f"log_data/{day[:4]}/{day[5:7]}/{day}-events.json", body)

    def put_folder(self, folder: Path) -> None:
        """Write every file of a folder of sample data."""
        for path in sorted(folder.rglob("*_data/**/*.json")):
            self.put(path.relative_to(folder).as_posix(), path.read_bytes())

    def put_song(self, name: str, **fields: Any) -> str:
        """Write the file of a song; `name` begins with TR and at least three letters."""
        key = f"song_data/{name[2]}/{name[3]}/{name[4]}/{name}.json"
        return self.put(key, json.dumps(song(**fields)).encode())

    def put_store(self, number: int, **fields: Any) -> str:
        """Write the file of a store."""
        return self.put(f"store_data/store-{number:03}.json", json.dumps(store(number, **fields)).encode())

    def put_sales(self, month: str, sales: Sequence[Mapping[str, Any]]) -> str:
        """Write the sales of a month such as 2018-11."""
        body = "".join(json.dumps(sale) + "\n" for sale in sales).encode()
        return self.put(f"sales_data/{month[:4]}/{month}-sales.json", body)

    def start(self, *windows: Window, **plan: Any) -> Run:
        return self.runner.start(*windows, **plan)

    def run(self, *windows: Window, **plan: Any) -> Run:
        return self.runner.run(*windows, **plan)

    def wait_for_the_reader(self) -> None:
        """Wait until the reader has looked."""
        first = self.readers[0]
        enough = first.looks + 2
        wait_until(lambda: first.looks >= enough, "the reader looked")

    def wait_until_blocked(self, run: Run) -> None:
        """Wait until `run` ended, pauses, or cannot go on because of another session that is no reader."""
        sql = """
            SELECT COUNT(*) FROM pg_stat_activity AS waiting
            WHERE waiting.application_name <> %(reader)s AND EXISTS (
                SELECT 1 FROM pg_stat_activity AS holding
                WHERE
                    holding.pid = ANY(pg_blocking_pids(waiting.pid))
                    AND holding.application_name <> %(reader)s
            )"""
        wait_until(
            lambda: run.has_stopped or self.admin(sql, {"reader": reader.APPLICATION})[0][0],
            "the run stopped or was blocked",
        )

    @property
    def datasets(self) -> list[UnderTest]:
        """Those whose tables are there."""
        return [one.under_test for one in self.readers]

    def expected(self, under_test: UnderTest = SPARKIFY) -> Tables:
        """The tables of a dataset after every window that any run of it was for."""
        return under_test.reference(self.objects, self.runner.windows[under_test.name])

    def differences(self, *datasets: UnderTest) -> list[str]:
        """Every table that is not what it must be, with the rows that are missing or too many.

        Args:
            *datasets: of which every run is done; by default all.
        """
        done = datasets or self.datasets
        wrong = [text for under_test in done for text in self._differences(under_test)]
        return wrong + self.contradictions(*done) + self.complaints()

    def _differences(self, under_test: UnderTest) -> list[str]:
        expected = self.expected(under_test)
        found = self.warehouse.contents(*expected)
        wrong = [
            f"{table}: missing {missing(expected[table], found[table])}, "
            f"too many {missing(found[table], expected[table])}"
            for table in expected
            if checksum(found[table]) != checksum(expected[table])
        ]
        return wrong + self._ledger_gaps(under_test)

    def contradictions(self, *done: UnderTest) -> list[str]:
        """What the tables say and other tables, or the ledger, deny.

        Args:
            *done: the datasets of which no run is under way or died.
        """
        asked = dict(questions.OF_THE_LEDGER)
        for under_test in self.datasets:
            asked |= under_test.contradictions
        for under_test in done:
            asked |= under_test.in_the_end
        counts = self.warehouse.query("SELECT " + ", ".join(f"({sql})" for sql in asked.values()))[0]
        return [f"{count} {what}" for what, count in zip(asked, counts, strict=True) if count]

    def ledger(self, under_test: UnderTest) -> list[list[tuple[Any, ...]]]:
        """All that the ledger says of a dataset."""
        return [sorted(self.admin(sql), key=repr) for sql in questions.ledger_of(under_test.tables)]

    def pending(self, under_test: UnderTest) -> int:
        """How many changes the facts of a dataset have not taken in."""
        sql = questions.pending_changes(under_test.fact, under_test.followed)
        return int(self.admin(sql)[0][0])

    def _ledger_gaps(self, under_test: UnderTest) -> list[str]:
        """Every file that was to be staged as it is now and whose newest staged version is another one."""
        staged = dict(self.warehouse.query(NEWEST_STAGED))
        windows = self.runner.windows[under_test.name]
        keys = {under_test.key(start) for window in windows for start, _ in under_test.periods(window)}
        return [
            f"{key} is not in the ledger as it is now"
            for key, body in self.objects.items()
            if under_test.owns(key)
            and (key in keys if under_test.is_of_windows(key) else windows)
            and staged.get(key) != hashlib.md5(body, usedforsecurity=False).hexdigest()
        ]

    def complaints(self) -> list[str]:
        """What the readers saw and must never see."""
        windows, versions = self.runner.windows, self.versions
        return [
            text for one in self.readers for text in one.complaints(windows[one.under_test.name], versions)
        ]

    def checksums(self) -> dict[str, str]:
        """One number for the contents of each table."""
        return {table: checksum(rows) for table, rows in self.warehouse.contents().items()}

    def check(self, *datasets: UnderTest) -> None:
        """Assert that the tables are what the source says and that the ledger agrees with them.

        Args:
            *datasets: of which every run is done; by default all.
        """
        wrong = self.differences(*datasets)
        assert not wrong, "\n".join(wrong)


def missing(rows: Sequence[Row], among: Sequence[Row]) -> list[Row]:
    """The first rows that are not among the others, each as often as it is missing."""
    return list((Counter(rows) - Counter(among)).elements())[:3]
