"""Neighbours about one table, in one statement."""

import itertools

import pytest

from sparkify.checks import run_checks
from tests.sparkify.checks.asking import FIRST_HOUR, NO_HOUR, PLAYS, suite_of

FREE, SMALL, NEVER = "level = 'free'", "user_id < 2 -- only", "1 = 0"
WHERES = [None, FREE, SMALL, NEVER, "session_id = 1", "id = 'b'", "level IS NULL", "user_id > 2", "id <> 'a'"]
KINDS = (
    "kind: row_count, min: 2",
    "kind: not_null, columns: [id, level]",
    "kind: accepted_values, column: level, values: [free, paid]",
    "kind: range, column: user_id, max: 2",
    "kind: range, column: session_id, max: 2",
    "kind: matches, column: level, pattern: free|paid",
    "kind: anomaly, measure: SUM(user_id)",
    "kind: anomaly, measure: MAX(user_id)",
    "kind: anomaly, measure: COUNT(level)",
    "kind: anomaly, measure: AVG(user_id)",
    "kind: anomaly, measure: COUNT(DISTINCT user_id)",
)


def test_neighbours_about_a_table_are_asked_in_one_statement_that_counts_its_rows_once(session):
    suite = suite_of("""
        checks:
          - {kind: row_count, table: quality_test.plays, min: 9}
          - {kind: accepted_values, table: quality_test.plays, column: level, values: [free, paid]}
          - {kind: unique, table: quality_test.plays, columns: [id]}
          - {kind: accepted_values, name: u, table: quality_test.plays, column: user_id, values: [1, 2, 3]}
          - {kind: queries_equal, name: same, table: quality_test.plays, sql: "SELECT 1, 'a'",
             expected_sql: "SELECT 1, 'a'"}
          - {kind: not_null, table: quality_test.plays, columns: [at, id]}
    """)
    results = list(run_checks(session, suite.checks))
    asked = [sql for sql in session.statements if "sparkify_next" in sql]
    assert len(asked) == 1
    assert asked[0].count('FROM "quality_test"."plays"') == 2
    assert [(result.status, result.observed) for result in results] == [
        ("failed", "5 rows"),
        ("failed", "1 others of 5 rows"),
        ("failed", "1 repeated of 3 rows"),
        ("passed", "0 others of 5 rows"),
        ("passed", "?column?=1, ?column?=a"),
        ("failed", "NULLs: 2 in id (5 rows)"),
    ]


@pytest.fixture
def session(one_session):
    return one_session


def checks_of(kinds, wheres):
    lines = []
    for number, (kind, where) in enumerate(itertools.product(kinds, wheres)):
        limited = f", where: {where!r}" if where else ""
        windowed = ", window_column: at" if number % 2 or "anomaly" in kind else ""
        lines.append(f"- {{{kind}, name: n{number}, {PLAYS}{windowed}{limited}}}")
    return suite_of("checks:\n" + "\n".join(lines)).checks


@pytest.mark.parametrize("window", [FIRST_HOUR, NO_HOUR])
def test_together_they_say_what_each_says_by_itself(session, records, window):
    checks = checks_of(KINDS, WHERES)
    together = list(run_checks(session, checks, window))
    alone = [result for check in checks for result in run_checks(session, [check], window)]
    assert [seen(result) for result in together] == [seen(result) for result in alone]
    assert {result.status for result in together} == {"passed", "failed"}


def seen(result):
    return (
        result.check.title,
        result.status,
        result.observed,
        result.expected,
        result.value,
        result.examples,
    )


def test_conditions_share_the_scan_and_each_is_looked_at_once(session):
    checks = suite_of(
        "checks:\n"
        + "\n".join(
            f"- {{{kind}, name: {kind[6:11]} {number} {where}, {PLAYS}, where: {where!r}}}"
            for number, kind in enumerate(KINDS[3:5])
            for where in (FREE, SMALL)
        )
    ).checks
    list(run_checks(session, checks))
    [asked] = [sql for sql in session.statements if "parts" in sql]
    assert asked.count('FROM "quality_test"."plays"') == 1
    assert (asked.count(FREE), asked.count(SMALL)) == (1, 1)


def test_a_condition_with_a_query_of_its_own_stays_in_where(session):
    inner = "user_id IN (SELECT user_id FROM quality_test.people)"
    kinds = ("kind: row_count, min: 1", "kind: range, column: user_id, max: 2")
    checks = suite_of(
        "checks:\n" + "\n".join(f"- {{{kind}, {PLAYS}, where: {inner}}}" for kind in kinds)
    ).checks
    results = list(run_checks(session, checks))
    assert [result.observed for result in results] == ["3 rows", "0 others of 3 rows"]
    assert any(f"WHERE (\n{inner}\n)" in sql for sql in session.statements)
