"""What SVV_TABLE_INFO says of a table's rows, order and statistics."""

from decimal import Decimal
from functools import partial

import pytest

from tests.sandbox.redshift.endpoint_clients import run_apart

INFO = """
    SELECT tbl_rows, estimated_visible_rows, unsorted, stats_off
    FROM svv_table_info WHERE schema = 'watched' AND "table" = 't'"""


@pytest.fixture
def table(sandbox):
    """Runs statements one by one; a table `watched.t` is there for them."""
    run = partial(run_apart, sandbox)
    run("DROP SCHEMA IF EXISTS watched CASCADE", "CREATE SCHEMA watched")
    run("CREATE TABLE watched.t (a INT) SORTKEY (a)")
    yield run
    run("DROP SCHEMA watched CASCADE")


TEN = ", ".join(f"({n})" for n in range(10))


def test_an_empty_table_is_not_there_until_it_has_a_row_and_after_vacuum_again(table):
    assert table(INFO) == []
    table(f"INSERT INTO watched.t VALUES {TEN}")
    assert len(table(INFO)) == 1
    # Rows that are marked for deletion are still there.
    table("DELETE FROM watched.t")
    assert table(INFO)[0][:2] == (10, 0)
    table("VACUUM watched.t")
    assert table(INFO) == []


def test_rows_are_unsorted_until_vacuum(table):
    table(f"INSERT INTO watched.t VALUES {TEN}", "VACUUM watched.t")
    assert table(INFO)[0][2] == 0
    table(f"INSERT INTO watched.t VALUES {TEN}")
    assert table(INFO)[0][2] == 50
    table("VACUUM SORT ONLY watched.t")
    assert table(INFO)[0][2] == 0


def test_a_table_without_sort_key_is_not_unsorted(table):
    table("DROP TABLE watched.t", "CREATE TABLE watched.t (a INT)", f"INSERT INTO watched.t VALUES {TEN}")
    assert table(INFO)[0][2] is None


def test_deleted_rows_count_until_vacuum(table):
    table(f"INSERT INTO watched.t VALUES {TEN}", "DELETE FROM watched.t WHERE a < 4")
    assert table(INFO)[0][:2] == (10, 6)
    table("VACUUM DELETE ONLY watched.t TO 100 PERCENT")
    assert table(INFO)[0][:2] == (6, 6)


def test_statistics_are_off_by_what_has_changed_since_analyze(table):
    table(f"INSERT INTO watched.t VALUES {TEN}")
    assert table(INFO)[0][3] == 100
    table("ANALYZE watched.t")
    assert table(INFO)[0][3] == 0
    table("DELETE FROM watched.t WHERE a < 2")
    assert table(INFO)[0][3] == Decimal(25)
