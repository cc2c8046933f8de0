"""Locks: writers of a table wait for each other, LOCK for everybody, and readers for LOCK alone."""

import psycopg
import pytest
import redshift_connector

from tests.sandbox.redshift.copying import AS_JSON
from tests.sandbox.redshift.endpoint_clients import (
    Client,
    connect_psycopg,
    connect_redshift,
    in_background,
    wait_until,
    waiting,
)

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

PASSWORD = "Aa0writer"
MERGE = (
    "MERGE INTO locked USING more ON locked.a = more.a "
    "WHEN MATCHED THEN UPDATE SET b = more.b WHEN NOT MATCHED THEN INSERT VALUES (more.a, more.b)"
)
WRITES = {
    "insert": "INSERT INTO locked VALUES (7, 0)",
    "update": "UPDATE locked SET b = b + 10 WHERE a = 1",
    "delete": "DELETE FROM locked WHERE a = 2",
    "merge": MERGE,
    "copy": "",  # COPY's source is the test's
}


@pytest.fixture
def table(sandbox):
    """Tables locked (a INT, b INT) with the rows (1, 1) and (2, 2), and more, like it."""
    with connect_psycopg(sandbox) as connection:
        connection.execute("DROP TABLE IF EXISTS locked, more")
        connection.execute("CREATE TABLE locked (a INT, b INT)")
        connection.execute("CREATE TABLE more (a INT, b INT)")
        connection.execute("INSERT INTO locked VALUES (1, 1), (2, 2)")
        connection.execute("INSERT INTO more VALUES (3, 3)")
        yield "locked"
        connection.execute("DROP TABLE locked, more")


@pytest.fixture(params=["redshift_connector", "psycopg", "psycopg, extended"])
def clients(sandbox, table, request):
    """Make connections, in transactions unless told otherwise; they end before the tables are dropped."""
    connections = []

    def make(*, autocommit=False):
        if request.param == "redshift_connector":
            connection = connect_redshift(sandbox)
        else:
            connection = connect_psycopg(sandbox)
            if "extended" in request.param:
                connection.prepare_threshold = 0
        connection.autocommit = autocommit
        connections.append(connection)
        return Client(connection)

    yield make
    for connection in connections:
        connection.close()


@pytest.fixture
def write(put):
    """A writing statement of a kind."""
    source = put(x='{"a": 8, "b": 8}\n')
    copy = f"COPY locked FROM '{source}x' {AS_JSON}"
    return lambda kind: WRITES[kind] or copy


def outcome(client, sql):
    """What became of a statement: ok, or its error."""
    try:
        client.run(sql)
    except (redshift_connector.Error, psycopg.Error) as error:
        fields = error.args[0] if isinstance(error, redshift_connector.Error) else {"C": error.sqlstate}
        return fields["C"]
    return "ok"


@pytest.mark.parametrize("second_kind", WRITES)
@pytest.mark.parametrize("first_kind", WRITES)
def test_the_second_writer_waits_for_the_end_of_the_first_ones_transaction(
    sandbox, clients, write, first_kind, second_kind
):
    first, second = clients(), clients()
    first.run(write(first_kind))
    waits = in_background(lambda: outcome(second, write(second_kind)))
    wait_until(lambda: waiting(sandbox))
    assert clients(autocommit=True).run("SELECT a, b FROM locked ORDER BY a") == [(1, 1), (2, 2)]
    first.connection.commit()
    assert waits() == "ok"
    second.connection.commit()


@pytest.mark.parametrize("autocommit", [False, True])
def test_an_update_that_has_waited_sees_what_it_has_waited_for(sandbox, clients, autocommit):
    first, second = clients(), clients(autocommit=autocommit)
    first.run("UPDATE locked SET b = b + 1")
    first.run("INSERT INTO locked VALUES (3, 3)")
    waits = in_background(lambda: outcome(second, "UPDATE locked SET b = b * 2"))
    wait_until(lambda: waiting(sandbox))
    first.connection.commit()
    assert waits() == "ok"
    assert second.run("SELECT b FROM locked ORDER BY a") == [(4,), (6,), (6,)]


def test_a_statement_prepared_before_sees_what_it_has_waited_for(sandbox, table):
    with connect_psycopg(sandbox) as first, connect_psycopg(sandbox) as second:
        update = "UPDATE locked SET b = b + %s"
        second.execute(update, [0], prepare=True)
        for begin in ("BEGIN", "SELECT 1"):  # in a transaction block, and outside
            second.execute(begin)
            first.execute("BEGIN")
            first.execute("UPDATE locked SET b = b + 1")
            waits = in_background(lambda: second.execute(update, [1], prepare=True).statusmessage)
            wait_until(lambda: waiting(sandbox))
            first.execute("COMMIT")
            assert waits() == "UPDATE 2"
            if begin == "BEGIN":
                second.execute("COMMIT")
        assert second.execute("SELECT SUM(b) FROM locked").fetchone() == (11,)


def test_an_update_behind_an_older_snapshot_gets_1023_for_the_same_row_only(clients):
    first, second = clients(), clients()
    second.run("SELECT 1 FROM locked")
    first.run("UPDATE locked SET b = 5 WHERE a = 1")
    first.connection.commit()
    second.run("UPDATE locked SET b = 6 WHERE a = 2")
    assert second.fail("UPDATE locked SET b = 6 WHERE a = 1") == ("XX000", "1023")


def test_snapshot_isolation_lets_two_updates_of_different_rows_commit(clients):
    """Database Developer Guide, "Isolation levels in Amazon Redshift", the example of SNAPSHOT."""
    first, second = clients(), clients()
    digits = "SELECT b FROM locked ORDER BY a"
    first.run("UPDATE locked SET b = a - 1")
    first.connection.commit()
    assert first.run(digits) == second.run(digits) == [(0,), (1,)]
    first.run("UPDATE locked SET b = 0 WHERE b = 1")
    assert first.run(digits) == [(0,), (0,)]
    first.connection.commit()
    second.run("UPDATE locked SET b = 1 WHERE b = 0")
    assert second.run(digits) == [(1,), (1,)]
    second.connection.commit()
    assert first.run(digits) == second.run(digits) == [(1,), (0,)]


def test_inserts_run_side_by_side_until_they_write(sandbox, clients):
    """The same guide's "Concurrent COPY operations into the same table with snapshot isolation"."""
    first, second = clients(), clients()
    first.run("INSERT INTO locked VALUES (3, 3)")
    waits = in_background(lambda: outcome(second, "INSERT INTO locked SELECT 9, COUNT(*) FROM locked"))
    wait_until(lambda: waiting(sandbox))
    first.connection.commit()
    assert waits() == "ok"
    assert second.run("SELECT b FROM locked WHERE a = 9") == [(2,)]


def test_a_copy_that_waits_for_a_delete_counts_what_that_has_loaded(sandbox, clients, write):
    """The same guide's "Concurrent transactions with a mixture of read and write operations"."""
    first, second = clients(), clients()
    first.run("DELETE FROM locked WHERE a = 1")
    first.run(write("copy"))
    waits = in_background(lambda: outcome(second, write("copy")))
    wait_until(lambda: waiting(sandbox))
    assert first.run("SELECT COUNT(*) FROM locked") == [(2,)]
    first.connection.commit()
    assert waits() == "ok"
    assert second.run("SELECT COUNT(*) FROM locked") == [(3,)]


def test_an_insert_followed_by_an_update_may_deadlock_with_another_insert(sandbox, clients):
    """The same guide's "Potential deadlock situation … involving a single table"."""
    first, second = clients(), clients()
    first.run(WRITES["insert"])
    waits = in_background(lambda: outcome(second, WRITES["insert"]))
    wait_until(lambda: waiting(sandbox))
    ends = outcome(first, WRITES["update"])
    first.connection.rollback()
    assert sorted([waits(), ends]) == ["40P01", "ok"]


def test_writers_of_two_tables_in_another_order_deadlock(sandbox, clients):
    first, second = clients(), clients()
    first.run(WRITES["update"])
    second.run("DELETE FROM more")
    waits = in_background(lambda: outcome(first, "DELETE FROM more"))
    wait_until(lambda: waiting(sandbox))
    ends = outcome(second, "DELETE FROM locked")
    second.connection.rollback()
    assert sorted([waits(), ends]) == ["40P01", "ok"]


@pytest.mark.parametrize("kind", WRITES)
def test_a_reader_in_its_transaction_stalls_no_writer_and_no_writer_stalls_it(clients, write, kind):
    reader, writer = clients(), clients()
    rows = "SELECT a FROM locked ORDER BY a"
    assert reader.run(rows) == [(1,), (2,)]
    writer.run(write(kind))
    assert reader.run(rows) == [(1,), (2,)]
    writer.connection.commit()
    assert reader.run(rows) == [(1,), (2,)]


def test_lock_waits_for_a_reader_and_new_readers_wait_behind_it(sandbox, clients):
    reader, locker, late = clients(), clients(), clients()
    reader.run("SELECT 1 FROM locked")
    locks = in_background(lambda: outcome(locker, "LOCK locked"))
    wait_until(lambda: waiting(sandbox))
    reads = in_background(lambda: late.run("SELECT COUNT(*) FROM locked"))
    wait_until(lambda: waiting(sandbox, 2))
    reader.connection.commit()
    assert locks() == "ok"
    locker.run("INSERT INTO locked VALUES (3, 3)")
    locker.connection.commit()
    assert reads() == [(2,)] or reads() == [(3,)]  # its snapshot may be older than the commit


@pytest.mark.parametrize("kind", WRITES)
def test_lock_waits_for_a_writer_and_a_writer_for_lock(sandbox, clients, write, kind):
    first, second = clients(), clients()
    first.run("LOCK locked")
    waits = in_background(lambda: outcome(second, write(kind)))
    wait_until(lambda: waiting(sandbox))
    first.connection.commit()
    assert waits() == "ok"
    waits = in_background(lambda: outcome(first, "LOCK TABLE locked"))
    wait_until(lambda: waiting(sandbox))
    second.connection.commit()
    assert waits() == "ok"


def test_loads_that_lock_a_companion_table_follow_one_another_and_no_reader_notices(sandbox, clients):
    reader, first, second = clients(), clients(), clients()
    rows = "SELECT COUNT(*), MAX(b) FROM locked"
    assert reader.run(rows) == [(2, 2)]
    replace = "INSERT INTO locked SELECT 9, MAX(b) + 1 FROM locked"
    first.run("LOCK more")
    first.run("DELETE FROM locked WHERE a = 1")
    first.run(replace)
    waits = in_background(lambda: outcome(second, "LOCK more"))
    wait_until(lambda: waiting(sandbox))
    assert reader.run(rows) == clients().run(rows) == [(2, 2)]
    first.connection.commit()
    assert waits() == "ok"
    second.run(replace)
    second.connection.commit()
    assert reader.run(rows) == [(2, 2)]
    assert clients().run(rows) == [(3, 4)]


def test_a_writer_that_does_not_lock_the_companion_table_costs_the_load_a_1023(clients):
    load, outsider = clients(), clients(autocommit=True)
    load.run("LOCK more")
    load.run("SELECT COUNT(*) FROM locked")
    outsider.run("UPDATE locked SET b = 7 WHERE a = 1")
    assert load.fail("DELETE FROM locked") == ("XX000", "1023")


def test_temp_tables_of_one_name_are_not_one_table(clients):
    first, second = clients(), clients()
    for client in (first, second):
        client.run("CREATE TEMP TABLE locked (a INT)")
        client.run("INSERT INTO locked VALUES (1)")
        client.run("UPDATE locked SET a = 2")
    assert first.run("SELECT a FROM locked") == second.run("SELECT a FROM locked") == [(2,)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("INSERT INTO nowhere VALUES (1)", "42P01"),
        ("UPDATE nowhere SET a = 1", "42P01"),
        ("WITH one AS (SELECT 1 AS a) DELETE FROM nowhere USING one", "42P01"),
        ("DELETE FROM no_schema.nowhere", "3F000"),
        ("UPDATE locked SETT a = 1", "42601"),
        ("INSERT", "42601"),
    ],
)
def test_a_write_that_fails_has_its_own_error(clients, sql, error):
    for autocommit in (False, True):
        assert clients(autocommit=autocommit).fail(sql)[0] == error


def test_common_tables_in_front_do_not_hide_what_is_written(sandbox, clients):
    first, second = clients(), clients()
    first.run("WITH one AS (SELECT 1 AS a) UPDATE locked SET b = 9 FROM one WHERE locked.a = one.a")
    waits = in_background(lambda: outcome(second, WRITES["delete"]))
    wait_until(lambda: waiting(sandbox))
    first.connection.rollback()
    assert waits() == "ok"


def test_who_may_insert_only_may_insert(sandbox, table):
    with connect_psycopg(sandbox) as owner:
        owner.execute(f"CREATE USER writer PASSWORD '{PASSWORD}'")
        owner.execute("GRANT INSERT ON locked TO writer")
        try:
            with connect_psycopg(sandbox, user="writer", password=PASSWORD) as writer:
                writer.execute("BEGIN")
                writer.execute("INSERT INTO locked VALUES (%s, %s)", [3, 3])
                waits = in_background(lambda: outcome(Client(owner), WRITES["insert"]))
                wait_until(lambda: waiting(sandbox))
                writer.execute("COMMIT")
                assert waits() == "ok"
                for denied in ("UPDATE locked SET a = 1", "DELETE FROM locked"):
                    assert Client(writer).fail(denied)[0] == "42501"
        finally:
            owner.execute("REVOKE ALL ON locked FROM writer")
            owner.execute("DROP USER writer")


def test_messages_sent_ahead_of_their_answers_are_in_the_transaction_they_begin(sandbox, table):
    with connect_psycopg(sandbox) as client, connect_psycopg(sandbox) as other:
        with client.pipeline():
            client.execute("BEGIN")
            client.execute("UPDATE locked SET b = %s", [5])
            client.execute("INSERT INTO locked VALUES (%s, 5)", [5])
        waits = in_background(lambda: outcome(Client(other), WRITES["delete"]))
        wait_until(lambda: waiting(sandbox))
        client.execute("ROLLBACK")
        assert waits() == "ok"
        with client.pipeline():
            client.execute("UPDATE locked SET b = %s", [5])
            client.execute("DELETE FROM locked WHERE a = %s", [1])
            client.execute("INSERT INTO locked VALUES (%s, 5)", [5])
        assert client.execute("SELECT a, b FROM locked").fetchall() == [(5, 5)]
        with client.pipeline():
            for end in ("ROLLBACK", "COMMIT"):
                client.execute("BEGIN")
                client.execute("UPDATE locked SET b = b + %s", [1])
                client.execute(end)
            client.execute("BEGIN")
            client.execute("UPDATE locked SET b = b + %s", [1])
        waits = in_background(lambda: outcome(Client(other), WRITES["delete"]))
        wait_until(lambda: waiting(sandbox))
        client.execute("ROLLBACK")
        assert waits() == "ok"
        assert client.execute("SELECT b FROM locked").fetchall() == [(6,)]
        assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_each_of_several_statements_in_one_message_has_its_own_answer(sandbox, table):
    with connect_psycopg(sandbox) as connection:
        cursor = connection.execute(f"{WRITES['insert']}; {WRITES['update']}; {WRITES['delete']}; SELECT 1")
        statuses = [cursor.statusmessage]
        while cursor.nextset():
            statuses.append(cursor.statusmessage)
        assert statuses == ["INSERT 0 1", "UPDATE 1", "DELETE 1", "SELECT 1"]


def test_who_waits_to_write_is_seen_in_svv_transactions(sandbox, clients):
    first, second, watcher = clients(), clients(), clients()
    first.run(WRITES["insert"])
    waits = in_background(lambda: outcome(second, WRITES["insert"]))
    wait_until(lambda: waiting(sandbox))
    locks = watcher.run(
        "SELECT granted FROM svv_transactions WHERE lock_mode = 'ShareRowExclusiveLock' "
        "AND lockable_object_type = 'relation' AND relation = "
        "(SELECT id FROM stv_tbl_perm WHERE name = 'locked') ORDER BY 1"
    )
    assert locks == [(False,), (True,)]
    first.connection.commit()
    assert waits() == "ok"
