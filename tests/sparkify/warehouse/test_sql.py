from datetime import datetime

import pytest
from redshift_connector.core import convert_paramstyle

from sparkify.warehouse.sql import (
    display,
    execute,
    quote_columns,
    quote_identifier,
    quote_literal,
    quote_table,
    split_statements,
)


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


# Where a semicolon may stand without ending a statement.
NO_ENDS = [
    "'a;b'",
    "'it''s;'",
    r"'it\'s;'",
    '"a;b"',
    '"a"";b"',
    "-- a; b '\n",
    "/* a; /* nested; */ b; ' */",
    "$$ a; ' $$",
    "$é$ a; $$ ; $é$",
]


@pytest.mark.parametrize("text", NO_ENDS)
def test_only_a_semicolon_of_its_own_ends_a_statement(text):
    sql = f"SELECT {text} AS one;\n\nSELECT {text} AS two ; SELECT 3"
    assert split_statements(sql) == [f"SELECT {text} AS one", f"SELECT {text} AS two", "SELECT 3"]


def test_comments_stay_with_the_statement_that_they_stand_before():
    sql = "-- One; first.\nSELECT 1;\n/* Two. */ SELECT 2;\n"
    assert split_statements(sql) == ["-- One; first.\nSELECT 1", "/* Two. */ SELECT 2"]


@pytest.mark.parametrize("sql", ["", " \n", ";;", "-- a; b\n", "/* a; /* b */ */ ;\n-- c"])
def test_where_only_comments_stand_is_no_statement(sql):
    assert split_statements(sql) == []


def test_what_is_no_comment_after_one_is_a_statement():
    assert split_statements("/* a */ - 1; */") == ["/* a */ - 1", "*/"]


def test_a_literal_with_a_nul_is_refused():
    with pytest.raises(ValueError, match="NUL"):
        quote_literal("a\0b")


class Recorder:
    """A cursor that keeps what it is given; the driver is told by the module of its class."""

    paramstyle = "format"

    def execute(self, sql, parameters):
        self.sql, self.parameters = sql, parameters


class OfRedshift(Recorder):
    __module__ = "redshift_connector.cursor"


# Where a percent sign, a question mark and a placeholder's text may stand without being one.
UNTOUCHED = [
    "'it''s 9%'",
    r"'it\'s ? 9%'",
    r"'\\'",
    "E'a\\'%(a)s'",
    "'%(a)s'",
    '"%(a)s ?"',
    '"a""%"',
    "-- 5% %(a)s '\n",
    "/* %(a)s ' /* nested ? */ %s */",
    "$$ ' %(a)s $$",
    "$é$ ' %(a)s $é$",
    "7 % 2",
    "a::int",
    "x$1$y",
    "%s",
    "%%",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_only_placeholders_are_replaced_and_the_rest_is_sent_byte_for_byte(text):
    sql = f"SELECT %(a)s, {text} , %(b)s"
    cursor = OfRedshift()
    execute(cursor, sql, {"a": 1, "b": 2, "unused": 3})
    sent, _ = convert_paramstyle(cursor.paramstyle, cursor.sql)
    assert (sent, cursor.parameters) == (f"SELECT $1, {text} , $2", [1, 2])
    cursor = Recorder()
    execute(cursor, sql, {"a": 1, "b": 2})
    assert (cursor.sql % ("$1", "$2"), cursor.parameters) == (f"SELECT $1, {text} , $2", [1, 2])


@pytest.mark.parametrize("cursor", [Recorder(), OfRedshift()])
def test_a_statement_without_values_is_not_looked_at_by_any_driver(cursor):
    execute(cursor, "SELECT '%', '%s', 7 % 2", {"unused": 1})
    assert (cursor.sql, cursor.parameters) == ("SELECT '%', '%s', 7 % 2", None)


def test_a_statement_that_the_driver_would_change_is_refused():
    with pytest.raises(ValueError, match="Double the quotes"):
        execute(OfRedshift(), r"SELECT %(a)s, 'it\'s ?', '5% : 3'", {"a": 1})


def test_a_name_without_a_value_says_which_names_there_are():
    with pytest.raises(KeyError, match=r"%\(end\)s; the values here are: start"):
        execute(Recorder(), "SELECT %(end)s", {"start": 1})


def test_the_displayed_statement_has_its_values_written_in():
    assert display("SELECT %(who)s ", {"who": "O'Brien"}) == "SELECT 'O''Brien'"


def test_the_displayed_statement_keeps_what_is_no_placeholder():
    assert display("SELECT %(a)s -- of %(a)s", {"a": 1}) == "SELECT 1 -- of %(a)s"
