import importlib.util
from pathlib import Path

import pytest

from sparkify.checks import CheckResult, count_results, failure_message, read_suite, results_table
from sparkify.checks.query_kinds import same
from sparkify.checks.results import cut
from sparkify.warehouse.ledger import TaskRun

DOCS = Path(__file__).parents[3] / "docs"
SUITE = read_suite(
    """
    checks:
      - {kind: unique, table: songplays, columns: [songplay_id], description: A play was loaded twice.}
      - {kind: row_count, table: songs, min: 1, severity: warn}
      - {kind: row_count, table: users, min: 1}
      - {kind: row_count, table: artists, min: 1}
    """,
    "test",
)
DOUBLED, FEW, BROKEN, FINE = SUITE.checks
RESULTS = [
    CheckResult(
        DOUBLED,
        "failed",
        "1 repeated of 9 rows",
        "no repeated key",
        ("songplay_id=abc",),
        "SELECT songplay_id\nFROM songplays",
        seconds=1.234,
    ),
    CheckResult(FEW, "failed", "0 rows", "at least 1"),
    CheckResult(
        BROKEN, "error", error='relation "users" does not exist [SQLSTATE 42P01]. Run create_tables.'
    ),
    CheckResult(FINE, "passed", "5 rows", "at least 1"),
]
RUN = TaskRun("sparkify_etl", "manual__o'clock", "check_quality")


def test_counts_add_up_to_all_checks():
    assert count_results(RESULTS) == {"passed": 1, "failed": 1, "warned": 1, "errors": 1}


def test_only_what_is_of_severity_error_and_did_not_pass_stops_the_task():
    assert [result.stops for result in RESULTS] == [True, False, True, False]


def test_the_table_has_one_aligned_line_a_check():
    lines = results_table(RESULTS).splitlines()
    assert len(lines) == 2 + len(RESULTS)
    for heading in ("severity", "kind", "observed", "expected", "seconds"):
        column = lines[0].index(heading)
        assert all(line[column - 1] == " " and line[column] != " " for line in lines[:4])
    assert lines[2].split()[:4] == ["failed", "error", "unique", "songplays"]
    assert lines[2].endswith("1.234    songplay_id=abc")
    assert "does not exist" in lines[4]


def test_a_long_text_does_not_push_the_table_apart():
    long = CheckResult(DOUBLED, "failed", "x" * 500, "a\nb")
    line = results_table([long]).splitlines()[2]
    assert "x" * 59 + "…" in line
    assert "x" * 61 not in line
    assert " a b " in line


def test_the_failure_message_says_what_failed_where_with_which_rows_and_what_to_do():
    message = failure_message(RESULTS[:3], RUN, "connection redshift_default, window [a, b)")
    for part in (
        "3 data quality check(s) did not pass over connection redshift_default, window [a, b)",
        "1. unique songplays(songplay_id): observed 1 repeated of 9 rows, expected no repeated key",
        "A play was loaded twice.",
        "for example songplay_id=abc",
        "query: SELECT songplay_id FROM songplays",
        '3. row_count users could not be run: relation "users" does not exist',
        "What to do: ",
        "dag_id = 'sparkify_etl' AND run_id = 'manual__o''clock'",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 4, "abcd"),
        ("abcdef", 5, "ab…"),
        ("ééé", 6, "ééé"),
        ("éééé", 7, "éé…"),
        ("ééééé", 8, "éé…"),
        ("😀😀", 7, "😀…"),
        ("a\0b", 10, "ab"),
    ],
)
def test_a_text_is_cut_to_bytes_without_breaking_a_character(text, length, expected):
    assert cut(text, length) == expected
    assert len(cut(text, length).encode()) <= length


def test_numbers_are_compared_by_value_and_null_equals_null():
    from decimal import Decimal

    assert same(1, Decimal("1.0"))
    assert same(0.1, Decimal("0.1"))
    assert same(None, None)
    assert not same(None, 0)
    assert not same("1", 1)
    assert not same(Decimal("0.1"), 0.10001)


def test_the_page_about_checks_says_what_the_code_says():
    spec = importlib.util.spec_from_file_location("docs_quality", DOCS / "quality.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (DOCS / "quality.md").read_text() == made.page(), "run make docs"
