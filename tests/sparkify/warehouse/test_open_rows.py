"""Rows that no load took: open, replaced and settled, each once."""

import pytest

from sparkify.source import SourceFile
from sparkify.warehouse import ledger, open_rows
from sparkify.warehouse.ledger import TaskRun
from sparkify.warehouse.open_rows import Refusal
from sparkify.warehouse.rejected_rows import RejectedRow

RUN = TaskRun("dag", "run", "task")
A, B = "s3://raw/orders/a.json", "s3://raw/orders/b.json"
OPEN = "SELECT file, line, load_id FROM {} ORDER BY file, line"


def bad(file, line, text):
    return RejectedRow(file, line, "cents", "int4", "x", text, 1207, "Invalid digit")


@pytest.fixture
def load(open_session):
    """Stage files as one load does: only what is kept of their rejected rows."""

    def stage(*rows, files=("a",)):
        session, load_id = open_session(), ledger.new_load_id()
        found = [SourceFile("raw", f"orders/{name}.json", load_id, 1, ledger.utc_now()) for name in files]
        ledger.prepare_files(session, "staging_orders", load_id, found)
        with session.publishing(ledger.STAGED_FILES):
            ledger.record_files(session, ())
            open_rows.record(session, load_id, rows, ledger.INCOMING_FILES)
        return load_id

    return stage


@pytest.fixture
def refuse(open_session):
    def fail(*rows, load_id=None):
        refusal = Refusal(load_id or ledger.new_load_id(), RUN, "staging_orders", None, rows, {A: "etag"})
        open_rows.record_refusal(open_session(), refusal)
        return refusal.load_id

    return fail


def lines(orders, table):
    return orders.query(OPEN.format(table))


def test_a_row_that_the_next_version_of_its_file_no_longer_has_is_settled_by_its_load(orders, load):
    first = load(bad(A, 1, "one"), bad(A, 2, "two"))
    second = load(bad(A, 2, "two"))
    assert lines(orders, "ops.rejected_rows") == [(A, 2, second)]
    settled = "SELECT file, line, load_id, settled_by FROM ops.settled_rows"
    assert orders.query(settled) == [(A, 1, first, second)]


def test_a_row_that_moves_to_another_line_is_not_settled(orders, load):
    load(bad(A, 1, "one"))
    load(bad(A, 7, "one"))
    assert lines(orders, "ops.settled_rows") == []


def test_of_rows_that_are_alike_as_many_stay_open_as_there_are(orders, load):
    load(bad(A, 1, "same"), bad(A, 2, "same"), bad(A, 3, "same"))
    load(bad(A, 3, "same"))
    assert [line for _, line, _ in lines(orders, "ops.settled_rows")] == [2, 3]


def test_rows_of_files_that_a_load_does_not_stage_stay_as_they_are(orders, load):
    first = load(bad(A, 1, "one"), bad(B, 1, "one"), files=("a", "b"))
    load(files=("b",))
    assert lines(orders, "ops.rejected_rows") == [(A, 1, first)]
    assert [file for file, *_ in lines(orders, "ops.settled_rows")] == [B]


def test_rows_for_which_a_load_failed_are_settled_by_the_load_that_stages_their_file(orders, load, refuse):
    failed = refuse(bad(A, 1, "one"))
    assert lines(orders, "ops.refused_rows") == [(A, 1, failed)]
    load()
    assert lines(orders, "ops.refused_rows") == []
    assert lines(orders, "ops.settled_rows") == [(A, 1, failed)]


def test_of_loads_that_fail_one_after_the_other_the_last_counts(orders, refuse):
    refuse(bad(A, 1, "one"), bad(A, 2, "two"))
    last = refuse(bad(A, 2, "two"))
    assert lines(orders, "ops.refused_rows") == [(A, 2, last)]


def test_a_load_that_fails_takes_nothing_from_what_the_version_that_is_staged_left(orders, load, refuse):
    staged = load(bad(A, 1, "stray"))
    refuse(bad(A, 1, "stray"), bad(A, 2, "two"))
    assert lines(orders, "ops.rejected_rows") == [(A, 1, staged)]
    load()
    # Of a row that was rejected and refused there was one.
    assert [line for _, line, _ in lines(orders, "ops.settled_rows")] == [1, 2]


def test_a_file_that_is_left_for_later_keeps_what_its_staged_version_left(orders, load):
    staged = load(bad(A, 1, "stray"))
    for _ in range(2):
        left = load(bad(A, 2, "two"), files=("b",))
    assert lines(orders, "ops.rejected_rows") == [(A, 1, staged), (A, 2, left)]
    load()
    assert [line for _, line, _ in lines(orders, "ops.settled_rows")] == [1, 2]


def test_a_load_that_fails_late_does_not_open_what_another_has_settled(orders, load, refuse):
    began = ledger.new_load_id()
    load()
    refuse(bad(A, 1, "one"), bad(B, 1, "one"), load_id=began)
    assert lines(orders, "ops.refused_rows") == [(B, 1, began)]


def test_open_rows_are_found_by_place_with_the_version_that_had_them(session, load, refuse):
    staged = load(bad(A, 1, "stray"))
    refuse(bad(B, 4, "two"))
    found = open_rows.find_open(session, "s3://raw/orders/")
    assert [(row.file, row.line, row.etag, row.is_refused) for row in found] == [
        (A, 1, staged, False),
        (B, 4, None, True),
    ]
    assert open_rows.find_open(session, "s3://raw/others/") == []
