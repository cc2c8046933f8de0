"""Transactions: snapshots, locks, conflicts, TRUNCATE, several statements in one message."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Barrier

import psycopg
import pytest
import redshift_connector

from tests.sandbox.redshift.endpoint_clients import (
    Client,
    admin_rows,
    connect_psycopg,
    connect_redshift,
    in_background,
    says,
    wait_until,
    waiting,
)


@pytest.fixture
def table(sandbox):
    """The name of a table (a INT) with the rows 1 and 2."""
    with connect_psycopg(sandbox) as connection:
        connection.execute("DROP TABLE IF EXISTS shared")
        connection.execute("CREATE TABLE shared (a INT)")
        connection.execute("INSERT INTO shared VALUES (1), (2)")
        yield "shared"
        connection.execute("DROP TABLE shared")


@pytest.fixture(params=["redshift_connector", "psycopg"])
def clients(sandbox, table, request):
    """Make connections without autocommit: the extended protocol, and with psycopg the simple one.

    They close before the table is dropped.
    """
    connections = []

    def make():
        if request.param == "psycopg":
            connections.append(connect_psycopg(sandbox))
            connections[-1].autocommit = False
        else:
            connections.append(connect_redshift(sandbox))
        return Client(connections[-1])

    yield make
    for connection in connections:
        connection.close()


def test_a_transaction_reads_one_snapshot(clients):
    reader, writer = clients(), clients()
    assert reader.run("SELECT count(*) FROM shared") == [(2,)]
    writer.run("INSERT INTO shared VALUES (3)")
    writer.connection.commit()
    assert reader.run("SELECT count(*) FROM shared") == [(2,)]
    reader.connection.commit()
    assert reader.run("SELECT count(*) FROM shared") == [(3,)]


def test_lock_takes_no_snapshot(sandbox, clients):
    first, second = clients(), clients()
    first.run("LOCK shared")
    second_locked = in_background(lambda: second.run("LOCK TABLE shared"))
    wait_until(lambda: waiting(sandbox))
    first.run("INSERT INTO shared VALUES (3)")
    first.connection.commit()
    second_locked()
    assert second.run("SELECT count(*) FROM shared") == [(3,)]


def test_two_writers_of_the_same_rows_get_1023(sandbox, clients):
    first, second = clients(), clients()
    first.run("DELETE FROM shared")
    second.run("SELECT 1 FROM shared")
    failed = in_background(lambda: second.fail("DELETE FROM shared"))
    wait_until(lambda: waiting(sandbox))
    first.connection.commit()
    assert failed() == ("XX000", "1023")


def test_serialization_failure_has_redshifts_detail(sandbox, table):
    with connect_psycopg(sandbox) as first, connect_psycopg(sandbox) as second:
        second.execute("BEGIN")
        second.execute("SELECT 1 FROM shared")
        first.execute("UPDATE shared SET a = a + 1")
        with pytest.raises(psycopg.errors.InternalError_) as failure:
            second.execute("UPDATE shared SET a = a + 1")
    assert "Serializable isolation violation on table" in failure.value.diag.message_detail


def outcome(client, lock):
    """What became of a LOCK."""
    try:
        client.run(lock)
    except redshift_connector.Error as error:
        return f"{error.args[0]['C']} {error.args[0]['M']}"
    except psycopg.Error as error:
        return f"{error.sqlstate} {error.diag.message_primary}"
    return "locked"


def test_deadlock_is_called_so(sandbox, clients):
    first, second = clients(), clients()
    second.run("CREATE TABLE other (a INT)")
    second.connection.commit()
    try:
        first.run("LOCK shared")
        second.run("LOCK other")
        waits = in_background(lambda: outcome(first, "LOCK other"))
        wait_until(lambda: waiting(sandbox))
        ends = outcome(second, "LOCK shared")
        second.connection.rollback()
        assert sorted([waits(), ends]) == ["40P01 deadlock detected", "locked"]  # PostgreSQL picks one
    finally:
        first.connection.rollback()
        second.run("DROP TABLE other")
        second.connection.commit()


def test_truncate_commits_what_came_before_it(clients):
    client = clients()
    client.run("CREATE TABLE before_truncate (a INT)")
    client.run("TRUNCATE shared")
    client.connection.rollback()
    assert client.run("SELECT count(*) FROM shared") == [(0,)]
    assert client.run("SELECT count(*) FROM before_truncate") == [(0,)]
    client.run("DROP TABLE before_truncate")
    client.connection.commit()


def test_truncate_leaves_the_session_outside_a_transaction(sandbox, table):
    with connect_psycopg(sandbox) as connection:
        connection.execute("BEGIN")
        connection.execute("TRUNCATE TABLE shared", prepare=True)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.execute("TRUNCATE shared").statusmessage == "TRUNCATE TABLE"


def test_truncate_of_a_missing_table_fails_the_transaction(clients):
    client = clients()
    client.run("DELETE FROM shared")
    assert client.fail("TRUNCATE no_such_table")[0] == "42P01"
    client.connection.rollback()
    assert client.run("SELECT count(*) FROM shared") == [(2,)]


def test_create_table_rolls_back_with_all_it_declares(sandbox, clients):
    client = clients()
    before = admin_rows(sandbox, "SELECT count(*) FROM pg_internal.table_attributes")
    client.run("CREATE TABLE undone (a INT PRIMARY KEY DISTKEY, b DATE SORTKEY)")
    client.connection.rollback()
    assert client.fail("SELECT 1 FROM undone")[0] == "42P01"
    assert admin_rows(sandbox, "SELECT count(*) FROM pg_internal.table_attributes") == before


def test_two_sessions_that_create_the_same_table_get_1023(sandbox, clients):
    first, second = clients(), clients()
    create = "CREATE TABLE IF NOT EXISTS made_twice (a INT PRIMARY KEY, b DATE SORTKEY)"
    first.run(create)
    failed = in_background(lambda: second.fail(create))
    wait_until(lambda: waiting(sandbox))
    first.connection.commit()
    assert failed() == ("XX000", "1023")
    second.connection.rollback()
    second.run(create)
    second.run("DROP TABLE made_twice")
    second.connection.commit()


@pytest.mark.parametrize("kind", ["TABLE", "SCHEMA"])
def test_of_sessions_that_make_the_same_at_once_none_hears_but_1023(sandbox, clients, kind):
    columns = " (a INT)" if kind == "TABLE" else ""
    sessions = [clients() for _ in range(4)]
    together = Barrier(len(sessions))

    def make(session, number):
        together.wait(timeout=60)
        try:
            session.run(f"CREATE {kind} IF NOT EXISTS made_{number}{columns}")
            session.connection.commit()
        except (redshift_connector.Error, psycopg.Error) as error:
            session.connection.rollback()
            return says(error)
        return None

    with ThreadPoolExecutor(len(sessions)) as pool:
        for number in range(100):
            heard = set(pool.map(partial(make, number=number), sessions))
            assert None in heard
            assert heard <= {None, ("XX000", "1023")}
            sessions[0].run(f"DROP {kind} made_{number}")
            sessions[0].connection.commit()


def test_isolation_levels_are_accepted_and_change_nothing(sandbox):
    with connect_psycopg(sandbox) as connection:
        for statement in (
            "BEGIN ISOLATION LEVEL READ COMMITTED",
            "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE",
            "BEGIN TRANSACTION READ WRITE, ISOLATION LEVEL READ UNCOMMITTED",
        ):
            connection.execute(statement)
            assert connection.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)
            connection.execute("ROLLBACK")
        connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
        assert connection.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)


def test_a_refusal_fails_the_transaction_and_a_rollback_mends_it(clients):
    client = clients()
    client.run("DELETE FROM shared")
    assert client.fail("INSERT INTO shared VALUES (1) RETURNING a")[0] == "42601"
    assert client.fail("SELECT 1")[0] == "25P02"
    client.connection.rollback()
    assert client.run("SELECT count(*) FROM shared") == [(2,)]


def test_several_statements_in_one_message_are_one_transaction(sandbox, table):
    with connect_psycopg(sandbox) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("DELETE FROM shared; SELECT 1 / 0")
        assert connection.execute("SELECT count(*) FROM shared").fetchone() == (2,)
        cursor = connection.execute("DELETE FROM shared; SELECT nvl(NULL, 5); CREATE TABLE x (a INT SORTKEY)")
        statuses = [cursor.statusmessage]
        while cursor.nextset():
            statuses.append(cursor.statusmessage)
        assert statuses == ["DELETE 2", "SELECT 1", "CREATE TABLE"]
        connection.execute("DROP TABLE x")


def test_a_copy_among_several_statements_is_in_their_transaction(sandbox, s3, table):
    s3.create_bucket(Bucket="endpoint-tests")
    s3.put_object(Bucket="endpoint-tests", Key="a.json", Body=b'{"a": 7}\n{"a": 8}\n')
    copy = "COPY shared FROM 's3://endpoint-tests/a.json' IAM_ROLE default FORMAT JSON 'auto'"
    with connect_psycopg(sandbox) as connection:
        cursor = connection.execute(f"DELETE FROM shared; {copy}; SELECT count(*) FROM shared")
        statuses = [cursor.statusmessage]
        while cursor.nextset():
            statuses.append(cursor.statusmessage)
        assert statuses == ["DELETE 2", "COPY", "SELECT 1"]
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute(f"{copy}; SELECT 1 / 0")
        with pytest.raises(psycopg.errors.InternalError_, match="nonexistent table missing"):
            connection.execute(f"DELETE FROM shared; {copy.replace('COPY shared', 'COPY missing')}")
        assert connection.execute("SELECT count(*) FROM shared").fetchone() == (2,)
        connection.execute(f"BEGIN; {copy}; ROLLBACK")
        assert connection.execute("SELECT count(*) FROM shared").fetchone() == (2,)


def test_several_statements_cannot_be_prepared(sandbox):
    with closing(connect_redshift(sandbox)) as connection:
        client = Client(connection)
        code, message = client.fail("SELECT nvl(1, 2); SELECT 2")
        assert (code, message) == ("42601", "cannot insert multiple commands into a prepared statement")


def test_copy_in_a_failed_transaction_is_refused_like_any_statement(clients):
    client = clients()
    client.fail("SELECT 1 / 0")
    copy = "COPY shared FROM 's3://endpoint-tests/a.json' IAM_ROLE default FORMAT JSON 'auto'"
    assert client.fail(copy)[0] == "25P02"
    client.connection.rollback()
    assert client.run("SELECT count(*) FROM shared") == [(2,)]
