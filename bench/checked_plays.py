"""A hundred checks of many plays, together and each by itself, in the sandbox that the environment names."""

import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import redshift_connector
from redshift_connector.core import Connection as DriverConnection

from definitions.sparkify import SPARKIFY
from sandbox.parts.postgres import admin_dsn
from sandbox.parts.settings import REPOSITORY, Settings
from sandbox.terminal.console import note
from sparkify.checks import Suite, run_checks
from sparkify.checks.model import Check
from sparkify.warehouse.schema import make_missing, with_ops
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import split_statements
from sparkify.window import Window

PLAYS, ROUNDS = 1_000_000, 3
YEAR = Window(datetime(2018, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC))
_FILL = Path(__file__).parent / "sql" / "checked_plays.sql"


def main() -> int:
    """Fill the warehouse, measure and print; return the exit code."""
    plays = int(sys.argv[1]) if len(sys.argv) > 1 else PLAYS
    settings, checks = Settings.load(), suite().checks
    with closing(_connect(settings)) as connection:
        session = Session(connection, logging.getLogger("bench"))
        _fill(settings, session, plays)
        together, alone = _measure(session, checks)
    _print(plays, together, alone)
    return 0


def suite() -> Suite:
    """Return a hundred checks of songplays: every kind, over all rows of the year and over some of them."""
    about = {"table": "songplays", "window_column": "start_time"}
    some = [{**about, **one, **where} for one in _over_rows() for where in ROWS]
    checks = [*some, *({**about, **one} for one in (*_patterns(), *_keys())), *_others()]
    named = [{"name": f"{one['kind']} {number}", **one} for number, one in enumerate(checks)]
    return Suite.model_validate({"checks": named})


ROWS: Sequence[dict[str, str]] = (
    {},
    {"where": "level = 'paid'"},
    {"where": "user_id < 500"},
    {"where": "song_id IS NOT NULL"},
    {"where": "location LIKE '%CA'"},
)


def _over_rows() -> Iterator[dict[str, Any]]:
    for column in ("songplay_id", "start_time", "user_id", "level", "session_id", "location", "user_agent"):
        yield {"kind": "not_null", "columns": [column]}
    yield {"kind": "row_count", "min": 1}
    yield {"kind": "range", "column": "user_id", "min": 0, "max": 10_000_000}
    yield {"kind": "range", "column": "session_id", "min": 0, "max": 10_000_000}
    yield {"kind": "range", "column": "start_time", "min": "2018-01-01", "max": "2018-12-31 23:59:59.999"}
    yield {"kind": "range", "column": "level", "min": "a", "max": "z"}
    yield {"kind": "accepted_values", "column": "level", "values": ["free", "paid"]}
    for measure in ("COUNT(*)", "SUM(session_id)", "MAX(user_id)", "COUNT(song_id)"):
        yield {"kind": "anomaly", "measure": measure}


def _patterns() -> Iterator[dict[str, Any]]:
    ids = {"songplay_id": "^[0-9a-f]+$", "song_id": "^SO[0-9]+$", "artist_id": "^AR[0-9]+$"}
    for column, pattern in {**ids, "location": ", [A-Z]{2}$"}.items():
        yield {"kind": "matches", "column": column, "pattern": pattern}


def _keys() -> Iterator[dict[str, Any]]:
    yield {"kind": "unique", "columns": ["songplay_id"]}
    keys = {"users": ["user_id"], "artists": ["artist_id"], "songs": ["song_id", "artist_id"]}
    for table, columns in keys.items():
        yield {"kind": "foreign_key", "columns": columns, "references": {"table": table, "columns": columns}}
    moments = {"table": "time", "columns": ["start_time"], "window_column": "start_time"}
    yield {"kind": "foreign_key", "columns": ["start_time"], "references": moments}


def _others() -> Iterator[dict[str, Any]]:
    about = {"table": "songplays"}
    for hours in (24, 48):
        age = {"column": "start_time", "max_age_hours": hours}
        yield {**about, "kind": "freshness", "name": f"newest of {hours} hours", **age}
    for measure in ("AVG(session_id)", "COUNT(DISTINCT user_id)"):
        yield {**about, "kind": "anomaly", "measure": measure, "window_column": "start_time"}
    few = "SELECT user_id FROM songplays GROUP BY user_id HAVING COUNT(*) < 2"
    yield {**about, "kind": "custom_sql", "name": "everybody plays", "sql": few}
    sides = {"sql": "SELECT COUNT(*) FROM songplays", "expected_sql": "SELECT COUNT(*) FROM time"}
    yield {**about, "kind": "queries_equal", "name": "a moment for each play", **sides}


def _connect(settings: Settings) -> DriverConnection:
    return redshift_connector.connect(
        host="127.0.0.1",
        port=settings.redshift_port,
        user=settings.loader,
        password=settings.password,
        database=settings.database,
        ssl=False,
    )


def _fill(settings: Settings, session: Session, plays: int) -> None:
    note(f"Making {plays:,} plays …")
    schema = REPOSITORY / "include"
    make_missing(session, with_ops((schema / file).read_text() for file in SPARKIFY.schema))
    with psycopg.connect(admin_dsn(settings), autocommit=True) as admin:
        for statement in split_statements(_FILL.read_text()):
            admin.execute(statement.replace("%(plays)s", str(plays)).encode())


def _measure(session: Session, checks: Sequence[Check]) -> tuple[list[float], dict[str, list[float]]]:
    """Return the seconds of every round for all together, and for each by itself."""
    together, alone = list[float](), {check.title: list[float]() for check in checks}
    for number in range(ROUNDS):
        together.append(_seconds(session, checks))
        note(f"  round {number + 1}: together {together[-1]:.2f} s …")
        for check in checks:
            alone[check.title].append(_seconds(session, [check]))
    return together, alone


def _seconds(session: Session, checks: Sequence[Check]) -> float:
    started = time.perf_counter()
    if failed := [result for result in run_checks(session, checks, YEAR) if result.status != "passed"]:
        raise RuntimeError(f"{failed[0].check.title}: {failed[0].observed}{failed[0].error}")
    return time.perf_counter() - started


def _print(plays: int, together: Sequence[float], alone: Mapping[str, Sequence[float]]) -> None:
    each = {title: median(seconds) for title, seconds in alone.items()}
    slowest = sorted(each, key=lambda title: -each[title])
    print(f"{len(each)} checks of {plays:,} plays, seconds, median of {ROUNDS} rounds\n")
    print(f"{'together':60}{median(together):8.2f}")
    print(f"{'one by one':60}{sum(each.values()):8.2f}")
    for title in slowest[:5]:
        print(f"{'alone: ' + title:60.59}{each[title]:8.2f}")
    print(f"{'together / slowest alone':60}{median(together) / each[slowest[0]]:8.2f}")


if __name__ == "__main__":
    sys.exit(main())
