"""jsonpaths files, automatic mapping, and rows with their errors."""

import json

import pytest

from sandbox.redshift.copy.columns import TargetColumn
from sandbox.redshift.copy.documents import Documents
from sandbox.redshift.copy.errors import ConversionError, CopyError, ErrorField
from sandbox.redshift.copy.jsonpaths import extractor, parse_jsonpaths
from sandbox.redshift.copy.mapping import auto_sources, fold_keys, path_sources
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.rows import RowBuilder


def paths(*texts):
    return parse_jsonpaths(json.dumps({"jsonpaths": texts}).encode(), "s3://b/p")


def rows(columns, values, json_option="auto", texts=None):
    """The rows and errors of documents, one a line."""
    auto = texts is None
    names = [column.name for column in columns]
    sources = auto_sources(names) if texts is None else path_sources(paths(*texts), len(columns))
    builder = RowBuilder(columns, sources, Options(json=json_option), auto=auto)
    raw = [json.dumps(value).encode() for value in values]
    objects_only = all(isinstance(value, dict) for value in values)
    documents = Documents(values, range(1, len(values) + 1), raw, objects_only)
    (found,) = builder.build(documents, "s3://b/f.json")
    return found


def column(name, type_name="integer", **more):
    return TargetColumn(name, type_name, **more)


def test_both_notations_and_indices():
    assert paths("$.a.b", "$.c[0].d", "$[2]", "$") == [("a", "b"), ("c", 0, "d"), (2,), ()]
    assert paths("$['a']['b.c'][3]", '$["d"]') == [("a", "b.c", 3), ("d",)]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"jsonpaths": ["$.a"]} {"jsonpaths": []}',
        b'{"jsonpaths": ["$.a"]} x',
        b'{"jsonpaths": "$.a"}',
        b'{"jsonpaths": [""]}',
        b'{"jsonpaths": [1]}',
        b'{"jsonpaths": ["a"]}',
        b'{"jsonpaths": ["$a"]}',
        b'{"jsonpaths": ["$.a.*"], "x": 1}'.replace(b"*", b""),
        b'{"jsonpaths": ["$.a[-1]"]}',
        b'{"jsonpaths": ["$.a", "$[\'b\']"]}',
        b'{"jsonpaths": ["$.a[\'b\']"]}',
    ],
)
def test_a_malformed_jsonpaths_file_is_named(text):
    with pytest.raises(CopyError, match="Invalid JSONPath format: s3://b/p") as caught:
        parse_jsonpaths(text, "s3://b/p")
    assert caught.value.sqlstate == "XX000"


def test_a_file_with_another_key_is_ignored():
    assert parse_jsonpaths(b'{"paths": ["$.a"]}', "s3://b/p") is None


def test_as_many_paths_as_columns():
    with pytest.raises(CopyError) as caught:
        path_sources(paths("$.a", "$.b"), 3)
    assert caught.value.message == (
        "Number of jsonpaths and the number of columns should match. "
        "JSONPath size: 2, Number of columns in table or column list: 3"
    )


def test_a_missing_member_is_null_and_a_missing_element_an_error():
    document = {"a": {"b": [1, 2]}, "n": None}
    assert extractor(("a", "b", 1))(document) == 2
    assert extractor(("a", "x", "y"))(document) is None
    assert extractor(("n", "y"))(document) is None
    for path, reason in (
        (("a", "b", 2), "Invalid JSONPath format: Not an array or index out of range."),
        (("a", 0), "Invalid JSONPath format: Not an array or index out of range."),
        (("a", "b", "c"), "Invalid JSONPath format: Member is not an object."),
    ):
        with pytest.raises(ConversionError) as caught:
            extractor(path)(document)
        assert caught.value.reason == reason


def test_auto_takes_first_level_members_of_exactly_the_columns_name():
    found = rows([column("a"), column("b")], [{"b": 2, "a": 1, "c": 3}, {"A": 1}])
    assert found.data == b"1\t2\n\\N\t\\N\n"


def test_auto_ignorecase_takes_members_in_any_case_and_prefers_the_exact_one():
    found = rows([column("ab")], [{"AB": 1}, {"AB": 1, "ab": 2}, {"AB": 1, "Ab": 3}], "auto ignorecase")
    assert found.data == b"1\n2\n1\n"
    assert fold_keys([1]) == [1]


def test_jsonpaths_take_members_exactly_as_written():
    found = rows([column("x"), column("y")], [{"userId": 1, "v": [5]}], texts=["$.userId", "$.v[0]"])
    assert found.data == b"1\t5\n"


def test_a_root_array_is_a_row_with_jsonpaths_and_an_error_without():
    assert rows([column("x")], [[7]], texts=["$[0]"]).data == b"7\n"
    error = rows([column("x")], [[7]]).errors[0]
    assert (error.code, error.reason) == (
        1216,
        "Invalid JSON document: not an object; arrays need a jsonpaths file",
    )
    assert rows([column("x")], [[7]], texts=["$.x"]).errors[0].reason.endswith("Member is not an object.")


def test_a_bad_row_is_left_out_and_its_first_bad_column_named():
    columns = [
        column("a", "character varying", length=9),
        column("n", "numeric", precision=4, scale=1),
        column("b"),
    ]
    found = rows(columns, [{"a": "x", "n": 1, "b": 1}, {"a": "y", "n": "1x", "b": "z"}, {"b": 3}])
    assert (found.data, found.count) == (b"x\t1.0\t1\n\\N\t\\N\t3\n", 2)
    (error,) = found.errors
    assert (error.file_name, error.line_number) == ("s3://b/f.json", 2)
    assert (error.column, error.column_type, error.column_length) == ("n", "numeric", "4, 1")
    assert (error.code, error.raw_value) == (1207, "1x")
    assert json.loads(error.raw_line) == {"a": "y", "n": "1x", "b": "z"}
    assert error.fields == (ErrorField("a", "varchar", "9", "y"), ErrorField("n", "numeric", "4, 1", "1x"))


def test_what_a_load_error_shows_can_be_stored():
    column_ = column("a", "character varying", length=1)
    value = "x\0\ud800" + "y" * 5000
    error = rows([column_], [{"a": value}]).errors[0]
    assert "\0" not in error.raw_value
    assert error.raw_value.encode()
    assert len(error.raw_value) == len(error.raw_line) == 1024
    assert rows([column("a")], [{"a": "\ud800"}]).errors[0].reason.startswith("Invalid digit, Value '?'")
