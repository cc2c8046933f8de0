"""Corrected rows in source files: written once, in the right place, or not at all."""

import gzip

import pytest

from sparkify.failures import FatalError, SourceChanged
from sparkify.stage.corrections import REPLACED, Corrector, read_corrections
from sparkify.warehouse.open_rows import OpenRow

KEY = "orders/a.json"
LINES = [b'{"id": 1}', b'{"id": "x"}', b"", b'{"id": 3}', b""]
ROW = {2: b'{"id": 2}'}


def rejected(source, line=2, text='{"id": "x"}', etag=None):
    url = f"s3://{source.bucket}/{KEY}"
    return [OpenRow(url, line, "id", "x", "Invalid digit", text, "L1", etag, None, is_refused=False)]


def corrector(source, *, compressed=False, dry=False):
    return Corrector(source.s3, source.bucket, compressed, dry)


def body(source, key=KEY):
    return source.s3.get_object(Bucket=source.bucket, Key=key)["Body"].read()


def version(source):
    return source.s3.head_object(Bucket=source.bucket, Key=KEY)["ETag"].strip('"')


def keys(source):
    return [one["Key"] for one in source.s3.list_objects_v2(Bucket=source.bucket)["Contents"]]


def test_a_corrected_row_takes_the_place_of_its_line_and_the_old_file_is_kept(source):
    source.put(KEY, b"\n".join(LINES))
    before = version(source)
    assert corrector(source).correct(KEY, ROW, rejected(source))
    assert body(source).split(b"\n") == [LINES[0], ROW[2], *LINES[2:]]
    assert body(source, f"{REPLACED}{KEY}/{before}") == b"\n".join(LINES)


def test_a_file_that_has_the_corrected_row_is_not_written_again(source):
    source.put(KEY, b"\n".join(LINES))
    corrector(source).correct(KEY, ROW, rejected(source))
    there = keys(source)
    for rows in (rejected(source), []):
        assert not corrector(source).correct(KEY, ROW, rows)
    assert keys(source) == there


def test_a_row_that_is_taken_out_leaves_its_line_so_that_others_keep_their_numbers(source):
    source.put(KEY, b"\r\n".join(LINES))
    corrector(source).correct(KEY, {2: b""}, rejected(source))
    assert body(source) == b"\r\n".join([LINES[0], b"", *LINES[2:]])


def test_a_compressed_file_stays_compressed(source):
    source.put(KEY, gzip.compress(b"\n".join(LINES)))
    assert corrector(source, compressed=True).correct(KEY, ROW, rejected(source))
    assert gzip.decompress(body(source)).split(b"\n")[1] == ROW[2]


def test_what_came_with_the_file_stays_with_it(source):
    source.s3.put_object(
        Bucket=source.bucket, Key=KEY, Body=b"\n".join(LINES), ContentType="text/x", Metadata={"by": "app"}
    )
    corrector(source).correct(KEY, ROW, rejected(source))
    head = source.s3.head_object(Bucket=source.bucket, Key=KEY)
    assert (head["ContentType"], head["Metadata"]) == ("text/x", {"by": "app"})


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(source):
    source.put(KEY, b"\n".join(LINES))
    assert corrector(source, dry=True).correct(KEY, ROW, rejected(source))
    assert (body(source), keys(source)) == (b"\n".join(LINES), [KEY])


@pytest.mark.parametrize(
    ("lines", "rows", "message"),
    [
        ({1: b"{}"}, {}, "no rejected row at line 1"),
        ({99: b"{}"}, {}, "no rejected row at line 99"),
        (ROW, {"text": '{"id": "y"}'}, "has changed since its rows were rejected: line 2"),
        (ROW, {"text": None, "etag": "another"}, "has changed since"),
        ({99: b"{}"}, {"line": 99}, "has changed since"),
    ],
)
def test_a_line_that_is_not_the_rejected_one_is_refused_and_nothing_is_written(source, lines, rows, message):
    source.put(KEY, b"\n".join(LINES))
    with pytest.raises(FatalError, match=message):
        corrector(source).correct(KEY, lines, rejected(source, **rows))
    assert (body(source), keys(source)) == (b"\n".join(LINES), [KEY])


def test_without_its_text_a_row_is_known_by_the_version_of_its_file(source):
    source.put(KEY, b"\n".join(LINES))
    assert corrector(source).correct(KEY, ROW, rejected(source, text=None, etag=version(source)))


def test_a_file_that_is_gone_is_named(source):
    with pytest.raises(FatalError, match=r"orders/a\.json is not there"):
        corrector(source).correct(KEY, ROW, rejected(source))


def test_what_somebody_else_writes_meanwhile_is_never_overwritten(source):
    """The last moment: between reading the file and putting it."""
    source.put(KEY, b"\n".join(LINES))
    put = source.s3.put_object

    class Meanwhile:
        exceptions = source.s3.exceptions
        get_object = source.s3.get_object

        @staticmethod
        def put_object(**arguments):
            put(**arguments)
            source.put(KEY, b"new")

    with pytest.raises(SourceChanged):
        Corrector(Meanwhile(), source.bucket, gzip=False, dry_run=False).correct(KEY, ROW, rejected(source))
    assert body(source) == b"new"


def test_corrected_rows_are_read_by_key_and_line():
    rows = ('{"file": "s3://raw/a.json", "line": 2, "row": {"name": "é"}}', "")
    text = "\n".join([*rows, '{"file": "a.json", "line": 3, "row": null}'])
    assert read_corrections(text, "raw") == {"a.json": {2: '{"name": "é"}'.encode(), 3: b""}}


@pytest.mark.parametrize(
    "line",
    [
        "nothing",
        "[]",
        '{"file": "a.json", "row": {}}',
        '{"file": "a.json", "line": 0, "row": {}}',
        '{"file": "a.json", "line": true, "row": {}}',
        '{"file": "a.json", "line": 1, "row": "text"}',
        '{"file": "s3://other/a.json", "line": 1, "row": {}}',
        '{"file": null, "line": 1, "row": {}}',
    ],
)
def test_a_line_that_is_no_corrected_row_is_refused_by_its_number(line):
    with pytest.raises(FatalError, match="Line 2 of the corrected rows is none"):
        read_corrections(f"\n{line}", "raw")


def test_one_line_cannot_be_corrected_in_two_ways():
    one = '{{"file": "a.json", "line": 1, "row": {}}}'
    with pytest.raises(FatalError, match="twice"):
        read_corrections(f"{one.format('{}')}\n{one.format('null')}", "raw")
