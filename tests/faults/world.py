"""A scenario's whole world: the source, the warehouse, the runs, and what must be true of them."""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.reader import Reader
from tests.faults.reference import Reference, Row, Window
from tests.faults.runs import Run, Runner, wait_until
from tests.pipeline.conftest import ROOT, STAR, Source, Warehouse
from tests.pipeline.records import song

SCHEMA = ROOT / "include" / "sql" / "schema"
TABLES = (
    *("ops", "ops_staged_files", "ops_loads", "ops_rejected_rows", "ops_quality_results"),
    *("ops_late_arrivals", "ops_late_windows", "staging_events", "staging_songs"),
    *("users", "artists", "songs", "time", "songplays"),
)
# Each question counts what must not be.
CONSISTENCY = {
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


def checksum(rows: Sequence[Row]) -> str:
    """Rows of one table in one number."""
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()


@dataclass
class World:
    """What a scenario acts on.

    Args:
        admin: queries PostgreSQL behind the endpoint as its superuser.
        new_connection: opens one more connection of an ordinary user.
        objects: key → content of the source as it is now.
        contents: everything that was ever written.
        is_hasty: write new versions of a file at once, also in the second in which the last was written.
    """

    warehouse: Warehouse
    source: Source
    runner: Runner
    admin: Callable[..., list[tuple[Any, ...]]]
    new_connection: Callable[[], Any]
    objects: dict[str, bytes] = field(default_factory=dict)
    contents: list[bytes] = field(default_factory=list)
    put_at: dict[str, int] = field(default_factory=dict)
    readers: list[Reader] = field(default_factory=list)
    is_hasty: bool = False

    def create_tables(self) -> None:
        self.warehouse.execute(*((SCHEMA / f"{name}.sql").read_text() for name in TABLES))

    def empty_tables(self) -> None:
        """Forget every load."""
        tables = [*STAR, "ops.staged_files", "ops.loads", "ops.late_arrivals", "ops.late_windows"]
        self.warehouse.execute(*(f"DELETE FROM {table}" for table in tables))
        self.runner.windows.clear()

    def put(self, key: str, body: bytes) -> str:
        """Write a file, in a later second than its version before: S3 tells no smaller differences."""
        if not self.is_hasty:
            wait_until(lambda: int(time.time()) > self.put_at.get(key, 0), "the clock's next second")
        self.source.put(key, body)
        self.put_at[key] = int(time.time())
        self.objects[key] = body
        self.contents.append(body)
        return key

    def put_events(self, day: str, events: Sequence[Mapping[str, Any]]) -> str:
        """Write the file of a day such as 2018-11-15."""
        body = "".join(json.dumps(event) + "\n" for event in events).encode()
        return self.put(f"log_data/{day[:4]}/{day[5:7]}/{day}-events.json", body)

    def put_song(self, name: str, **fields: Any) -> str:
        """Write the file of a song; `name` begins with TR and at least three letters."""
        key = f"song_data/{name[2]}/{name[3]}/{name[4]}/{name}.json"
        return self.put(key, json.dumps(song(**fields)).encode())

    def start(self, window: Window, **plan: Any) -> Run:
        return self.runner.start(window, **plan)

    def run(self, window: Window, **plan: Any) -> Run:
        return self.runner.run(window, **plan)

    @contextlib.contextmanager
    def reader(self, *allowed: tuple[Window, set[int]]) -> Iterator[Reader]:
        """Read all the time; at the end assert that each window only ever held an allowed number of plays."""
        found = Reader(self.new_connection(), allowed)
        self.readers.append(found)
        with found:
            yield found
        self.readers.remove(found)
        found.check()

    def wait_until_blocked(self, run: Run) -> None:
        """Wait until `run` ended, pauses, or cannot go on because of another session that is no reader."""
        readers = [reader.backend_pid for reader in self.readers]
        sql = """
            SELECT COUNT(*) FROM pg_stat_activity
            WHERE pid <> ALL(%(readers)s::int[]) AND NOT pg_blocking_pids(pid) <@ %(readers)s::int[]"""
        wait_until(
            lambda: run.has_stopped or self.admin(sql, {"readers": readers})[0][0],
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
        counts = self.warehouse.query(
            "SELECT " + ", ".join(f"({question})" for question in CONSISTENCY.values())
        )[0]
        wrong += [f"{count} {what}" for what, count in zip(CONSISTENCY, counts, strict=True) if count]
        return wrong

    def check(self) -> None:
        """Assert that the tables are what the source says and that the ledger agrees with them."""
        assert self.differences() == []


def missing(rows: Sequence[Row], among: Sequence[Row]) -> list[Row]:
    """The first rows that are not among the others, each as often as it is missing."""
    left = list(among)
    found = []
    for row in rows:
        if row in left:
            left.remove(row)
        else:
            found.append(row)
    return found[:3]
