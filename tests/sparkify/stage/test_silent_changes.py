"""What a load says of values that COPY changes without failing."""

import pytest

from tests.sparkify.orders import ids, order, put_orders, stage_orders


@pytest.fixture
def log(caplog, capsys):
    """Yields a function that returns what was logged since it was called last."""
    caplog.set_level("WARNING")

    def read():
        # Where a task logs to depends on whether Airflow's logging was set up by an earlier test.
        text = caplog.text + capsys.readouterr().out
        caplog.clear()
        return text

    return read


def bad_order(number):
    return f'{{"id": {number}, "at": "2020-05-01 09:00:00", "customer": "ad\xe9"}}\n'.encode("latin-1")


def test_rows_with_replaced_characters_are_counted_and_named(orders, source, conn_id, log):
    source.put("orders/a.json", bad_order(1))
    source.put("orders/b.json", b"".join([bad_order(2).replace(b"\xe9", b"a"), bad_order(3)]))
    stage_orders(source, conn_id, copy_options=["ACCEPTINVCHARS AS '^'"])
    assert orders.query("SELECT customer FROM staging_orders ORDER BY id") == [("ad^",), ("ada",), ("ad^",)]
    place = f"s3://{source.bucket}/orders"
    lines = [f"  {place}/a.json line 1, column customer", f"  {place}/b.json line 2, column customer"]
    told = log()
    assert "\n".join(["ACCEPTINVCHARS replaced characters in 2 rows:", *lines]) in told
    assert "more" not in told
    assert "does not say how many" not in told


def test_what_redshift_logs_at_most_is_a_lower_bound(orders, source, conn_id, log):
    source.put("orders/a.json", b"".join(map(bad_order, range(120))))
    stage_orders(source, conn_id, copy_options=["acceptinvchars"])
    assert len(ids(orders)) == 120
    told = log()
    assert "replaced characters in at least 100 rows:" in told
    assert "a.json line 5, column customer\n  … and 95 more" in told


def test_a_load_without_replacements_does_not_warn(orders, source, conn_id, log):
    source.put("orders/a.json", bad_order(1))
    stage_orders(source, conn_id, copy_options=["ACCEPTINVCHARS"])
    assert "replaced" in log()
    put_orders(source, "orders/a.json", order(1, customer="adé"))
    stage_orders(source, conn_id, copy_options=["ACCEPTINVCHARS"])
    assert "COPY's" not in log()


def test_replacements_are_told_beside_tolerated_rows(orders, source, conn_id, log):
    source.put("orders/a.json", bad_order('"two"') + bad_order(3))
    stage_orders(source, conn_id, copy_options=["ACCEPTINVCHARS"], max_errors=1)
    assert ids(orders) == [3]
    told = log()
    assert "1 rows are not staged" in told
    assert "replaced characters in 1 rows:" in told
    assert "a.json line 2, column customer" in told


def test_a_files_name_steers_nobodys_terminal(orders, source, conn_id, log):
    source.put("orders/\u202egnp.json", bad_order(1))
    stage_orders(source, conn_id, copy_options=["ACCEPTINVCHARS"])
    assert r"orders/\u202egnp.json line 1" in log()


@pytest.mark.parametrize("option", ["TRUNCATECOLUMNS", "ACCEPTANYDATE"])
def test_a_change_that_redshift_does_not_log_is_named(orders, source, conn_id, log, option):
    put_orders(source, "orders/a.json", order(1))
    stage_orders(source, conn_id, copy_options=[option, "ACCEPTINVCHARS"])
    assert f"by COPY's {option}: Redshift does not say how many" in log()
