"""What changes in the fields of source files is noticed, kept and warned of, once."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.stage import fields
from tests.sparkify.orders import ELEVEN, NINE, TEN, ids, order, put_orders, stage_orders

SEEN = "SELECT field, kind FROM ops.source_fields ORDER BY field, kind"
ALL = [("at", "text"), ("cents", "number"), ("customer", "text"), ("id", "number")]
A, B = "orders/a.json", "orders/b.json"


@pytest.fixture
def warnings(capsys):
    """The lines of warnings about fields, since they were last asked for."""
    line = re.compile(r"^  (.* \(s3://[^)]*\))", re.MULTILINE)

    def take():
        _, *told = capsys.readouterr().out.split("have changed:")
        return [match for text in told for match in line.findall(text)]

    return take


def stage(source, conn_id="redshift_default", **arguments):
    return stage_orders(source, conn_id, **{"mode": "changed_files", "key_columns": ["id"], **arguments})[0]


def test_fields_are_kept_as_they_are_first_seen_and_nobody_is_warned(orders, source, warnings, conn_id):
    put_orders(source, A, order(1), order(2))
    stage(source, conn_id)
    assert orders.query(SEEN) == ALL
    assert orders.query("SELECT DISTINCT dataset, file FROM ops.source_fields") == [
        ("staging_orders", f"s3://{source.bucket}/{A}")
    ]
    assert warnings() == []


def test_a_new_a_missing_and_a_retyped_field_are_told_once_with_their_file(orders, source, warnings):
    put_orders(source, A, order(1))
    stage(source)
    changed = {"id": 2, "at": order(2)["at"], "cents": "100", "voucher": True}
    put_orders(source, B, changed)
    url = f"s3://{source.bucket}/{B}"
    stage(source)
    assert warnings() == [
        f"cents is text, and was number ({url})",
        f"customer is missing: its column will be NULL ({url})",
        f"voucher (boolean) is new: no column takes it ({url})",
    ]
    put_orders(source, "orders/c.json", {**changed, "id": 3})
    stage(source)
    put_orders(source, A, {**changed, "id": 1})
    stage(source)
    assert warnings() == []
    assert len(orders.query(SEEN)) == len(set(orders.query(SEEN))) == len(ALL) + 3


def test_of_two_loads_at_once_one_tells_of_a_field(orders, source, warnings):
    put_orders(source, A, order(1))
    stage(source)
    put_orders(source, B, {**order(2), "voucher": True})
    with ThreadPoolExecutor(2) as both:
        for run in [both.submit(stage, source) for _ in range(2)]:
            run.result()
    assert warnings() == [f"voucher (boolean) is new: no column takes it (s3://{source.bucket}/{B})"]
    assert orders.query("SELECT COUNT(*) FROM ops.source_fields WHERE field = 'voucher'") == [(1,)]


def test_what_makes_a_load_fail_is_told_before_it_does(orders, source, warnings):
    put_orders(source, A, order(1))
    stage(source)
    put_orders(source, B, {**order(2), "cents": "many"})
    with pytest.raises(AirflowFailException, match="line 1, column cents"):
        stage(source)
    assert warnings() == [f"cents is text, and was number (s3://{source.bucket}/{B})"]
    assert ("cents", "text") in orders.query(SEEN)


def test_a_file_whose_version_is_staged_is_not_looked_at_again(orders, source, monkeypatch):
    put_orders(source, A, order(1, NINE), order(2, TEN))
    dated = {"prefix": None, "key_pattern": A, "mode": "window"}
    stage(source, **dated)

    def look(*_arguments):
        raise AssertionError

    monkeypatch.setattr(fields.FieldWatch, "_head", look)
    stage_orders(source, "redshift_default", TEN, ELEVEN, **dated)
    assert ids(orders) == [1, 2]


def test_of_many_files_a_few_are_looked_at_from_the_first_to_the_last(orders, source, monkeypatch):
    looked, head = [], fields.FieldWatch._head
    monkeypatch.setattr(
        fields.FieldWatch, "_head", lambda watch, file: looked.append(file.key) or head(watch, file)
    )
    for number in range(30):
        put_orders(source, f"orders/{number:02}.json", order(number))
    stage(source)
    assert len(looked) == 8
    assert (looked[0], looked[-1]) == ("orders/00.json", "orders/29.json")


def test_of_a_large_file_the_first_part_is_enough(orders, source, warnings):
    put_orders(source, A, *[order(number) for number in range(3000)], {**order(3000), "late": 1})
    stage(source)
    assert orders.query(SEEN) == ALL


def test_a_compressed_file_is_looked_into(orders, source):
    put_orders(source, A, order(1), order(2), compress=True)
    stage(source, gzip=True)
    assert orders.query(SEEN) == ALL


def test_null_is_no_kind_and_a_line_that_is_no_document_is_passed_over(orders, source, warnings):
    lines = [json.dumps({**order(1), "customer": None}), "", "  ", json.dumps(order(2))[:-3]]
    source.put(A, "\n".join(lines))
    with pytest.raises(AirflowFailException):
        stage(source)
    assert orders.query(SEEN) == [field for field in ALL if field[0] != "customer"]
    put_orders(source, A, order(1))
    stage(source)
    assert (orders.query(SEEN), warnings()) == (ALL, [])


def test_names_are_read_as_copy_reads_them(orders, source, warnings):
    put_orders(source, A, {name.upper(): value for name, value in order(1).items()})
    stage(source, json="auto ignorecase")
    assert (orders.query(SEEN), warnings()) == (ALL, [])


def test_an_empty_file_says_nothing_of_fields(orders, source, warnings):
    source.put(A, "")
    put_orders(source, B)
    stage(source)
    assert (orders.query(SEEN), warnings()) == ([], [])


def test_documents_with_ever_new_names_do_not_fill_the_table(orders, source, warnings):
    put_orders(source, A, {**order(1), **{f"user {number}": 1 for number in range(600)}})
    stage(source)
    assert orders.query("SELECT COUNT(*) FROM ops.source_fields") == [(0,)]
