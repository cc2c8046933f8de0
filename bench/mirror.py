"""A mirror of a warehouse that has been loaded for years, made without one."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from definitions import DATASETS
from sparkify_watch.mirror.records import LOAD_DAYS
from sparkify_watch.mirror.schema import stamp
from sparkify_watch.mirror.store import Store

END = datetime(2018, 12, 1)  # noqa: DTZ001 - naive UTC, as in the mirror
"""The end of the last hour that is loaded."""

_OWNER = DATASETS[0].name
_TABLES = DATASETS[0].tables
_CHECKS = 20
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Sizes:
    """How much is on record: every hour has a load of each table and a result of each check."""

    plays: int = 10_000_000
    loads: int = 100_000
    files: int = 100_000
    rejected: int = 100_000

    @property
    def hours(self) -> int:
        """How many hours are loaded."""
        return max(1, self.loads // len(_TABLES))


def fill(store: Store, sizes: Sizes) -> None:
    """Fill an empty mirror."""
    with store.writing() as db:
        _insert(db, "loads", _loads(sizes))
        _insert(db, "quality_results", _results(sizes))
        _insert(db, "staged_files", _files(sizes))
        _insert(db, "rejected_rows", _rejected(sizes))
        _insert(db, "tables", _counts(sizes))
        _insert(db, "meta", [{"name": "picture_at", "value": stamp(END)}])
        days = db.execute("SELECT DISTINCT day FROM loads").fetchall()
        db.executemany(LOAD_DAYS, [tuple(day) for day in days])
        db.execute("ANALYZE")


def _insert(db: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    for first in rows:
        names = ", ".join(first)
        places = ", ".join(f":{name}" for name in first)
        db.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", chain([first], rows))  # noqa: S608


def _load_id(at: datetime, number: int) -> str:
    return f"{at:%Y%m%dT%H%M%S%f}Z-{number:08x}"


def _hours(sizes: Sizes) -> list[datetime]:
    return [END - n * _HOUR for n in reversed(range(sizes.hours))]


def _common(at: datetime, mark: int) -> dict[str, Any]:
    return {"owner": _OWNER, "day": f"{at:%Y%m%d}", "mark": mark}


def _run(at: datetime, task: str) -> dict[str, Any]:
    return {
        "dag_id": DATASETS[0].loaded_by,
        "run_id": f"scheduled__{at:%Y-%m-%dT%H:%M:%S}+00:00",
        "task_id": task,
        "window_start": stamp(at - _HOUR),
        "window_end": stamp(at),
    }


def _loads(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for hour in _hours(sizes):
        for number, table in enumerate(_TABLES):
            at = hour + timedelta(seconds=10 * number)
            yield {
                "load_id": _load_id(at, number),
                **_run(hour, f"load_{table}"),
                "target_table": table,
                "rows_deleted": 0,
                "rows_inserted": sizes.plays // sizes.hours,
                "rows_rejected": number % 2,
                "files": 1,
                "bytes": 1_000_000,
                "started_at": stamp(at),
                "finished_at": stamp(at + timedelta(seconds=2)),
                **_common(at, number),
            }


def _results(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number, hour in enumerate(_hours(sizes)):
        for check in range(_CHECKS):
            table, failed = _TABLES[check % len(_TABLES)], (number + check) % 97 == 0
            yield {
                "checked_at": stamp(hour + timedelta(minutes=2)),
                **_run(hour, "check_quality"),
                "check_name": f"check {check}",
                "check_kind": "row_count",
                "table_name": table,
                "severity": "error" if check % 3 else "warn",
                "status": "failed" if failed else "passed",
                "observed": f"{number % 1000:,}",
                "expected": "at least 1",
                "detail": "",
                "check_key": f"{table}: check {check}",
                **_common(hour, check),
            }


def _files(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.files):
        at = END - timedelta(minutes=number)
        yield {
            "dataset": "staging_songs",
            "bucket": "sparkify-raw",
            "key": f"song_data/{number % 26:02d}/B/C/TR{number:016d}.json",
            "etag": f"{number:032x}",
            "size": 1000 + number % 700,
            "last_modified": stamp(at - _HOUR),
            "load_id": _load_id(at, number),
            "staged_at": stamp(at),
            **_common(at, number),
        }


def _rejected(sizes: Sizes) -> Iterator[dict[str, Any]]:
    text = '{"artist":"Somebody","song":"Something","ts":"not a time","userAgent":"' + "x" * 400 + '"}'
    for number in range(sizes.rejected):
        at = END - timedelta(hours=number // 50)
        yield {
            "file": f"s3://sparkify-raw/log_data/{at:%Y/%m/%Y-%m-%d}-events.json",
            "line": number,
            "column_name": "ts",
            "value": f"not a time {number}",
            "reason": "Invalid timestamp format or value [epochmillisecs]",
            "raw_text": text,
            "load_id": _load_id(at, 0),
            **_common(at, number),
        }


def _counts(sizes: Sizes) -> list[dict[str, Any]]:
    return [
        {
            "name": table,
            "row_count": sizes.plays,
            "newest": stamp(END),
            "counted_at": stamp(END),
            "seconds": 1,
        }
        for table in _TABLES
    ]
