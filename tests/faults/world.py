"""A scenario's whole world: the source, the warehouse, the runs, and what must be true of them."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sparkify.warehouse.schema import with_ops
from tests.faults import reader
from tests.faults.reader import Reader
from tests.faults.reference import EVENTS, SONGS, Reference, Row, Window
from tests.faults.runs import Run, Runner, wait_until
from tests.pipeline import STAR, Source, Warehouse
from tests.records import song
from tests.system.conftest import ROOT

SCHEMA = ROOT / "include" / "sparkify" / "schema"
VIEWS = ("plays", "catalogue")
TABLES = ("staging_events", "staging_songs", "users", "artists", "songs", "time", "songplays")
# Each question counts what must never be, also while runs are under way or after they died.
IN_BETWEEN = {
    "events whose load is not in ops.loads": """
        SELECT COUNT(*) FROM staging_events AS s LEFT JOIN ops.loads AS l ON s.load_id = l.load_id
        WHERE l.load_id IS NULL""",
    "songs whose load is not in ops.loads": """
        SELECT COUNT(*) FROM staging_songs AS s LEFT JOIN ops.loads AS l ON s.load_id = l.load_id
        WHERE l.load_id IS NULL""",
    "staged files whose load is not in ops.loads": """
        SELECT COUNT(*) FROM ops.staged_files AS s LEFT JOIN ops.loads AS l ON s.load_id = l.load_id
        WHERE l.load_id IS NULL""",
    "file versions that stand in the ledger twice": """
        SELECT COUNT(*) FROM (
            SELECT 1 AS one FROM ops.staged_files GROUP BY dataset, bucket, key, etag HAVING COUNT(*) > 1
        ) AS twice""",
    "events and songs of loads that wrote fewer": """
        SELECT COUNT(*) FROM (
            SELECT load_id, COUNT(*) AS held FROM staging_events GROUP BY load_id
            UNION ALL
            SELECT load_id, COUNT(*) AS held FROM staging_songs GROUP BY load_id
        ) AS s INNER JOIN ops.loads AS l ON s.load_id = l.load_id
        WHERE s.held > l.rows_inserted""",
    "late loads taken in by a load that is not in ops.loads": """
        SELECT COUNT(*) FROM ops.changes_taken AS a LEFT JOIN ops.loads AS l ON a.load_id = l.load_id
        WHERE l.load_id IS NULL""",
    "loads recorded twice": """
        SELECT COUNT(*) FROM (
            SELECT load_id FROM ops.loads GROUP BY load_id HAVING COUNT(*) > 1
        ) AS twice""",
    "plays that stand there twice": """
        SELECT COUNT(*) FROM (
            SELECT songplay_id FROM songplays GROUP BY songplay_id HAVING COUNT(*) > 1
        ) AS twice""",
    "plays that point to a song that is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN songs AS s ON p.song_id = s.song_id
        WHERE p.song_id IS NOT NULL AND s.song_id IS NULL""",
    **{
        f"rows of {table} more than all loads wrote and deleted": f"""
            SELECT COUNT(*) - (
                SELECT COALESCE(SUM(rows_inserted - rows_deleted), 0) FROM ops.loads
                WHERE target_table = '{table}'
            ) FROM {table}"""
        for table in STAR
    },
}
# What must not be once every run is done.
CONSISTENCY = IN_BETWEEN | {
    "plays that point to an artist who is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN artists AS a ON p.artist_id = a.artist_id
        WHERE p.artist_id IS NOT NULL AND a.artist_id IS NULL""",
    "plays that point to a user who is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN users AS u ON p.user_id = u.user_id
        WHERE u.user_id IS NULL""",
    "plays that point to a moment that is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN time AS t ON p.start_time = t.start_time
        WHERE t.start_time IS NULL""",
}


NEWEST_STAGED = """
    SELECT key, etag FROM (
        SELECT key, etag, ROW_NUMBER() OVER (PARTITION BY key ORDER BY staged_at DESC) AS newest
        FROM ops.staged_files
    ) AS versions WHERE newest = 1"""


def drop_tables(warehouse: Warehouse) -> None:
    tables = (f"DROP TABLE IF EXISTS {table} CASCADE" for table in STAR)
    warehouse.execute(*tables, "DROP SCHEMA IF EXISTS ops CASCADE")


def checksum(rows: Sequence[Row]) -> str:
    """Rows of one table in one number."""
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()


@dataclass
class World:
    """What a scenario acts on.

    Args:
        admin: queries PostgreSQL behind the endpoint as its superuser.
        reader: reads as long as the world lasts.
        objects: key → content of the source as it is now.
        versions: key and content of everything that was ever written.
    """

    warehouse: Warehouse
    source: Source
    runner: Runner
    admin: Callable[..., list[tuple[Any, ...]]]
    reader: Reader
    objects: dict[str, bytes] = field(default_factory=dict)
    versions: list[tuple[str, bytes]] = field(default_factory=list)

    def create_tables(self) -> None:
        self.warehouse.execute(*with_ops((SCHEMA / f"{name}.sql").read_text() for name in (*TABLES, *VIEWS)))

    def empty_tables(self) -> None:
        """Forget every load."""
        assert self.complaints() == []
        tables = [
            *STAR,
            "ops.staged_files",
            "ops.sources",
            "ops.loads",
            "ops.changes_taken",
            "ops.changes",
        ]
        self.warehouse.execute(*(f"DELETE FROM {table}" for table in tables))
        self.reader.forget()
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

    def start(self, *windows: Window, **plan: Any) -> Run:
        return self.runner.start(*windows, **plan)

    def run(self, *windows: Window, **plan: Any) -> Run:
        return self.runner.run(*windows, **plan)

    def wait_for_the_reader(self) -> None:
        """Wait until the reader has looked, or could not because the table is locked."""
        enough = self.reader.looks + 2
        wait_until(lambda: self.reader.looks >= enough, "the reader looked")

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

    def expected(self) -> dict[str, list[Row]]:
        """The tables after every window that any run was for."""
        return Reference(self.objects, self.runner.windows).tables()

    def differences(self) -> list[str]:
        """Every table that is not what it must be, with the rows that are missing or too many."""
        found, expected = self.warehouse.contents(), self.expected()
        wrong = [
            f"{table}: missing {missing(expected[table], found[table])}, "
            f"too many {missing(found[table], expected[table])}"
            for table in expected
            if checksum(found[table]) != checksum(expected[table])
        ]
        return wrong + self.contradictions(CONSISTENCY) + self._ledger_gaps() + self.complaints()

    def contradictions(self, questions: Mapping[str, str]) -> list[str]:
        """What the tables say and other tables, or the ledger, deny."""
        counts = self.warehouse.query("SELECT " + ", ".join(f"({sql})" for sql in questions.values()))[0]
        return [f"{count} {what}" for what, count in zip(questions, counts, strict=True) if count]

    def _ledger_gaps(self) -> list[str]:
        """Every file that was to be staged as it is now and whose newest staged version is another one."""
        staged = dict(self.warehouse.query(NEWEST_STAGED))
        return [
            f"{key} is not in the ledger as it is now"
            for key, body in self.objects.items()
            if self._is_wanted(key)
            and staged.get(key) != hashlib.md5(body, usedforsecurity=False).hexdigest()
        ]

    def _is_wanted(self, key: str) -> bool:
        if not key.startswith(EVENTS):
            return key.startswith(SONGS)
        day = datetime.fromisoformat(key.removesuffix("-events.json")[-10:])
        return any(start < day + timedelta(days=1) and day < end for start, end in self.runner.windows)

    def complaints(self) -> list[str]:
        """What the reader saw and must never see."""
        return self.reader.complaints(self.runner.windows, self.versions)

    def checksums(self) -> dict[str, str]:
        """One number for the contents of each table."""
        return {table: checksum(rows) for table, rows in self.warehouse.contents().items()}

    def check(self) -> None:
        """Assert that the tables are what the source says and that the ledger agrees with them."""
        assert self.differences() == []


def missing(rows: Sequence[Row], among: Sequence[Row]) -> list[Row]:
    """The first rows that are not among the others, each as often as it is missing."""
    return list((Counter(rows) - Counter(among)).elements())[:3]
