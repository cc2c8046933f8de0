"""Publishing: what others read changes as a whole or not at all, and writers come one after the other."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import redshift_connector

from sparkify.failures import is_transient
from sparkify.warehouse.tries import run_load
from tests.sandbox.redshift.endpoint_clients import admin_rows, connect_redshift
from tests.sparkify.orders import ids

INSERT = "INSERT INTO orders (id) VALUES (%(id)s)"


def insert(session, *numbers):
    for number in numbers:
        session.execute(INSERT, {"id": number})


def break_connection(sandbox, session):
    assert admin_rows(sandbox, "SELECT pg_terminate_backend(%s)", session.scalar("SELECT pg_backend_pid()"))


def is_free(session):
    """Whether the table can be published at once."""
    session.rollback()
    session.execute("SET statement_timeout TO 2000")
    with session.publishing("orders") as publication:
        publication.withdraw()
    return True


def publish(session, *work):
    with session.publishing("orders"):
        for do in work:
            do()


def fail():
    raise ZeroDivisionError


def test_a_reader_that_comes_in_between_sees_all_of_what_is_published_or_nothing(orders, session):
    with ThreadPoolExecutor(1) as beside:
        with session.publishing("orders"):
            insert(session, 1)
            reader = beside.submit(ids, orders, "orders")
            insert(session, 2)
        assert reader.result() in ([], [1, 2])
    assert ids(orders, "orders") == [1, 2]


def test_an_error_inside_undoes_all_of_it_and_unlocks_the_table(orders, session, open_session):
    with pytest.raises(ZeroDivisionError):
        publish(session, lambda: insert(session, 1), fail)
    assert ids(orders, "orders") == []
    assert is_free(open_session())


def test_an_error_of_the_server_is_the_one_that_is_raised(orders, session, open_session):
    with pytest.raises(redshift_connector.Error, match="colour"):
        publish(session, lambda: insert(session, 1), lambda: session.execute("SELECT colour FROM orders"))
    assert ids(orders, "orders") == []
    assert is_free(open_session())


def test_what_is_withdrawn_is_undone_and_unlocks_the_table(orders, session, open_session):
    with session.publishing("orders") as publication:
        insert(session, 1)
        publication.withdraw()
    assert ids(orders, "orders") == []
    assert is_free(open_session())


def test_a_connection_that_dies_inside_leaves_everything_as_it_was(orders, session, open_session, sandbox):
    with pytest.raises(redshift_connector.Error) as caught:
        publish(
            session,
            lambda: insert(session, 1),
            lambda: break_connection(sandbox, session),
            lambda: insert(session, 2),
        )
    assert is_transient(caught.value), caught.value
    assert ids(orders, "orders") == []
    assert is_free(open_session())


def test_what_was_done_before_is_committed_before_the_lock_is_taken(orders, session):
    insert(session, 1)
    with pytest.raises(ZeroDivisionError):
        publish(session, lambda: insert(session, 2), fail)
    assert ids(orders, "orders") == [1]
    assert session.statements[1:3] == ["COMMIT", 'LOCK TABLE "ops"."lock_orders"']


def test_of_writers_at_once_each_sees_what_those_before_it_committed(orders, open_session):
    def add_next(session):
        session.scalar("SELECT COUNT(*) FROM orders")
        with session.publishing("orders"):
            insert(session, session.scalar("SELECT COUNT(*) FROM orders"))

    assert is_free(open_session())  # now the lock is there, too
    with ThreadPoolExecutor(4) as together:
        list(together.map(add_next, [open_session() for _ in range(4)]))
    assert ids(orders, "orders") == [0, 1, 2, 3]


def test_a_reader_idle_in_its_transaction_and_a_publication_do_not_wait_for_each_other(
    orders, session, open_session
):
    with session.publishing("orders"):
        insert(session, 1)
    reader, late = open_session(), open_session()
    late.execute("SET statement_timeout TO 2000")
    assert reader.scalar("SELECT COUNT(*) FROM orders") == 1
    with session.publishing("orders"):
        session.execute("DELETE FROM orders")
        insert(session, 2, 3)
        assert late.scalar("SELECT COUNT(*) FROM orders") == 1
    assert reader.scalar("SELECT COUNT(*) FROM orders") == 1
    assert ids(orders, "orders") == [2, 3]


@pytest.mark.parametrize("name", ["orders", "public.orders", "ORDERS", "Public.Orders"])
def test_a_table_has_one_lock_whatever_it_is_called(orders, session, open_session, name):
    other = open_session()
    other.execute("SET statement_timeout TO 200")
    with (
        session.publishing("orders"),
        pytest.raises(redshift_connector.Error, match="timeout"),
        other.publishing(name),
    ):
        pass
    assert is_free(other)


def test_the_first_writers_of_a_table_make_its_lock_together(orders, open_session, sandbox):
    def add(number):
        def load(session):
            with session.publishing("orders"):
                insert(session, number)

        run_load(
            lambda: connect_redshift(sandbox, user=sandbox.loader),
            load,
            what="Loading",
            log=open_session().log,
            journal=[],
        )

    orders.execute("DROP TABLE IF EXISTS ops.lock_orders")
    with ThreadPoolExecutor(4) as together:
        list(together.map(add, range(4)))
    assert ids(orders, "orders") == [0, 1, 2, 3]


@pytest.fixture
def pauses(monkeypatch):
    waited = []
    monkeypatch.setattr("sparkify.warehouse.tries.time", SimpleNamespace(sleep=waited.append))
    return waited


def test_a_load_whose_connection_dies_begins_anew_in_a_session_of_its_own(orders, session, sandbox, pauses):
    tried = []

    def load(session):
        tried.append(session)
        session.execute("CREATE TEMP TABLE mine (id INTEGER)")
        with session.publishing("orders"):
            insert(session, 1)
            if len(tried) == 1:
                break_connection(sandbox, session)
            insert(session, 2)

    journal = []
    run_load(
        lambda: connect_redshift(sandbox, user=sandbox.loader),
        load,
        what="Loading",
        log=session.log,
        journal=journal,
    )
    assert ids(orders, "orders") == [1, 2]
    assert (len(pauses), journal.count("COMMIT")) == (1, 2)


def test_what_no_retry_can_mend_is_not_tried_again(session, sandbox, pauses):
    with pytest.raises(redshift_connector.Error, match="colour"):
        run_load(
            lambda: connect_redshift(sandbox, user=sandbox.loader),
            lambda session: session.execute("SELECT colour FROM orders"),
            what="Loading",
            log=session.log,
            journal=[],
        )
    assert pauses == []


def test_rows_are_inserted_however_many_there_are(orders, session):
    session.insert_rows("orders", ("id", "customer"), [(n, None) for n in range(2500)])
    session.commit()
    assert ids(orders, "orders") == list(range(2500))
