"""A prefix of many files: one question while nothing changes, and only what is new or other is copied."""

import pytest

from sparkify.stage import catalogue
from tests.sparkify.orders import ids, order, put_orders, stage_orders

CHANGED = {"mode": "changed_files", "key_columns": ["id"]}
ODD = ("orders/größe ü.json", 'orders/"quoted" \\.json', "orders/😀.json")


@pytest.fixture
def filled(orders, source, conn_id):
    """Three hundred files, more than there are parts, and all of them staged."""
    for number in range(300 - len(ODD)):
        put_orders(source, f"orders/{number:03}.json", order(number))
    for number, key in enumerate(ODD):
        put_orders(source, key, order(1000 + number))
    stage_orders(source, conn_id, **CHANGED)
    return orders


def test_files_of_which_none_has_changed_take_one_statement(filled, source, conn_id):
    staged, operator = stage_orders(source, conn_id, **CHANGED)
    assert staged["files"] == 0
    assert operator.statements.count(";\n\n") == 0


def test_only_what_is_new_or_other_is_copied_and_what_has_gone_changes_nothing(filled, source, conn_id):
    put_orders(source, "orders/007.json", order(7, cents=7))
    put_orders(source, ODD[0], order(1000, cents=7))
    put_orders(source, "orders/new.json", order(2000, cents=7))
    source.s3.delete_object(Bucket=source.bucket, Key="orders/008.json")
    staged, _ = stage_orders(source, conn_id, **CHANGED)
    assert staged["files"] == 3
    assert filled.query("SELECT id FROM staging_orders WHERE cents = 7 ORDER BY id") == [
        (7,),
        (1000,),
        (2000,),
    ]
    assert len(ids(filled)) == 301
    assert stage_orders(source, conn_id, **CHANGED)[0]["files"] == 0


def test_a_version_that_was_there_before_is_copied_again(filled, source, conn_id):
    for cents in (7, 100):
        put_orders(source, "orders/007.json", order(7, cents=cents))
        assert stage_orders(source, conn_id, **CHANGED)[0]["files"] == 1
    assert filled.query("SELECT cents FROM staging_orders WHERE id = 7") == [(100,)]


def test_many_rows_of_the_ledger_are_copied_and_are_those_that_few_would_be(
    orders, source, conn_id, monkeypatch
):
    ledgers = []
    for most, copies in ((1000, 1), (2, 2)):
        monkeypatch.setattr(catalogue, "_MOST_BOUND", most)
        for number, key in enumerate(ODD):
            put_orders(source, key, order(number))
        _, operator = stage_orders(source, conn_id, **CHANGED)
        assert operator.statements.count("COPY ") == copies
        rows = orders.query(
            "SELECT dataset, bucket, key, etag, size, last_modified, staged_at > last_modified "
            "FROM ops.staged_files ORDER BY key"
        )
        ledgers.append(rows)
        orders.execute("DELETE FROM ops.staged_files")
    assert [row[:5] for row in ledgers[0]] == [row[:5] for row in ledgers[1]]
    assert len(ledgers[0]) == len(ODD)
