"""Every kind of check against the endpoint, through each driver that a connection may use."""

from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from sparkify.checks import keep_results, run_checks
from sparkify.failures import is_transient
from sparkify.warehouse.ledger import TaskRun
from sparkify.window import Window
from tests.sparkify.checks.asking import FIRST_HOUR, NO_HOUR, NOTHING, PEOPLE, PLAYS, RUN, ask, suite_of

FAILING = {
    "not_null": (
        f"{{kind: not_null, {PLAYS}, columns: [id, level, at]}}",
        "NULLs: 2 in id, 1 in level (5 rows)",
        ("id=NULL, user_id=3, session_id=NULL, level=paid, at=2018-11-01 02:30:00",),
    ),
    "unique": (f"{{kind: unique, {PLAYS}, columns: [id]}}", "1 repeated of 3 rows", ("id=b",)),
    "foreign_key": (
        f"{{kind: foreign_key, {PLAYS}, columns: [user_id], {PEOPLE}: [user_id]}}}}",
        "1 without a match",
        ("user_id=3, row_count=1",),
    ),
    "foreign_key of two columns": (
        f"{{kind: foreign_key, {PLAYS}, columns: [user_id, session_id], {PEOPLE}: [user_id, session_id]}}}}",
        "1 without a match",
        ("user_id=2, session_id=1, row_count=1",),
    ),
    "accepted_values of text": (
        f"{{kind: accepted_values, {PLAYS}, column: level, values: [free, paid]}}",
        "1 others of 5 rows",
        ('level=100% "o\'ld", row_count=1',),
    ),
    "accepted_values of numbers": (
        f"{{kind: accepted_values, {PLAYS}, column: user_id, values: [2, 3]}}",
        "2 others of 5 rows",
        ("user_id=1, row_count=2",),
    ),
    "accepted_values, too few of them": (
        f"{{kind: accepted_values, {PLAYS}, column: level, values: [free, paid], allowed_share: 0.19}}",
        "1 others of 5 rows",
        ('level=100% "o\'ld", row_count=1',),
    ),
    "range below min": (
        f"{{kind: range, {PLAYS}, column: user_id, min: 2}}",
        "2 others of 5 rows",
        ("user_id=1, row_count=2",),
    ),
    "range above a fraction": (
        f"{{kind: range, {PLAYS}, column: user_id, min: 0.5, max: 2.5}}",
        "1 others of 5 rows",
        ("user_id=3, row_count=1",),
    ),
    "range of times": (
        f"{{kind: range, {PLAYS}, column: at, max: '2018-11-01 02:00:00'}}",
        "1 others of 5 rows",
        ("at=2018-11-01 02:30:00, row_count=1",),
    ),
    "range of text": (
        f"{{kind: range, {PLAYS}, column: level, min: a, max: g}}",
        "3 others of 5 rows",
        ('level=100% "o\'ld", row_count=1',),
    ),
    "matches": (
        f"{{kind: matches, {PLAYS}, column: level, pattern: '^[a-z]{{4}}$'}}",
        "1 others of 5 rows",
        ('level=100% "o\'ld", row_count=1',),
    ),
    "matches of quotes and percent": (
        f"""{{kind: matches, {PLAYS}, column: level, pattern: "^[0-9]+% \\"o'l|free"}}""",
        "2 others of 5 rows",
        ("level=paid, row_count=2",),
    ),
    "freshness": (
        f"{{kind: freshness, {PLAYS}, column: at, max_age_hours: 24, relative_to: now}}",
        "no row in these hours",
        ("newest=2018-11-01 02:30:00",),
    ),
    "freshness of nothing": (
        f"{{kind: freshness, {NOTHING}, column: at, max_age_hours: 24, relative_to: now}}",
        "no row in these hours",
        ("newest=NULL",),
    ),
    "row_count below min": (f"{{kind: row_count, {PLAYS}, min: 6}}", "5 rows", ()),
    "row_count above max": (f"{{kind: row_count, {PLAYS}, max: 4}}", "5 rows", ()),
    "row_count of nothing": (f"{{kind: row_count, {NOTHING}, min: 1}}", "0 rows", ()),
    "queries_equal": (
        f"{{kind: queries_equal, name: n, {PLAYS}, sql: SELECT 1 AS a, expected_sql: SELECT 2 AS a}}",
        "1",
        (),
    ),
    "custom_sql with failures": (
        f"{{kind: custom_sql, name: n, {PLAYS}, sql: SELECT id FROM quality_test.plays WHERE user_id = 1}}",
        "2 rows",
        ("id=a", "id=b"),
    ),
    "custom_sql with another value": (
        f"{{kind: custom_sql, name: n, {PLAYS}, sql: SELECT MAX(id) FROM quality_test.plays, expect: a}}",
        "b",
        (),
    ),
}

PASSING = {
    "not_null": f"{{kind: not_null, {PLAYS}, columns: [at]}}",
    "not_null where": f"{{kind: not_null, {PLAYS}, columns: [id, level], where: user_id < 3}}",
    "not_null of nothing": f"{{kind: not_null, {NOTHING}, columns: [id]}}",
    "unique, NULLs left out": f"{{kind: unique, {PLAYS}, columns: [user_id, session_id]}}",
    "unique of nothing": f"{{kind: unique, {NOTHING}, columns: [id]}}",
    "foreign_key where": (
        f"{{kind: foreign_key, {PLAYS}, columns: [user_id], {PEOPLE}: [user_id]}}, where: user_id < 3}}"
    ),
    "foreign_key of nothing": f"{{kind: foreign_key, {NOTHING}, columns: [at], {PEOPLE}: [since]}}}}",
    "accepted_values with quotes and percent": (
        f'{{kind: accepted_values, {PLAYS}, column: level, values: [free, paid, "100% \\"o\'ld\\""]}}'
    ),
    "accepted_values of numbers": f"{{kind: accepted_values, {PLAYS}, column: user_id, values: [1, 2, 3]}}",
    "accepted_values of nothing": f"{{kind: accepted_values, {NOTHING}, column: level, values: [free]}}",
    "accepted_values, all but as many as may": (
        f"{{kind: accepted_values, {PLAYS}, column: level, values: [free, paid], allowed_share: 0.2}}"
    ),
    "range at both bounds": f"{{kind: range, {PLAYS}, column: user_id, min: 1, max: 3}}",
    "range of nothing": f"{{kind: range, {NOTHING}, column: at, min: '2018-11-01'}}",
    "range, all but as many as may": (
        f"{{kind: range, {PLAYS}, column: user_id, min: 2, allowed_share: 0.4}}"
    ),
    "matches a part": f"{{kind: matches, {PLAYS}, column: level, pattern: e|i|ld}}",
    "matches a quote and a percent": (
        f"""{{kind: matches, {PLAYS}, column: level, pattern: "^(free|paid|[^a-z]+o'ld.)$"}}"""
    ),
    "matches where": f"{{kind: matches, {PLAYS}, column: level, pattern: d$, where: user_id = 3}}",
    "row_count at both bounds": f"{{kind: row_count, {PLAYS}, min: 5, max: 5}}",
    "row_count of nothing": f"{{kind: row_count, {NOTHING}, max: 0}}",
    "row_count where, with OR, percent and comment": (
        f"{{kind: row_count, {PLAYS}, min: 2, max: 2, where: level LIKE 'p%' OR 1 = 0 -- whatever}}"
    ),
    "custom_sql without failures": (
        f"{{kind: custom_sql, name: n, {PLAYS}, sql: SELECT id FROM quality_test.plays WHERE user_id > 3;}}"
    ),
    "custom_sql with a number and a comment": (
        f"{{kind: custom_sql, name: n, {PLAYS}, expect: 3, sql: SELECT COUNT(id) FROM quality_test.plays --}}"
    ),
    "custom_sql with a text": (
        f"{{kind: custom_sql, name: n, {PLAYS}, sql: SELECT MAX(id) FROM quality_test.plays, expect: b}}"
    ),
    "custom_sql with a fraction": f"{{kind: custom_sql, name: n, {PLAYS}, sql: SELECT 1.5, expect: 1.5}}",
    "queries_equal of unlike number types": (
        f"{{kind: queries_equal, name: n, {PLAYS}, sql: SELECT 1.0 AS a, expected_sql: SELECT 1 AS a}}"
    ),
}


@pytest.mark.parametrize(("check", "observed", "examples"), FAILING.values(), ids=FAILING)
def test_a_broken_promise_fails_with_what_was_seen_and_offenders(session, check, observed, examples):
    result = ask(session, check)
    assert result.status == "failed"
    assert result.observed == observed
    assert result.examples[-1:] == examples[-1:]
    assert len(result.examples) <= 3


@pytest.mark.parametrize("check", PASSING.values(), ids=PASSING)
def test_a_kept_promise_passes(session, check):
    assert ask(session, check).status == "passed"


WINDOWED = {
    "row_count": (f"{{kind: row_count, {PLAYS}, window_column: at, min: 2, max: 2}}", "passed", "failed"),
    "unique": (f"{{kind: unique, {PLAYS}, window_column: at, columns: [id]}}", "passed", "passed"),
    "not_null": (f"{{kind: not_null, {PLAYS}, window_column: at, columns: [id]}}", "passed", "passed"),
    "accepted_values": (
        f"{{kind: accepted_values, {PLAYS}, window_column: at, column: level, values: [paid]}}",
        "failed",
        "passed",
    ),
    "range": (
        f"{{kind: range, {PLAYS}, window_column: at, column: user_id, max: 0}}",
        "failed",
        "passed",
    ),
    "matches": (
        f"{{kind: matches, {PLAYS}, window_column: at, column: level, pattern: f}}",
        "failed",
        "passed",
    ),
    "freshness": (
        f"{{kind: freshness, {PLAYS}, column: at, max_age_hours: 1}}",
        "passed",
        "failed",
    ),
    "freshness long before": (
        f"{{kind: freshness, {PLAYS}, column: at, max_age_hours: 240}}",
        "passed",
        "passed",
    ),
    "freshness where": (
        f"{{kind: freshness, {PLAYS}, column: at, max_age_hours: 240, where: id = 'a' -- only}}",
        "passed",
        "passed",
    ),
    "freshness of later rows": (
        f"{{kind: freshness, {PLAYS}, column: at, max_age_hours: 240, where: user_id = 3}}",
        "failed",
        "passed",
    ),
    "foreign_key": (
        f"{{kind: foreign_key, {PLAYS}, window_column: at, columns: [user_id], {PEOPLE}: [user_id]}}}}",
        "passed",
        "passed",
    ),
    "references of foreign_key": (
        f"{{kind: foreign_key, {PLAYS}, columns: [user_id], where: user_id = 1,"
        f" {PEOPLE}: [user_id], window_column: since}}}}",
        "passed",
        "failed",
    ),
    "custom_sql": (
        f"{{kind: custom_sql, name: n, {PLAYS}, expect: 2, sql: SELECT COUNT(*) FROM quality_test.plays"
        " WHERE at >= %(window_start)s AND at < %(window_end)s}",
        "passed",
        "failed",
    ),
}


@pytest.mark.parametrize(("check", "first_hour", "other_hour"), WINDOWED.values(), ids=WINDOWED)
def test_a_window_limits_a_check_to_its_half_open_interval(session, check, first_hour, other_hour):
    assert ask(session, check, FIRST_HOUR).status == first_hour
    assert ask(session, check, NO_HOUR).status == other_hour


def test_queries_of_several_columns_are_compared_column_by_column(session):
    suite = suite_of("""
        checks:
          - kind: queries_equal
            name: pairs
            table: quality_test.plays
            sql: SELECT COUNT(*) AS plays, MAX(id) AS last FROM quality_test.plays WHERE 1 = 0
            expected_sql: SELECT 0 AS plays, CAST(NULL AS VARCHAR(9)) AS last
          - kind: queries_equal
            name: differs
            table: quality_test.plays
            sql: SELECT COUNT(*) AS plays, MIN(id) AS first FROM quality_test.plays
            expected_sql: SELECT 5 AS plays, 'b' AS first
    """)
    equal, different = run_checks(session, suite.checks)
    assert equal.status == "passed"
    assert different.status == "failed"
    assert (different.observed, different.expected) == ("plays=5, first=a", "plays=5, first=b")


def test_a_check_that_cannot_run_is_an_error_and_the_others_still_run(session):
    suite = suite_of("""
        checks:
          - {kind: custom_sql, name: no sql, table: t, sql: SELEC 1}
          - {kind: row_count, table: quality_test.missing, min: 1}
          - {kind: not_null, table: quality_test.plays, columns: [no_such_column]}
          - {kind: row_count, name: no window, table: quality_test.plays, window_column: at, min: 1}
          - {kind: queries_equal, name: rows, table: t, sql: SELECT 1 LIMIT 0, expected_sql: SELECT 1}
          - {kind: queries_equal, name: columns, table: t, sql: 'SELECT 1, 2, 3', expected_sql: SELECT 1}
          - {kind: custom_sql, name: no scalar, table: t, sql: 'SELECT 1, 2', expect: 1}
          - {kind: row_count, name: fine, table: quality_test.plays, min: 1}
    """)
    results = list(run_checks(session, suite.checks))
    assert [result.status for result in results] == ["error"] * 7 + ["passed"]
    for result, part in zip(
        results,
        [
            "syntax error",
            "create_tables",
            "no_such_column",
            "%(window_start)s",
            "one row each",
            "3 columns",
            "one row",
        ],
        strict=False,
    ):
        assert part in result.error


def test_a_lost_connection_is_no_result_but_an_error_worth_another_try(session, redshift):
    suite = suite_of("""
        checks:
          - {kind: row_count, name: before, table: quality_test.plays, min: 1}
          - {kind: row_count, name: after, table: quality_test.people, min: 1}
    """)
    results = run_checks(session, suite.checks)
    assert next(results).status == "passed"
    backend = session.scalar("SELECT pg_backend_pid()")
    with closing(redshift.cursor()) as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (backend,))
    with pytest.raises(Exception) as lost:  # noqa: PT011 - each driver has an error of its own
        next(results)
    assert is_transient(lost.value)


def results_of(session, *minima):
    checks = "\n".join(
        f"  - {{kind: row_count, name: 'at least {n}', table: quality_test.plays, min: {n}}}" for n in minima
    )
    return list(run_checks(session, suite_of(f"checks:\n{checks}").checks))


@pytest.fixture
def results_kept(records):
    """Read `ops.quality_results`."""
    return partial(records, "quality_results", order="run_id, check_name")


def test_results_are_kept_a_row_each_with_the_window(session, results_kept):
    keep_results(session, results_of(session, 1, 9), RUN, FIRST_HOUR)
    assert results_kept(
        "dag_id, run_id, check_name, check_kind, table_name, severity, status, observed, expected"
    ) == [
        (
            *("quality_dag", "run_1", "at least 1", "row_count", "quality_test.plays", "error"),
            "passed",
            "5 rows",
            "at least 1",
        ),
        (
            *("quality_dag", "run_1", "at least 9", "row_count", "quality_test.plays", "error"),
            "failed",
            "5 rows",
            "at least 9",
        ),
    ]
    assert set(results_kept("window_start, window_end")) == {tuple(FIRST_HOUR.values.values())}
    [(first,), (second,)] = results_kept("checked_at")
    assert first <= second


def test_a_rerun_replaces_the_rows_of_its_run_and_no_others(session, results_kept):
    other = TaskRun("quality_dag", "run_2", "check_quality")
    keep_results(session, results_of(session, 1, 9), RUN)
    keep_results(session, results_of(session, 1), other)
    keep_results(session, results_of(session, 2), RUN)
    assert results_kept("run_id, check_name, window_start") == [
        ("run_1", "at least 2", None),
        ("run_2", "at least 1", None),
    ]


def test_a_number_is_compared_with_what_was_kept_of_other_weeks(session, records):
    [check] = suite_of(f"checks: [{{kind: anomaly, {PLAYS}, window_column: at, samples: 1}}]").checks
    week_before = Window(FIRST_HOUR.start - timedelta(days=7), FIRST_HOUR.end - timedelta(days=7))
    for window in (week_before, FIRST_HOUR, week_before):
        keep_results(session, list(run_checks(session, [check], window)), RUN, window)
    [result] = run_checks(session, [check], FIRST_HOUR)
    assert (result.status, result.observed, result.expected) == ("passed", "2", "0 ± 6 (of 1 other weeks)")
    assert records("quality_measures", "window_start, value", "window_start") == [
        (week_before.values["window_start"], 0.0),
        (FIRST_HOUR.values["window_start"], 2.0),
    ]


def test_texts_longer_than_their_columns_are_cut(session, results_kept):
    long = "é" * 600
    suite = suite_of(f"""
        checks:
          - {{kind: custom_sql, name: {long[:200]}, table: t, sql: "SELECT '{long}'", expect: other}}
          - {{kind: custom_sql, name: wide, table: t, sql: "SELECT {", ".join([f"'{long}'"] * 50)}"}}
    """)
    keep_results(session, list(run_checks(session, suite.checks)), RUN)
    lengths = results_kept("OCTET_LENGTH(check_name), OCTET_LENGTH(observed), OCTET_LENGTH(detail), status")
    # … takes three bytes, é two: a cut may leave the last byte of a column free.
    assert sorted(lengths) == [(4, 6, 4000, "failed"), (249, 999, 0, "failed")]
