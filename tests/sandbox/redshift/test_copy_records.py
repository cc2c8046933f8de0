"""Whole lines become rows at once where they are ordinary, and only there."""

import pytest

from sandbox.redshift.copy.columns import TargetColumn
from sandbox.redshift.copy.mapping import Source
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.records import Records

COLUMNS = (
    TargetColumn("name", "character varying", 8),
    TargetColumn("at", "timestamp without time zone"),
    TargetColumn("length", "double precision"),
    TargetColumn("id", "integer"),
    TargetColumn("letter", "character", 1),
    TargetColumn("title", "character varying", 1024),
)
NAMES: tuple[Source, ...] = tuple(column.name for column in COLUMNS)
OPTIONS = Options(json="auto", time_format="epochmillisecs")
LINE = (
    b'{"name":"Ann","at":1541030432383,"length":1.5,"id":"7","letter":"F",'
    b'"title":"A\\/B \\"C\\"","more":[1]}\n'
)
ROW = b'Ann\t2018-11-01 00:00:32.383000\t1.5\t7\tF\tA/B "C"\n'


def records(columns=COLUMNS, sources=NAMES, options=OPTIONS):
    return Records(columns, sources, options)


def rows(line):
    return records().rows(LINE + line + b"\n")


def test_lines_become_rows():
    assert records().rows(LINE * 3) == (ROW * 3, 3)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("{}", r"\N \N \N \N \N \N"),
        ('{"id":null,"name":"","letter":null}', r" \N \N \N \N \N"),
        ('{"id":"","name":"\\N"}', None),
        ('{"id":-12}', r"\N \N \N -12 \N \N"),
        ('{"id":"0"}', r"\N \N \N 0 \N \N"),
        ('{"id":"007"}', r"\N \N \N 7 \N \N"),
        ('{"length":5}', r"\N \N 5.0 \N \N \N"),
        ('{"name":"ééé"}', r"ééé \N \N \N \N \N"),
        ('{"name":"éééé"}', r"éééé \N \N \N \N \N"),
        ('{"name":"éééé+"}', None),
        ('{"name":"12345678"}', r"12345678 \N \N \N \N \N"),
        ('{"name":"123456789"}', None),
        ('{"name":"😀😀"}', r"😀😀 \N \N \N \N \N"),
        ('{"name":"😀😀+"}', None),
        ('{"letter":"é"}', None),
        ('{"title":"' + "é" * 256 + '"}', r"\N \N \N \N \N " + "é" * 256),
        ('{"title":"' + "😀" * 257 + '"}', None),
        ('{"na\\u006de":"x"}', r"x \N \N \N \N \N"),
        ('{"name":"x","name":"y"}', r"y \N \N \N \N \N"),
    ],
)
def test_a_line_is_its_row_or_has_none_here(line, row):
    expected = None if row is None else (ROW + row.replace(" ", "\t").encode() + b"\n", 2)
    assert rows(line.encode()) == expected


@pytest.mark.parametrize(
    "line",
    [
        *(rb'{"name":"a\\b"}', rb'{"name":"\t"}', rb'{"name":"\n"}', rb'{"name":"\r"}', rb'{"name":"\\N"}'),
        *(rb'{"name":"\u0000"}', rb'{"name":"\u0009"}', rb'{"name":"\u000A"}', rb'{"name":"\u000d"}'),
        *(rb'{"name":"\u005C"}', rb'{"name":"\u005c"}', rb'{"name":"\ud800"}', b'{"name":"\xff"}'),
        *(b'{"name":5}', b'{"name":true}', b'{"name":["a"]}', b'{"id":{}}', b'{"id":[1]}', b'{"id":1.5}'),
        *(b'{"id":2147483648}', b'{"id":"2147483648"}', b'{"at":-99999999999999999}', b'{"at":"noon"}'),
        *(b'{"more":NaN}', b'{"more":[1,]}', b'{"more":1,}', b"[1]", b"null", b"5", b"", b"{", b'{"id":1},'),
        *(b'{"id":1} {"id":2}', b'{"id":\n1}', b'{"name":"a\x01b"}', b'\xef\xbb\xbf{"id":1}'),
    ],
)
def test_what_is_not_ordinary_has_no_rows_here(line):
    assert rows(line) is None


def test_a_column_that_must_be_filled_is():
    columns = [
        TargetColumn("a", "character varying", 9, not_null=True),
        TargetColumn("b", "integer", not_null=True),
    ]
    found = records(columns, ("a", "b"))
    assert found.rows(b'{"b":1,"a":"x"}\n') == (b"x\t1\n", 1)
    for line in (b'{"b":1}\n', b'{"a":"x"}\n', b'{"a":null,"b":1}\n', b'{"a":"x","b":null}\n'):
        assert records(columns, ("a", "b")).rows(line) is None


@pytest.mark.parametrize(
    "sources",
    [("a", "a"), ("a", lambda _: "x"), ("a", 'b"'), ("a", "b\n")],
    ids=["twice", "path", "quote", "newline"],
)
def test_columns_of_anything_but_different_members_are_not_for_records(sources):
    columns = [TargetColumn("a", "integer"), TargetColumn("b", "integer")]
    assert records(columns, sources).rows(b'{"a":1,"b":2}\n') is None


def test_so_much_that_a_row_may_be_too_large_has_no_rows_here():
    assert records().rows(b'{"more":"' + b"x" * 1_100_000 + b'"}\n') is None
    assert records().rows(b"{}\n" * 20_000) is None


def test_a_file_of_another_kind_is_not_tried_for_long():
    tried = records()
    for _ in range(3):
        assert tried.rows(b'{"name":5}\n') is None
    assert tried.rows(LINE) == (ROW, 1)
    for _ in range(4):
        assert tried.rows(b'{"name":5}\n') is None
    assert tried.rows(LINE) is None
