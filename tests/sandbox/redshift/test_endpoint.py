"""Connecting, cancelling, disconnecting, starting and stopping."""

import dataclasses
import re
import signal
import socket
import struct
import threading
from contextlib import closing

import psutil
import psycopg
import psycopg2
import pytest
import redshift_connector
from psycopg import sql

from sandbox.redshift.relay import messages
from tests.conftest import free_port
from tests.sandbox.redshift.endpoint_clients import (
    Client,
    admin_rows,
    connect_psycopg,
    connect_redshift,
    endpoint,
    wait_until,
)

# Runs for minutes, and nothing but cancelling ends it.
ENDLESS = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"


def test_version_is_redshifts(sandbox, redshift):
    (version,) = Client(redshift).run("SELECT version()")[0]
    assert re.search(r"^PostgreSQL 8\.0\.2 .* Redshift 1\.0\.\d+$", version)
    with connect_psycopg(sandbox) as connection:
        assert connection.info.parameter_status("server_version") == "8.0.2"
        assert connection.execute("SHOW server_version").fetchone() == ("8.0.2",)


def test_clients_learn_at_the_start_what_redshift_tells(sandbox):
    with connect_psycopg(sandbox) as connection:
        status = connection.info.parameter_status
        assert (status("client_encoding"), connection.info.encoding) == ("UNICODE", "utf-8")
        assert status("standard_conforming_strings") is None
        assert status("padb_revision")
        assert re.fullmatch(r"1\.0\.\d+", status("padb_version"))
        assert status("show_discovery") == "4"
    for options in ({"client_encoding": "UTF8"}, {"options": "-c client_encoding=UTF8"}):
        with connect_psycopg(sandbox, **options) as connection:
            assert connection.info.parameter_status("client_encoding") == "UTF8"


@pytest.mark.parametrize("text", ["a\\'b", "\\", "'\\\\''; --", "ä\\n"])
def test_literals_that_drivers_write_keep_their_backslashes(sandbox, text):
    with connect_psycopg(sandbox) as connection:
        assert connection.execute(sql.SQL("SELECT {}").format(text)).fetchone() == (text,)
        assert psycopg.ClientCursor(connection).execute("SELECT %s", (text,)).fetchone() == (text,)
    login = {"user": sandbox.user, "password": sandbox.password, "dbname": sandbox.database}
    with closing(psycopg2.connect(host="127.0.0.1", port=sandbox.redshift_port, **login)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT %s", (text,))
        assert cursor.fetchone() == (text,)


def test_wrong_password_is_refused(sandbox):
    with pytest.raises(redshift_connector.InterfaceError, match="password authentication failed"):
        connect_redshift(sandbox, password="wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect_psycopg(sandbox, password="wrong")


def test_other_databases_are_refused(sandbox):
    for database in ("postgres", "template1", "dev"):
        with pytest.raises(psycopg.OperationalError, match=f'database "{database}" does not exist'):
            connect_psycopg(sandbox, dbname=database)


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_a_client_may_encrypt_and_need_not(sandbox, mode):
    with connect_psycopg(sandbox, sslmode=mode) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert connection.pgconn.ssl_in_use == (mode != "disable")


def test_the_certificate_is_trusted_by_those_who_have_the_environment(sandbox, monkeypatch):
    with closing(connect_redshift(sandbox, ssl=True, sslmode="verify-full")) as connection:
        assert Client(connection).run("SELECT 1") == [(1,)]
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    with pytest.raises(redshift_connector.InterfaceError, match="communication error"):
        connect_redshift(sandbox, ssl=True)


def test_a_large_answer_passes_encrypted(sandbox):
    with connect_psycopg(sandbox, sslmode="require") as connection:
        (text,) = connection.execute("SELECT repeat('x', 20000000)").fetchone()
        assert len(text) == 20_000_000
        assert connection.execute("SELECT len(%s)", [text]).fetchone() == (20_000_000,)


def test_bytes_before_the_handshake_are_not_believed(sandbox):
    startup = messages.startup({"user": sandbox.user, "database": sandbox.database})
    with socket.create_connection(("127.0.0.1", sandbox.redshift_port), timeout=10) as client:
        client.sendall(struct.pack("!ii", 8, messages.SSL_REQUEST) + startup)
        assert client.recv(1) == b"S"
        client.sendall(b"no handshake")
        assert client.recv(100)[:1] in (b"", b"\x15")  # closed, or a TLS alert


def test_parameters_postgresql_does_not_know_are_dropped(sandbox):
    startup = {"user": sandbox.user, "database": sandbox.database, "driver_version": "x", "plugin_name": "y"}
    with socket.create_connection(("127.0.0.1", sandbox.redshift_port)) as client:
        client.sendall(messages.startup(startup))
        assert client.recv(1) == b"R"  # asks for the password


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x08\0\x02\0\0", b"\x7f\xff\xff\xff" * 2]
)
def test_what_is_no_startup_message_ends_the_connection(sandbox, first):
    with socket.create_connection(("127.0.0.1", sandbox.redshift_port), timeout=10) as client:
        client.sendall(first)
        while client.recv(1000):
            pass


def test_only_this_machine_can_connect(sandbox):
    listening = [
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == sandbox.redshift_port
    ]
    assert listening == ["127.0.0.1"]


def test_a_statement_can_be_cancelled(sandbox):
    with connect_psycopg(sandbox) as connection:
        cancelled = threading.Timer(0.3, connection.cancel)
        cancelled.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(ENDLESS)
        cancelled.join()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_client_that_disappears_leaves_no_backend(sandbox):
    connection = connect_psycopg(sandbox)
    pid = connection.info.backend_pid
    connection.pgconn.send_query(ENDLESS.encode())
    connection.pgconn.flush()
    active = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
    wait_until(lambda: admin_rows(sandbox, active, pid) == [(1,)])
    socket.socket(fileno=connection.pgconn.socket).shutdown(socket.SHUT_RDWR)
    wait_until(lambda: admin_rows(sandbox, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid) == [])


def test_a_client_that_does_not_read_stops_the_query_and_fills_no_memory(sandbox):
    port = free_port()
    with endpoint(sandbox, port) as process:
        process.stdout.readline()
        connection = connect_psycopg(dataclasses.replace(sandbox, redshift_port=port))
        before = psutil.Process(process.pid).memory_info().rss
        connection.pgconn.send_query(b"SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")
        connection.pgconn.flush()
        waits = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
        wait_until(lambda: admin_rows(sandbox, waits, connection.info.backend_pid) == [("ClientWrite",)])
        assert psutil.Process(process.pid).memory_info().rss - before < 50_000_000


@pytest.mark.parametrize("size", [0, 1, 1000, 3_000_000, 30_000_000])
def test_messages_of_any_size_pass_both_ways(sandbox, redshift, size):
    text = "ä" * (size // 2)
    assert Client(redshift).run("SELECT %s::text", text) == [(text,)]
    with connect_psycopg(sandbox) as connection:
        assert connection.execute("SELECT %s::text, 1", [text]).fetchone() == (text, 1)


def test_a_pipeline_of_statements_is_answered_in_order(sandbox):
    with connect_psycopg(sandbox) as connection, connection.pipeline():
        cursors = [connection.execute("SELECT %s::int", [number]) for number in range(200)]
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(200))


def test_a_refusal_in_a_pipeline_fails_what_follows_it_up_to_the_sync(sandbox):
    with connect_psycopg(sandbox) as connection:
        connection.execute("CREATE TEMP TABLE t (a INT)")
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            pipeline(connection, "INSERT INTO t VALUES (1)", "SAVEPOINT a", "INSERT INTO t VALUES (2)")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def pipeline(connection, *statements):
    """Send the statements together."""
    with connection.pipeline():
        for statement in statements:
            connection.execute(statement)


def test_a_port_in_use_is_one_clear_line(sandbox):
    with endpoint(sandbox, sandbox.redshift_port) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == ""
    assert re.fullmatch(
        rf"The Redshift endpoint cannot listen on \S+:{sandbox.redshift_port}: .*SANDBOX_REDSHIFT_PORT.*\n",
        errors,
    )


def test_sigterm_ends_the_endpoint_and_its_backends(sandbox):
    port = free_port()
    with endpoint(sandbox, port) as process:
        assert process.stdout.readline() == f"Redshift endpoint ready on 127.0.0.1:{port}\n"
        connection = connect_psycopg(dataclasses.replace(sandbox, redshift_port=port))
        connection.pgconn.send_query(ENDLESS.encode())
        connection.pgconn.flush()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        gone = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        wait_until(lambda: admin_rows(sandbox, gone, connection.info.backend_pid) == [])
    with pytest.raises(psycopg.OperationalError):
        connect_psycopg(dataclasses.replace(sandbox, redshift_port=port))


@pytest.fixture(scope="module")
def stalled(sandbox):
    """Settings of an endpoint whose S3 accepts connections and never answers."""
    port = free_port()
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as s3,
        endpoint(sandbox, port, s3.getsockname()[1]) as process,
    ):
        process.stdout.readline()
        yield dataclasses.replace(sandbox, redshift_port=port)


COPY = "COPY stalled FROM 's3://nowhere/x' IAM_ROLE default FORMAT JSON 'auto'"


@pytest.fixture
def stalled_table(sandbox):
    """A table to COPY into."""
    with connect_psycopg(sandbox) as connection:
        connection.execute("CREATE TABLE stalled (a INT)")
        try:
            yield
        finally:
            connection.execute("DROP TABLE stalled")


def locks(settings):
    """How many sessions hold a lock on the table."""
    return admin_rows(
        settings,
        "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
        " WHERE relname = 'stalled'",
    )[0][0]


@pytest.mark.usefixtures("stalled_table")
def test_cancelling_a_copy_stops_its_wait_for_s3(sandbox, stalled):
    with connect_psycopg(stalled) as connection:
        threading.Timer(0.5, connection.cancel).start()
        with pytest.raises(psycopg.errors.QueryCanceled, match="user request"):
            connection.execute(COPY)
        assert connection.execute("SELECT count(*) FROM stalled").fetchone() == (0,)
    assert admin_rows(
        sandbox, "SELECT DISTINCT status FROM sys_load_history WHERE table_name LIKE 'stalled%%'"
    ) == [("aborted",)]


@pytest.mark.usefixtures("stalled_table")
def test_statement_timeout_stops_a_copys_wait_for_s3(stalled):
    with closing(connect_redshift(stalled)) as connection:
        client = Client(connection)
        client.run("SET statement_timeout TO 500")
        connection.commit()
        assert client.fail(COPY) == ("57014", "canceling statement due to statement timeout")


@pytest.mark.usefixtures("stalled_table")
def test_disconnecting_during_a_copy_rolls_it_back(sandbox, stalled):
    connection = connect_psycopg(stalled)
    connection.pgconn.send_query(COPY.encode())
    connection.pgconn.flush()
    wait_until(lambda: locks(sandbox) == 1)
    socket.socket(fileno=connection.pgconn.socket).shutdown(socket.SHUT_RDWR)
    wait_until(lambda: locks(sandbox) == 0)


def test_an_unexpected_message_does_not_end_other_sessions(sandbox, redshift):
    with socket.create_connection(("127.0.0.1", sandbox.redshift_port)) as client:
        client.sendall(messages.startup({"user": sandbox.user, "database": sandbox.database}))
        client.sendall(struct.pack("!ci", b"Q", 2))  # a length that cannot be
    assert Client(redshift).run("SELECT 1") == [(1,)]
