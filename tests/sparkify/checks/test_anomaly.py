"""Checks that compare a number with their own past."""

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.checks import keep_results, run_checks
from sparkify.checks.anomaly import Usual
from sparkify.warehouse.ledger import TaskRun
from sparkify.window import Window
from tests.sparkify.checks.asking import FIRST_HOUR, RUN, execute, suite_of

WEEK = timedelta(days=7)
NUMBERS = st.floats(-1e6, 1e6)
PLAIN = "{kind: anomaly, table: quality_test.counted, floor: 1, samples: 4, window_column: at}"


def naive_middle(numbers):
    """The median, the long way round."""
    ascending = sorted(numbers)
    while len(ascending) > 2:
        ascending = ascending[1:-1]
    return sum(ascending) / len(ascending)


@given(st.lists(NUMBERS, min_size=1, max_size=20), NUMBERS, st.floats(0.5, 10), st.none() | st.floats(0, 100))
def test_a_number_is_usual_as_plain_arithmetic_has_it(samples, value, deviations, floor):
    middle = naive_middle(samples)
    deviation = naive_middle([abs(sample - middle) for sample in samples])
    least = floor if floor is not None else max(1, abs(middle) / 10)
    allowed = deviations * max(deviation, least)
    usual = Usual.of(samples, deviations, floor)
    assert (usual.middle, usual.spread) == (pytest.approx(middle), pytest.approx(allowed))
    distance = abs(value - middle)
    if distance != pytest.approx(allowed):
        assert (value in usual) == (distance < allowed)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.randoms(), st.floats(0.5, 10))
def test_the_order_of_samples_makes_no_difference(samples, random, deviations):
    shuffled = random.sample(samples, len(samples))
    assert Usual.of(shuffled, deviations, None) == Usual.of(samples, deviations, None)


@given(NUMBERS, st.integers(1, 9), st.floats(0.5, 10))
def test_a_number_that_never_moved_may_move_by_the_floor(number, count, deviations):
    usual = Usual.of([number] * count, deviations, None)
    assert usual.spread == pytest.approx(deviations * max(1, abs(number) / 10))
    assert number in usual
    assert number + usual.spread * 1.01 not in usual


@given(st.lists(st.floats(90, 110), min_size=5, max_size=9), st.lists(st.floats(0, 1e9), max_size=2))
def test_a_few_odd_weeks_do_not_make_others_unusual(samples, odd):
    assert 100 in Usual.of([*samples, *odd], 6, None)


@pytest.fixture
def session(one_session):
    return one_session


@pytest.fixture
def counted(session, records):
    """A table of rows by time, and a function that puts so many into an hour so many weeks later."""
    execute(
        session.connection,
        "DROP TABLE IF EXISTS quality_test.counted",
        "CREATE TABLE quality_test.counted (at TIMESTAMP, size DOUBLE PRECISION)",
    )

    def put(weeks, rows, window=FIRST_HOUR):
        start = shifted(weeks, window).values["window_start"]
        values = ", ".join(f"('{start}', {n})" for n in range(rows))
        where = f"at >= '{start}' AND at < '{start + (window.end - window.start)}'"
        execute(session.connection, f"DELETE FROM quality_test.counted WHERE {where}")
        if rows:
            execute(session.connection, f"INSERT INTO quality_test.counted VALUES {values}")

    return put


def shifted(weeks, window=FIRST_HOUR):
    return Window(window.start + weeks * WEEK, window.end + weeks * WEEK)


_runs = itertools.count()


def check(session, weeks, check=PLAIN, window=FIRST_HOUR, run=None):
    """Check an hour so many weeks later, and keep what was found."""
    over = shifted(weeks, window)
    results = list(run_checks(session, suite_of(f"checks: [{check}]").checks, over))
    keep_results(session, results, run or TaskRun("d", f"run {next(_runs)}", "t"), over)
    assert not results[0].error
    return results[0]


def history(session, counted, *numbers, **how):
    for week, rows in enumerate(numbers):
        counted(week, rows)
        check(session, week, **how)


def test_it_says_nothing_until_it_knows_enough_and_says_so(session, counted):
    history(session, counted, 10, 11, 12)
    counted(3, 500)
    result = check(session, 3)
    assert (result.status, result.observed) == ("passed", "500")
    assert result.expected == "not known yet (3 of 4 samples)"


def test_an_hour_unlike_the_same_hour_of_other_weeks_fails(session, counted):
    history(session, counted, 10, 11, 12, 10)
    counted(4, 3)
    result = check(session, 4)
    assert (result.status, result.observed) == ("failed", "3")
    assert result.expected == "10.5 ± 6 (of 4 other weeks)"
    counted(4, 12)
    assert check(session, 4).status == "passed"


def test_running_a_window_again_counts_once_and_as_it_was_measured_last(session, counted, records):
    history(session, counted, 10, 11, 12)
    for rows in (1, 2, 11):
        counted(2, rows)
        check(session, 2)
    kept = records("quality_measures", "window_start, value", "window_start")
    assert kept == [
        (datetime(2018, 11, 1) + week * WEEK, value) for week, value in enumerate((10.0, 11.0, 11.0))
    ]
    counted(3, 99)
    assert check(session, 3).status == "passed"


def test_a_task_that_is_tried_again_replaces_its_measure(session, counted, records):
    counted(0, 5)
    check(session, 0, run=RUN)
    counted(0, 7)
    check(session, 0, run=RUN)
    assert records("quality_measures", "check_name, table_name, value", "value") == [
        ("anomaly quality_test.counted(COUNT(*))", "quality_test.counted", 7.0)
    ]


def test_other_hours_other_lengths_and_other_questions_are_no_samples(session, counted):
    for week in range(4):
        counted(week, 10)
        hour_later = Window(FIRST_HOUR.end, FIRST_HOUR.end + timedelta(hours=1))
        check(session, week, window=hour_later)
        check(session, week, window=Window(FIRST_HOUR.start, FIRST_HOUR.start + timedelta(days=1)))
        check(session, week, check=PLAIN.replace("window_column", "measure: MAX(size), window_column"))
        check(session, week, check=PLAIN.replace("window_column", "where: size > 1, window_column"))
    counted(4, 500)
    assert check(session, 4).expected == "not known yet (0 of 4 samples)"


def test_an_old_window_is_judged_by_the_weeks_around_it_in_whatever_order_they_came(session, counted):
    for week in (4, 0, 3, 1):
        counted(week, 10)
        check(session, week)
    counted(2, 99)
    assert check(session, 2).status == "failed"
    counted(2, 9)
    assert check(session, 2).status == "passed"


def test_weeks_farther_away_are_not_looked_at(session, counted):
    near = PLAIN.replace("samples: 4", "weeks: 2, samples: 2")
    history(session, counted, 500, 500, 10, 11, check=near)
    counted(4, 10)
    result = check(session, 4, check=near)
    assert (result.status, result.expected) == ("passed", "10.5 ± 6 (of 2 other weeks)")


def test_any_aggregate_may_be_measured(session, counted):
    mean = (
        "{kind: anomaly, name: mean, table: quality_test.counted, measure: AVG(size), window_column: at,"
        " samples: 2, deviations: 2, floor: 0.5, where: size < 1000}"
    )
    history(session, counted, 11, 11, check=mean)
    counted(2, 12)
    assert check(session, 2, check=mean).observed == "5.5"
    counted(2, 14)
    assert check(session, 2, check=mean).status == "failed"


def test_nothing_to_measure_passes_and_leaves_no_sample(session, counted, records):
    result = check(session, 0, check=PLAIN.replace("window_column", "measure: AVG(size), window_column"))
    assert (result.status, result.observed) == ("passed", "nothing to measure")
    assert records("quality_measures", "value", "value") == []


def test_what_is_no_number_cannot_be_measured(session, counted):
    counted(0, 1)
    for measure in ("MAX(at)", "CAST('NaN' AS DOUBLE PRECISION) + SUM(size)"):
        suite = suite_of(
            f"checks: [{PLAIN.replace('window_column', f'measure: {measure!r}, window_column')}]"
        )
        [result] = run_checks(session, suite.checks, FIRST_HOUR)
        assert result.status == "error"
        assert "measure must give a number" in result.error


def test_it_costs_one_query_however_many_such_checks_there_are(session, counted):
    checks = ", ".join(
        PLAIN.replace("window_column", f"name: n{n}, measure: SUM(size + {n}), window_column")
        for n in range(5)
    )
    before = len(session.statements)
    list(run_checks(session, suite_of(f"checks: [{checks}]").checks, FIRST_HOUR))
    assert len(session.statements) - before == 2
