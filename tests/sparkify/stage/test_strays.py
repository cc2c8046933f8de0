"""Rows outside the time of their file are named by file, line and value, however they are written."""

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from sparkify.stage.strays import StrayFinder
from tests.sparkify.orders import ids, order, put_orders, stage_orders

DAY, AFTER = "2020-05-01T00:00:00+00:00", "2020-05-03T00:00:00+00:00"
KEY, NEXT = "orders/2020-05-01.json", "orders/2020-05-02.json"
KEPT = 'SELECT file, line, "column", value, raw_text FROM ops.rejected_rows ORDER BY file, line'
# One moment of the file's day and one of another day, in seconds.
INSIDE, OUTSIDE = 1588323600, 1588500000


def stage(source, conn_id="redshift_default", **arguments):
    """Stage the two days; `paths` are those of a jsonpaths file."""
    return stage_orders(
        source, conn_id, DAY, AFTER, **{"prefix": None, "key_pattern": "orders/%Y-%m-%d.json", **arguments}
    )[0]


def line(at, number=1, time="at"):
    return json.dumps({"id": number, time: at})


def timeformat(name):
    return {"copy_options": [f"TIMEFORMAT '{name}'"]}


def paths(time):
    return {"jsonpaths": json.dumps({"jsonpaths": ["$.id", time, "$.customer", "$.cents"]})}


def bracket_paths(time):
    names = ("id", time, "customer", "cents")
    return {"jsonpaths": json.dumps({"jsonpaths": [f"$['{name}']" for name in names]})}


GOOD, STRAY = line("2020-05-01 09:00:00"), line("2020-05-03 10:00:00", 2)
TEXT = "2020-05-03 10:00:00"
# What COPY is told, the lines of the file, the line of the stray and its raw value.
SPELLINGS = {
    "milliseconds": (
        timeformat("epochmillisecs"),
        [line(INSIDE * 1000), line(OUTSIDE * 1000)],
        (2, str(OUTSIDE * 1000)),
    ),
    "seconds": (timeformat("epochsecs"), [line(INSIDE), line(OUTSIDE)], (2, str(OUTSIDE))),
    "seconds as text": (
        {"copy_options": ["timeformat as 'epochsecs'"]},
        [line(str(OUTSIDE))],
        (1, str(OUTSIDE)),
    ),
    "text": ({}, [STRAY, GOOD], (1, TEXT)),
    "ISO text": (
        timeformat("auto"),
        [line("2020-05-01T09:00:00"), line("2020-05-03T10:00:00.5")],
        (2, "2020-05-03T10:00:00.5"),
    ),
    "ISO text with an offset, which COPY ignores": (
        timeformat("auto"),
        [line("2020-05-01T23:30:00-02:00"), line("2020-05-02T00:30:00+02:00")],
        (2, "2020-05-02T00:30:00+02:00"),
    ),
    "a path": (paths("$.t"), [line("2020-05-01 09:00:00", time="t"), line(TEXT, time="t")], (2, TEXT)),
    "a path in brackets": (bracket_paths("the time"), [line(TEXT, time="the time")], (1, TEXT)),
    "a nested path": (
        paths("$.when.t"),
        [line({"t": "2020-05-01 09:00:00"}, time="when"), line({"t": TEXT}, time="when")],
        (2, TEXT),
    ),
    "any case of the name": (
        {"json": "auto ignorecase"},
        [line("2020-05-01 09:00:00", time="AT"), line(TEXT, time="At")],
        (2, TEXT),
    ),
    "the column in capitals": ({"time_column": "AT"}, [GOOD, STRAY], (2, TEXT)),
    "empty lines": ({}, ["", GOOD, "  ", "", STRAY, ""], (5, TEXT)),
    "the first of a file": ({}, [STRAY, *[GOOD] * 500], (1, TEXT)),
    "the last of a long file": ({}, [*[GOOD] * 500, STRAY], (501, TEXT)),
}


@pytest.fixture
def stage_spelling(source, tmp_path):
    """Stage with jsonpaths given as text."""

    def run(arguments, **more):
        given = {**arguments, **more}
        if "jsonpaths" in given:
            (tmp_path / "paths.json").write_text(given["jsonpaths"])
            given["jsonpaths"] = "paths.json"
        with DAG("orders", schedule=None, template_searchpath=[str(tmp_path)]):
            return stage(source, **given)

    return run


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_line_and_value_of_a_stray_are_named(orders, source, stage_spelling, spelling, ending):
    arguments, lines, (number, value) = SPELLINGS[spelling]
    source.put(KEY, "".join(one + ending for one in lines))
    with pytest.raises(AirflowFailException) as caught:
        stage_spelling(arguments)
    assert f"s3://{source.bucket}/{KEY} line {number}, column " in str(caught.value)
    assert f"value {value!r}: outside the time its file is named for" in str(caught.value)
    assert (ids(orders), orders.query("SELECT * FROM ops.staged_files")) == ([], [])


def test_a_stray_in_a_compressed_file_is_named(orders, source, conn_id):
    put_orders(source, KEY, order(1), order(2, "2020-05-03T10:00:00"), compress=True)
    with pytest.raises(AirflowFailException, match=rf"{KEY} line 2, column at .*'{TEXT}'"):
        stage(source, conn_id, gzip=True)


WITHOUT_LINES = {
    "a document over several lines": ({}, json.dumps(json.loads(STRAY), indent=1), TEXT),
    "documents on one line": ({}, f"{GOOD} {STRAY}\n", TEXT),
    "a format that is not read here": (timeformat("DD.MM.YYYY HH24:MI"), line("03.05.2020 10:00"), TEXT),
    "a path with an index": (paths("$.t[1]"), line(["2020-05-01 09:00:00", TEXT], time="t"), TEXT),
    "a time before our era": (timeformat("auto"), line("2020-05-01 BC"), "2020-05-01 00:00:00 BC"),
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("spelling", WITHOUT_LINES)
def test_strays_whose_lines_are_not_known_are_named_by_file_and_value_and_counted(
    orders, source, stage_spelling, spelling, count, conn_id
):
    arguments, body, value = WITHOUT_LINES[spelling]
    source.put(KEY, f"{body}\n" * count)
    source.put(NEXT, "")
    with pytest.raises(AirflowFailException) as caught:
        stage_spelling(arguments, conn_id=conn_id, max_errors=count - 1)
    named = f"s3://{source.bucket}/{KEY}, column at (time), value {value!r}: outside the time"
    assert str(caught.value).count(named) == count
    assert stage_spelling(arguments, conn_id=conn_id, max_errors=count)["rows_rejected"] == count
    assert [row[:4] for row in orders.query(KEPT)] == [
        (f"s3://{source.bucket}/{KEY}", None, "at", value)
    ] * count


def test_strays_and_rows_that_copy_refused_are_counted_together(orders, source, conn_id):
    put_orders(source, KEY, order(1), order(2, cents="many"), order(3, "2020-05-03T10:00:00"))
    put_orders(source, NEXT, order(4, "2020-05-02T10:00:00"), order("five", "2020-05-02T10:00:00"))
    with pytest.raises(AirflowFailException) as caught:
        stage(source, conn_id, max_errors=2)
    for part in (f"{KEY} line 2, column cents", f"{KEY} line 3, column at", f"{NEXT} line 2, column id"):
        assert part in str(caught.value)
    assert stage(source, conn_id, max_errors=3)["rows_rejected"] == 3
    assert ids(orders) == [1, 4]
    assert [row[1:3] for row in orders.query(KEPT)] == [(2, "cents"), (3, "at"), (2, "id")]


def test_strays_that_are_kept_count_as_no_errors_and_keep_line_value_and_text(orders, source, conn_id):
    source.put(KEY, f"{GOOD}\n{STRAY}\n")
    assert stage(source, conn_id, keep_strays=True, max_errors=0)["rows_rejected"] == 1
    assert ids(orders) == [1]
    assert orders.query(KEPT) == [(f"s3://{source.bucket}/{KEY}", 2, "at", TEXT, STRAY)]
    source.put(KEY, f"{GOOD}\n{STRAY}\n{line('never')}\n")
    with pytest.raises(AirflowFailException, match=f"{KEY} line 3, column at"):
        stage(source, conn_id, keep_strays=True, max_errors=0)
    source.put(KEY, f"{GOOD}\n")
    stage(source, conn_id)
    assert orders.query(KEPT) == []


@pytest.mark.parametrize("at", ["2020-05-03T10:00:00", "2020-05-02T10:00:00", "2019-01-01T10:00:00"])
def test_one_stray_among_many_files_is_named_with_its_file(orders, source, conn_id, at):
    hours = [f"orders/2020-05-01-{hour:02}.json" for hour in range(24)]
    for number, key in enumerate(hours):
        put_orders(source, key, order(number, f"2020-05-01T{key[-7:-5]}:30:00"))
    put_orders(source, hours[7], order(7, "2020-05-01T07:30:00"), order(99, at))
    with pytest.raises(AirflowFailException) as caught:
        stage(source, conn_id, key_pattern="orders/%Y-%m-%d-%H.json")
    assert str(caught.value).count("outside the time") == 1
    assert f"{hours[7]} line 2, column at" in str(caught.value)
    result = stage(source, conn_id, key_pattern="orders/%Y-%m-%d-%H.json", keep_strays=True)
    assert (result["rows_inserted"], ids(orders)) == (24, list(range(24)))


@pytest.mark.parametrize("meanwhile", ["mended", "removed"])
def test_a_file_that_changes_while_its_strays_are_looked_for_is_staged_as_it_is_then(
    orders, source, conn_id, monkeypatch, meanwhile
):
    find = StrayFinder.find

    def change_first(finder, *arguments):
        if meanwhile == "mended":
            source.put(KEY, f"{GOOD}\n")
        else:
            source.s3.delete_object(Bucket=source.bucket, Key=KEY)
        return find(finder, *arguments)

    monkeypatch.setattr(StrayFinder, "find", change_first)
    monkeypatch.setattr("sparkify.warehouse.tries.time.sleep", lambda _: None)
    source.put(KEY, f"{GOOD}\n{STRAY}\n")
    stage(source, conn_id)
    assert ids(orders) == ([1] if meanwhile == "mended" else [])
    assert orders.query(KEPT) == []
