from datetime import datetime

import pytest

from sparkify.sql import bind, display, quote_columns, quote_identifier, quote_literal, quote_table


def test_identifiers_are_quoted_and_folded_as_redshift_folds_them():
    assert quote_identifier('Odd"Name') == '"odd""name"'
    assert quote_table("Ops.loads") == '"ops"."loads"'
    assert quote_columns(["a", "b"], "t.") == 't."a", t."b"'


@pytest.mark.parametrize("name", ["", "x\0", "é" * 64])
def test_what_redshift_could_not_name_is_refused(name):
    with pytest.raises(ValueError, match="Not a Redshift identifier"):
        quote_identifier(name)


def test_a_table_name_has_at_most_a_schema():
    with pytest.raises(ValueError, match="Not a table name"):
        quote_table("a.b.c")


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("O'Brien", "'O''Brien'"),
        ("back\\slash", "'back\\\\slash'"),
        (None, "NULL"),
        (True, "TRUE"),
        (7, "7"),
        (datetime(2018, 11, 1, 2), "'2018-11-01 02:00:00'"),
    ],
)
def test_literals_cannot_end_early(value, literal):
    assert quote_literal(value) == literal


def test_a_literal_with_a_nul_is_refused():
    with pytest.raises(ValueError, match="NUL"):
        quote_literal("a\0b")


def test_named_values_are_bound_in_order_and_other_percent_signs_survive_the_driver():
    sql = (
        "SELECT 7 % 2 -- 5%\nWHERE a LIKE 'it''s 9%' AND b = %(b)s AND c = %(a)s AND d = %(b)s AND e = 'x''s'"
    )
    assert bind(sql, {"a": 1, "b": 2, "unused": 3}) == (
        "SELECT 7 %% 2 -- 5%%\nWHERE a LIKE %s AND b = %s AND c = %s AND d = %s AND e = 'x''s'",
        ["it's 9%", 2, 1, 2],
    )


def test_a_name_without_a_value_says_which_names_there_are():
    with pytest.raises(KeyError, match=r"%\(end\)s; the values here are: start"):
        bind("SELECT %(end)s", {"start": 1})


def test_the_displayed_statement_has_its_values_written_in():
    assert display("SELECT %(who)s ", {"who": "O'Brien"}) == "SELECT 'O''Brien'"
