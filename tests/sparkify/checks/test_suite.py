import textwrap
from pathlib import Path

import pytest

from sparkify.checks import SuiteError, read_suite

STAR_SCHEMA = Path(__file__).parents[3] / "include" / "sparkify" / "quality.yaml"
GROWING = {"songplays", "time", "staging_events"}


def read(text):
    return read_suite(textwrap.dedent(text), "quality/test.yaml")


def refusal(text):
    with pytest.raises(SuiteError) as caught:
        read(text)
    return str(caught.value)


def test_a_check_without_a_name_gets_one_made_from_its_parts():
    suite = read("""
        checks:
          - {kind: not_null, table: users, columns: [user_id, level]}
          - {kind: unique, table: ops.loads, columns: [load_id]}
          - {kind: foreign_key, table: plays, columns: [a, b], references: {table: t, columns: [c, d]}}
          - {kind: accepted_values, table: users, column: level, values: [free]}
          - {kind: row_count, table: users, min: 1}
          - {kind: range, table: songs, column: year, min: 0}
          - {kind: matches, table: songs, column: title, pattern: a}
          - {kind: freshness, table: plays, column: at, max_age_hours: 1}
          - {kind: anomaly, table: plays, window_column: at, measure: SUM(size)}
    """)
    assert [check.title for check in suite.checks] == [
        "not_null users(user_id, level)",
        "unique ops.loads(load_id)",
        "foreign_key plays(a, b) -> t(c, d)",
        "accepted_values users(level)",
        "row_count users",
        "range songs(year)",
        "matches songs(title)",
        "freshness plays(at)",
        "anomaly plays(SUM(size))",
    ]


def test_severity_is_error_unless_said_otherwise():
    suite = read("""
        checks:
          - {kind: row_count, table: users, min: 1}
          - {kind: row_count, table: songs, min: 1, severity: warn}
    """)
    assert [check.severity for check in suite.checks] == ["error", "warn"]


def test_a_suite_knows_whether_it_needs_the_window():
    whole = "checks: [{kind: row_count, table: users, min: 1}]"
    windowed = "checks: [{kind: row_count, table: users, min: 1, window_column: at}]"
    own_sql = "checks: [{kind: custom_sql, name: n, table: t, sql: 'SELECT 1 WHERE %(window_end)s > at'}]"
    parent = """
        checks:
          - kind: foreign_key
            table: t
            columns: [a]
            references: {table: u, columns: [a], window_column: a}
    """
    fresh = "checks: [{kind: freshness, table: t, column: at, max_age_hours: 1}]"
    past = "checks: [{kind: anomaly, table: t, window_column: at}]"
    needing = (windowed, own_sql, parent, fresh, past)
    assert all(read(text).uses_window for text in needing)
    now = fresh.replace("column", "relative_to: now, column")
    assert not any(read(text).uses_window for text in (whole, now))


@pytest.mark.parametrize(
    ("check", "parts"),
    [
        ("{kind: uniq, table: t}", ["kind 'uniq' is unknown", "not_null, unique, foreign_key"]),
        ("{table: t}", ["kind is missing", "allowed: not_null"]),
        ("{kind: unique, table: t}", ["(unique t)", "columns: is missing"]),
        ("{kind: unique, columns: [a]}", ["table: is missing"]),
        ("{kind: unique, table: t, colums: [a], columns: [a]}", ["colums: unknown field", "window_column"]),
        ("{kind: unique, table: t, columns: []}", ["columns: ", "at least 1 item"]),
        ("{kind: unique, table: t, columns: a}", ["columns: ", "valid list", "'a'"]),
        ("{kind: unique, table: a.b.c, columns: [a]}", ["table: ", "table or schema.table", "'a.b.c'"]),
        ("{kind: unique, table: t, columns: [a, '']}", ["columns.1: ", "identifier"]),
        (
            "{kind: unique, table: t, columns: [a], severity: fatal}",
            ["severity: ", "'error' or 'warn'", "'fatal'"],
        ),
        ("{kind: unique, table: t, columns: [a], where: ' '}", ["where: "]),
        ("{kind: row_count, table: t}", ["neither min nor max"]),
        ("{kind: row_count, table: t, min: 2, max: 1}", ["min 2 is greater than max 1"]),
        ("{kind: row_count, table: t, min: -1}", ["min: ", "greater than or equal to 0", "-1"]),
        ("{kind: row_count, table: t, min: '1'}", ["min: ", "valid integer", "'1'"]),
        ("{kind: accepted_values, table: t, column: c, values: []}", ["values: ", "at least 1 item"]),
        (
            "{kind: accepted_values, table: t, column: c, values: [null]}",
            ["values.0: must be text, a number", "not None"],
        ),
        (
            "{kind: foreign_key, table: t, columns: [a, b], references: {table: u, columns: [a]}}",
            ["columns has 2"],
        ),
        (
            "{kind: foreign_key, table: t, columns: [a], references: {table: u, column: a, columns: [a]}}",
            ["references.column: unknown field; allowed here: table, columns, window_column"],
        ),
        ("{kind: foreign_key, table: t, columns: [a], references: u}", ["references: must be a mapping"]),
        ("{kind: range, table: t, column: a}", ["(range t)", "neither min nor max"]),
        ("{kind: range, table: t, column: a, min: 2, max: 1.5}", ["min 2 is greater than max 1.5"]),
        ("{kind: range, table: t, column: a, min: 2, max: b}", ["one of min and max is text"]),
        ("{kind: range, table: t, column: a, min: 2018-11-01}", ["min: must be a number or text (quote"]),
        ("{kind: range, table: t, column: a, min: .nan}", ["min: must be a number"]),
        (
            "{kind: range, table: t, column: a, min: 1, allowed_share: 1}",
            ["allowed_share: ", "less than 1"],
        ),
        (
            "{kind: range, table: t, column: a, min: 1, allowed_share: '0'}",
            ["allowed_share: must be a number"],
        ),
        ("{kind: matches, table: t, column: a}", ["pattern: is missing"]),
        ("{kind: matches, table: t, column: a, pattern: '[0-9'}", ["pattern: ", "at character 1", "'[0-9'"]),
        ("{kind: freshness, table: t, column: a}", ["max_age_hours: is missing"]),
        ("{kind: freshness, table: t, column: a, max_age_hours: 0}", ["max_age_hours: ", "greater than 0"]),
        ("{kind: freshness, table: t, column: a, max_age_hours: 1d}", ["max_age_hours: must be a number"]),
        (
            "{kind: freshness, table: t, column: a, max_age_hours: 1, relative_to: noon}",
            ["relative_to: ", "'window_end' or 'now'"],
        ),
        (
            "{kind: freshness, table: t, column: a, max_age_hours: 1, window_column: a}",
            ["window_column: unknown field"],
        ),
        ("{kind: anomaly, table: t}", ["window_column: is missing"]),
        ("{kind: anomaly, table: t, window_column: a, samples: 9}", ["samples 9 is more than weeks 8"]),
        ("{kind: anomaly, table: t, window_column: a, deviations: -1}", ["deviations: ", "greater than 0"]),
        ("{kind: queries_equal, table: t, sql: SELECT 1, expected_sql: SELECT 1}", ["name: is missing"]),
        ("{kind: custom_sql, name: n, table: t, sql: ''}", ["sql: "]),
        ("unique", ["must be a mapping"]),
    ],
)
def test_a_wrong_check_is_refused_with_file_line_check_field_and_what_is_allowed(check, parts):
    message = refusal(f"checks:\n  - {{kind: row_count, table: fine, min: 1}}\n\n  - {check}\n")
    assert message.startswith("quality/test.yaml cannot be used:\n  line 4, check 2")
    for part in parts:
        assert part in message


def test_every_fault_is_told_at_once_each_with_its_own_line():
    message = refusal("""
        checks:
          - kind: unique
            table: t
            severity: fatal
            columns: [a]
          - kind: not_null
            table: u
            column: a
    """)
    assert "line 5, check 1 (unique t): severity" in message
    assert "line 9, check 2 (not_null u): column: unknown field" in message
    assert "check 2 (not_null u): columns: is missing" in message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "mapping with: checks"),
        ("[]", "mapping with: checks"),
        ("checks:", "checks"),
        ("checks: []", "at least 1 item"),
        ("check: []", "check: unknown field; allowed here: checks"),
        ("checks: [", "is not YAML"),
        ("checks: [{kind: row_count, table: t, min: 1, min: 2}]", "line 1: min is given twice"),
        ("checks: [{kind: row_count, table: t, min: 1}, {kind: row_count, table: t, min: 2}]", "row_count t"),
    ],
)
def test_a_file_that_holds_no_usable_checks_is_refused(text, part):
    message = refusal(text)
    assert "quality/test.yaml" in message
    assert part in message


def test_the_star_schema_reads_growing_tables_inside_the_window_only():
    suite = read_suite(STAR_SCHEMA.read_text(), STAR_SCHEMA.name)
    for check in suite.checks:
        for table in GROWING:
            reads = check.question().count(f'FROM "{table}"') + check.question().count(f"FROM {table} ")
            bounded = check.question().count("%(window_start)s") + check.question().count(">= DATEADD(")
            assert reads <= bounded, check.title


def test_the_star_schema_checks_the_key_of_every_table_of_the_star():
    suite = read_suite(STAR_SCHEMA.read_text(), STAR_SCHEMA.name)
    keys = {"songplays": "songplay_id", "users": "user_id", "songs": "song_id", "artists": "artist_id"}
    keys["time"] = "start_time"
    for table, key in keys.items():
        found = {c.kind for c in suite.checks if c.table == table and key in getattr(c, "columns", ())}
        assert {"not_null", "unique"} <= found, table
