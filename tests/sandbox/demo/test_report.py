"""The warehouse's report on the screen."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from definitions.sparkify import SPARKIFY
from sandbox.demo import report
from sandbox.demo.report import QUESTIONS
from tests.sandbox.demo import star

Show = Callable[..., str]


@pytest.fixture
def warehouse(redshift: Any) -> Any:
    star.make(redshift)
    return redshift


@pytest.fixture(params=[80, 120])
def shown(request: pytest.FixtureRequest) -> Show:
    """Call a function of the report and return what it printed, checked for its width."""

    def show(function: Callable[..., None], *args: Any) -> str:
        console = Console(file=io.StringIO(), width=request.param, highlight=False)
        function(console, *args)
        text = console.file.getvalue()
        assert max(map(len, text.splitlines())) <= request.param
        assert "\x1b" not in text
        return text

    return show


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def test_every_table_is_counted(warehouse: Any, shown: Show) -> None:
    text = shown(report.show_counts, warehouse)

    counts = dict(re.findall(r"^(\w+) +([\d,]+)  ", text, re.MULTILINE))
    assert set(counts) == set(SPARKIFY.tables)
    assert counts == {
        "songplays": "11",
        "users": "3",
        "songs": "3",
        "artists": "2",
        "time": "11",
        "staging_events": "0",
        "staging_songs": "0",
    }


def test_the_loads_of_this_run_are_shown_with_size_and_time(warehouse: Any, shown: Show) -> None:
    began = now()
    load = (
        "INSERT INTO ops.loads (load_id, dag_id, run_id, task_id, target_table, rows_deleted, rows_inserted,"
        " rows_rejected, files, bytes, started_at, finished_at)"
        " VALUES (%s, 'd', 'r', 't', %s, 5, 12345, 1, 30, 47500000, %s, %s)"
    )
    cursor = warehouse.cursor()
    cursor.execute(load, ("1", "users", began - timedelta(hours=2), began - timedelta(hours=1)))
    cursor.execute(load, ("2", "songplays", began, began + timedelta(seconds=2, milliseconds=500)))

    text = shown(report.show_loads, warehouse, began)
    assert re.search(r"^songplays +5 +12,345 +1 +30 +47.5 +2.5", text, re.MULTILINE)
    assert "users" not in text


def test_copies_are_shown_with_rows_megabytes_and_seconds(warehouse: Any, s3: Any, shown: Show) -> None:
    began = now()
    events = '{"session_id":1}\n' * 500
    s3.put_object(Bucket="sparkify-raw", Key="report_data/events.json", Body=events)
    cursor = warehouse.cursor()
    cursor.execute("CREATE TEMP TABLE report_copied (session_id INTEGER)")
    cursor.execute(
        "COPY report_copied FROM 's3://sparkify-raw/report_data/'"
        " IAM_ROLE default REGION 'us-east-1' FORMAT JSON 'auto'"
    )

    text = shown(report.show_loads, warehouse, began)
    assert re.search(r"^report_data/ +1 +500 +0\.0 +\d+\.\d +[\d,]+ +\d+\.\d", text, re.MULTILINE)


def test_failed_checks_come_first_and_passed_ones_are_counted(warehouse: Any, shown: Show) -> None:
    began = now()
    cursor = warehouse.cursor()
    for name, status in (("a_passes", "passed"), ("b_fails", "failed"), ("c_passes", "passed")):
        cursor.execute(
            "INSERT INTO ops.quality_results (checked_at, dag_id, task_id, run_id, check_name, check_kind,"
            " table_name, severity, status, observed, expected, detail)"
            " VALUES (%s, 'd', 't', 'r', %s, 'unique', 'songplays', 'warn', %s, '3', '0', 'as play\x1b[2J')",
            (began, name, status),
        )

    lines = shown(report.show_quality, warehouse, began).splitlines()
    assert lines[0] == "Quality: 2 of 3 checks passed"
    assert [line.split() for line in lines[4:7]] == [
        ["failed", "(warn)", "b_fails", "3"],
        ["passed", "a_passes", "3"],
        ["passed", "c_passes", "3"],
    ]
    assert "b_fails: expected 0, found 3. as play\\x1b[2J" in lines


def test_every_question_is_asked_and_answered(warehouse: Any, shown: Show) -> None:
    text = shown(report.show_answers, warehouse)

    assert text.count("?\n") + text.count("The latest plays in full\n") == len(QUESTIONS)
    assert "(no rows)" not in text
    assert "Último Drum" in text
    bars = [line.count("█") for line in text.splitlines() if "█" in line]
    assert bars[1] == bars[2] == max(bars) > 20  # 9 and 21 o'clock, with as many plays
    assert len(bars) == 5
