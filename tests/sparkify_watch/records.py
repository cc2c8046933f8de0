"""Rows of the tables of ops, as loads and checks would write them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAY = datetime(2018, 11, 15)
_ROW = ("file", "line", '"column"', "value", "reason", "raw_text", "load_id")
_COLUMNS = {
    "loads": (
        *("load_id", "dag_id", "run_id", "task_id", "target_table", "window_start", "window_end"),
        *("rows_deleted", "rows_inserted", "rows_rejected", "files", "bytes", "started_at", "finished_at"),
    ),
    "staged_files": ("dataset", "bucket", "key", "etag", "size", "last_modified", "load_id", "staged_at"),
    "rejected_rows": _ROW,
    "refused_rows": (*_ROW, "dag_id", "run_id", "task_id", "target_table", "refused_at"),
    "quality_results": (
        *("checked_at", "dag_id", "run_id", "task_id", "window_start", "window_end", "check_name"),
        *("check_kind", "table_name", "severity", "status", "observed", "expected", "detail"),
    ),
}


def load_id(at: datetime, end: str = "0") -> str:
    """The id of a load that began at a time."""
    return f"{at:%Y%m%dT%H%M%S%f}Z-{end:>08}"


def load(at: datetime, table: str = "songplays", **given: Any) -> dict[str, Any]:
    """A load of the hour before a time."""
    return {
        "load_id": load_id(at),
        "dag_id": "sparkify_etl",
        "run_id": f"scheduled__{at:%Y-%m-%dT%H:%M}",
        "task_id": f"load_{table}",
        "target_table": table,
        "window_start": at - timedelta(hours=1),
        "window_end": at,
        "rows_deleted": 0,
        "rows_inserted": 10,
        "rows_rejected": 0,
        "files": 0,
        "bytes": 0,
        "started_at": at,
        "finished_at": at + timedelta(seconds=2),
        **given,
    }


def staged_file(at: datetime, key: str, **given: Any) -> dict[str, Any]:
    """A file that was staged at a time."""
    return {
        "dataset": "staging_events",
        "bucket": "raw",
        "key": key,
        "etag": "e1",
        "size": 1234,
        "last_modified": at - timedelta(minutes=5),
        "load_id": load_id(at),
        "staged_at": at,
        **given,
    }


def rejected_row(at: datetime, line: int, **given: Any) -> dict[str, Any]:
    """A line that the load of a time rejected."""
    return {
        "file": "s3://raw/log_data/2018/11/2018-11-15-events.json",
        "line": line,
        '"column"': "ts",
        "value": "soon",
        "reason": "Invalid timestamp",
        "raw_text": '{"ts": "soon"}',
        "load_id": load_id(at),
        **given,
    }


def result(at: datetime, **given: Any) -> dict[str, Any]:
    """What a check said at a time."""
    return {
        "checked_at": at,
        "dag_id": "sparkify_etl",
        "run_id": f"scheduled__{at:%Y-%m-%dT%H:%M}",
        "task_id": "check_quality",
        "window_start": at - timedelta(hours=1),
        "window_end": at,
        "check_name": "rows",
        "check_kind": "row_count",
        "table_name": "songplays",
        "severity": "error",
        "status": "passed",
        "observed": "10",
        "expected": "at least 1",
        "detail": "",
        **given,
    }


@dataclass
class Ops:
    """The tables of ops of a warehouse."""

    session: Any
    written: list[str] = field(default_factory=list)

    def add(self, table: str, *rows: dict[str, Any]) -> None:
        columns = _COLUMNS[table]
        places = ", ".join(f"%({column.strip(chr(34))})s" for column in columns)
        for row in rows:
            values = {name.strip('"'): value for name, value in row.items()}
            self.session.execute(f"INSERT INTO ops.{table} ({', '.join(columns)}) VALUES ({places})", values)
        self.session.commit()

    def run(self, sql: str) -> None:
        self.session.execute(sql)
        self.session.commit()
