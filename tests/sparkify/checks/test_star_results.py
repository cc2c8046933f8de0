"""What a run of the checks of the star leaves, says and refuses."""

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tests.sparkify.checks.star import INCLUDE, STAR_CHECKS, check, execute, kept, operator_of, run

FINE = "checks: [{kind: row_count, table: songs, max: 9}]"


def test_faults_outside_the_window_do_not_stop_its_run(star):
    run(
        star,
        "UPDATE songplays SET level = 'gold', start_time = '2018-11-15 12:00:00' WHERE songplay_id = 'p1'",
    )
    check(window=("2018-11-15T13:00:00+00:00", "2018-11-15T14:00:00+00:00"))


def test_the_message_names_table_observed_expected_and_examples(star):
    run(star, "DELETE FROM users WHERE user_id = 8")
    with pytest.raises(AirflowFailException) as failure:
        check()
    for part in (
        "1 data quality check(s) did not pass over connection redshift_default, window [2018-11-15T10:00:00",
        "-> users(user_id): observed 1 without a match, expected every key in users(user_id)",
        "for example user_id=8, row_count=1",
        "'2018-11-15 10:00:00'",
        "run_id = 'run_1'",
    ):
        assert part in str(failure.value)


def test_a_rerun_of_the_run_replaces_its_results(star):
    run(star, "INSERT INTO users SELECT * FROM users WHERE user_id = 9")
    with pytest.raises(AirflowFailException):
        check()
    rows = len(kept(star, "check_name"))
    run(star, "DELETE FROM users WHERE user_id = 9")
    check()
    assert len(kept(star, "check_name")) == rows
    assert kept(star, "check_name", "status <> 'passed'") == []
    check(run_id="run_2")
    assert len(kept(star, "check_name")) == 2 * rows


def test_a_check_that_cannot_run_fails_the_task_after_the_others_ran(star):
    checks = """
        checks:
          - {kind: row_count, table: no_such_table, min: 1}
          - {kind: row_count, table: songs, min: 1}
    """
    with pytest.raises(
        AirflowFailException, match=r"row_count no_such_table could not be run: .*no_such_table"
    ):
        check(checks=checks)
    assert kept(star, "check_name, status") == [
        ("row_count no_such_table", "error"),
        ("row_count songs", "passed"),
    ]


def test_whole_table_checks_need_no_window(star):
    assert check(checks=FINE, window=None)["passed"] == 1
    assert kept(star, "window_start, window_end") == [(None, None)]


def test_indexes_of_a_mapped_task_keep_their_results_apart(star):
    for index, name in ((0, "one"), (1, "two"), (0, "one again")):
        check(checks=FINE.replace("kind", f"name: {name}, kind"), map_index=index)
    found = kept(star, "task_id, check_name")
    assert found == [("check_quality[0]", "one again"), ("check_quality[1]", "two")]


def test_a_run_without_window_is_refused_when_a_check_needs_one(star):
    with pytest.raises(AirflowFailException, match="no window"):
        check(window=None)


def test_a_wrong_file_is_refused_by_name(star):
    with pytest.raises(AirflowFailException, match=r"checks cannot be used:\n  line 1, check 1 .*: min"):
        check(checks=FINE.replace("max: 9", "min: no"))


@pytest.mark.parametrize("table", ["ops.quality_results", "ops.quality_measures"])
def test_missing_results_table_says_what_to_do(star, table):
    run(star, f"DROP TABLE {table}")
    with pytest.raises(AirflowFailException, match=rf"{table}\W.*create_tables"):
        check()


def test_the_rendered_view_has_the_file_and_the_queries_with_their_values(star):
    operator = operator_of(STAR_CHECKS)
    assert operator.checks == (INCLUDE / STAR_CHECKS).read_text()
    execute(operator)
    assert "\"start_time\" >= '2018-11-15 10:00:00'" in operator.statements
    assert "NOT IN ('free', 'paid')" in operator.statements


def test_a_wrong_file_below_the_search_path_is_refused_by_its_name(star):
    operator = operator_of(STAR_CHECKS)
    operator.checks += "  - {kind: nonsense}\n"
    with pytest.raises(
        AirflowFailException, match=r"sparkify/quality.yaml cannot be used:\n  line \d+, check"
    ):
        execute(operator)


def test_results_are_handed_to_listeners_of_the_common_sql_provider(star):
    operator = operator_of("checks: [{kind: row_count, table: songs, min: 9, severity: warn}]")
    execute(operator)
    [result] = operator.check_results
    assert (result.name, result.check_type, result.table) == ("row_count songs", "row_count", "songs")
    assert (result.success, result.severity, result.actual) == (False, "warn", "2 rows")


def record_load_of(connection, run_id):
    values = f"'load of {run_id}', 'quality_dag', '{run_id}', 't', 'users', NULL, NULL, 0, 1, 0, 0, 0"
    run(connection, f"INSERT INTO ops.loads VALUES ({values}, GETDATE(), GETDATE())")


def test_a_failure_while_another_run_loads_is_worth_a_retry_and_one_alone_is_not(star):
    run(star, "DELETE FROM songplays WHERE songplay_id = 'p1'")
    record_load_of(star, "run_1")
    with pytest.raises(AirflowFailException):
        check(run_id="run_1")
    record_load_of(star, "run_2")
    with pytest.raises(AirflowException, match="Other runs loaded at the same time") as caught:
        check(run_id="run_1")
    assert not isinstance(caught.value, AirflowFailException)
