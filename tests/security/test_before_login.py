"""Without a password nobody takes the endpoint's time, its memory or its connections from the others."""

import asyncio
import resource
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redshift_connector

from sandbox.airflow import airflow
from sandbox.parts.postgres import LOAD_LOGS, LOGINS_AT_ONCE, PORT, WAREHOUSE_SESSIONS, admin_dsn, connect_log
from sandbox.parts.settings import Settings
from sandbox.redshift.relay import entrance, messages
from sandbox.redshift.relay.server import Server
from tests.conftest import free_port
from tests.sandbox.redshift.endpoint_clients import (
    Client,
    connect_psycopg,
    connect_redshift,
    endpoint,
    wait_until,
)
from tests.security import raw

SSL_REQUEST = struct.pack("!ii", 8, messages.SSL_REQUEST)
ADDITIONS = b"SELECT " + b"1+(" * 325_000
# What a client has said when it falls silent.
STAGES: dict[str, Callable[[Settings], bytes]] = {
    "nothing": lambda _: b"",
    "half a startup message": lambda settings: raw.startup(settings)[:20],
    "ssl request": lambda _: SSL_REQUEST,
    "half a handshake": lambda _: SSL_REQUEST + b"\x16\x03\x01\x02\x00\x01",
    "startup message": raw.startup,
    "half a password": lambda settings: raw.startup(settings) + b"p\0\0\0\x50SCRAM",
}


def login_seconds(settings: Settings) -> float:
    """How long a login and a query take."""
    before = time.monotonic()
    with connect_psycopg(settings, connect_timeout=5) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    return time.monotonic() - before


def flood(connection: raw.Raw, megabytes: int) -> None:
    """Send until the other side has had enough."""
    for _ in range(megabytes):
        if not connection.send(bytes(1_000_000)):
            return


@pytest.mark.parametrize("kind", ["Q", "P", "X1", "\0"])
def test_nothing_but_a_password_is_taken_before_the_login(sandbox: Settings, kind: str) -> None:
    with raw.visit(sandbox, raw.startup(sandbox)) as client:
        assert client.message() is not None  # asks for the password
        client.send(messages.message(kind[0], b"SELECT 1\0"))
        expected = [] if kind[0] == "X" else [("FATAL", "08P01")]
        assert raw.errors(client.rest()) == expected


def test_a_statement_that_is_sent_before_the_login_holds_nobody_up(sandbox: Settings) -> None:
    with raw.visit(sandbox, raw.startup(sandbox)) as client:
        client.send(messages.query(ADDITIONS))
        seconds = login_seconds(sandbox)
        print(f"976 KB before the login: the next login takes {seconds:.2f} s (5.7 s before)")  # noqa: T201
        # The reset that answers unread bytes may be faster than the error.
        assert raw.errors(client.rest()) in ([], [("FATAL", "08P01")])


def test_a_long_message_before_the_login_takes_no_memory(sandbox: Settings) -> None:
    before = raw.megabytes(sandbox)
    with ExitStack() as stack:
        clients = [stack.enter_context(raw.visit(sandbox, raw.startup(sandbox))) for _ in range(4)]
        for client, kind in zip(clients, "QpPB", strict=True):
            client.send(messages.header(kind, 200_000_000))
            flood(client, 200)
        login_seconds(sandbox)
        grown = raw.megabytes(sandbox) - before
    print(f"four messages of 200 MB before the login: {grown:.0f} MB (194 MB for one before)")  # noqa: T201
    assert grown < 32


def test_passwords_are_not_longer_than_64_kb_in_sum(sandbox: Settings) -> None:
    with raw.visit(sandbox, raw.startup(sandbox)) as client:
        assert client.message() is not None
        client.send(messages.message("p", bytes(66_000)))
        assert raw.errors(client.rest()) == [("FATAL", "08P01")]


@pytest.mark.parametrize("stage", STAGES)
def test_silent_connections_keep_nobody_out(sandbox: Settings, stage: str) -> None:
    before = raw.megabytes(sandbox)
    with raw.crowd(sandbox, 200, STAGES[stage](sandbox)):
        seconds = login_seconds(sandbox)
        with closing(connect_redshift(sandbox, ssl=True, sslmode="require")) as connection:
            assert Client(connection).run("SELECT 1") == [(1,)]
        print(f"200 connections after {stage}: the next login takes {seconds:.2f} s")  # noqa: T201
        assert raw.process(sandbox).num_fds() < 4 * LOGINS_AT_ONCE
        assert raw.megabytes(sandbox) - before < 32


def test_a_thousand_silent_connections_keep_nobody_out(sandbox: Settings) -> None:
    with raw.crowd(sandbox, 1_000):
        print(f"1,000 connections: the next login takes {login_seconds(sandbox):.2f} s")  # noqa: T201


def test_those_who_are_turned_away_are_told_and_fill_no_log(sandbox: Settings) -> None:
    before = len(raw.log(sandbox).splitlines())
    with raw.crowd(sandbox, 200, raw.startup(sandbox)) as clients:
        assert raw.errors(clients[0].rest()) == [("FATAL", "53300")]
    lines = raw.log(sandbox).splitlines()[before:]
    assert len(lines) < 10
    assert "Traceback" not in raw.log(sandbox)


@pytest.fixture
def hurried(sandbox: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An endpoint that gives its clients half a second to log in."""
    monkeypatch.setattr(entrance, "LOGIN_SECONDS", 0.5)
    settings = replace(sandbox, redshift_port=free_port())
    loop = asyncio.new_event_loop()
    server = Server(settings)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield settings
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_who_does_not_log_in_in_time_is_disconnected(hurried: Settings) -> None:
    with ExitStack() as stack:
        clients = {
            stage: stack.enter_context(raw.visit(hurried, said(hurried))) for stage, said in STAGES.items()
        }
        session = stack.enter_context(raw.Session(hurried))  # has logged in: it may stay
        for stage in ("nothing", "half a startup message"):
            assert clients[stage].rest() == []
        for stage in ("startup message", "half a password"):
            assert raw.errors(clients[stage].rest()) == [("FATAL", "57014")]
        for stage in ("ssl request", "half a handshake"):
            assert clients[stage].socket.recv(100) in (b"S", b"")
            assert clients[stage].rest() == []
        time.sleep(0.1)
        session.send(messages.query(b"SELECT 1"))
        assert raw.shape(session.answer()) == "TDCZ"


def test_who_sends_byte_by_byte_has_no_more_time(hurried: Settings) -> None:
    begun = time.monotonic()
    with raw.visit(hurried) as client:
        for byte in raw.startup(hurried) * 20:
            if not client.send(bytes([byte])) or time.monotonic() > begun + 10:
                break
            time.sleep(0.05)
    assert time.monotonic() < begun + 10


@pytest.mark.long
def test_a_login_may_take_ten_seconds(sandbox: Settings) -> None:
    begun = time.monotonic()
    with raw.visit(sandbox, raw.startup(sandbox)) as client:
        assert raw.errors(client.rest()) == [("FATAL", "57014")]
    assert 9 < time.monotonic() - begun < 15


STARTUPS = {
    "no terminator": b"user\0x\0database\0x\0",
    "no value": b"user\0x\0database\0\0",
    "a name only": b"user\0\0",
    "empty": b"",
    "no parameters": b"\0",
    "no user": b"database\0x\0\0",
    "text after the end": b"user\0x\0\0database\0x\0\0",
    "not utf-8": b"user\0\xff\xfe\0database\0\xff\0\0",
    "many parameters": b"user\0x\0" + b"a\0b\0" * 2_000 + b"\0",
    "twice": b"user\0x\0user\0y\0database\0nothing\0\0",
}


@pytest.mark.parametrize("name", STARTUPS)
def test_a_broken_startup_message_ends_the_connection_and_nothing_else(sandbox: Settings, name: str) -> None:
    body = struct.pack("!i", messages.PROTOCOL_3) + STARTUPS[name]
    with raw.visit(sandbox, struct.pack("!i", len(body) + 4) + body) as client:
        answers = [client.message()]
    assert answers[0] is None or answers[0][0] in "ER"
    login_seconds(sandbox)
    assert "Traceback" not in raw.log(sandbox)


@pytest.mark.parametrize("name", ["no terminator", "a name only", "no user", "text after the end"])
def test_a_broken_startup_message_gets_postgresqls_error(sandbox: Settings, name: str) -> None:
    body = struct.pack("!i", messages.PROTOCOL_3) + STARTUPS[name]
    packet = struct.pack("!i", len(body) + 4) + body
    with raw.visit(sandbox, packet) as client, raw.visit_postgres(sandbox, packet) as direct:
        assert raw.errors(client.rest()) == raw.errors(direct.rest()) != []


@pytest.mark.parametrize("length", [-(2**31), -1, 0, 4, 7, 10_001, 2**31 - 1])
def test_a_startup_message_of_impossible_length_ends_the_connection(sandbox: Settings, length: int) -> None:
    with raw.visit(sandbox, struct.pack("!ii", length, messages.PROTOCOL_3) + bytes(100)) as client:
        assert client.rest() == []


@pytest.mark.parametrize("code", [messages.SSL_REQUEST, messages.GSSENC_REQUEST])
def test_encryption_is_offered_once(sandbox: Settings, code: int) -> None:
    offer = struct.pack("!ii", 8, messages.GSSENC_REQUEST)
    with raw.visit(sandbox, offer) as client:
        assert client.socket.recv(1) == b"N"
        client.send(offer)
        assert raw.errors(client.rest()) == [("FATAL", "0A000")]
    if code == messages.SSL_REQUEST:
        with raw.visit(sandbox, offer + raw.startup(sandbox)) as client:
            assert client.socket.recv(1) == b"N"
            client.send(struct.pack("!ii", 8, code))
            assert raw.errors(client.rest()) == [("FATAL", "08P01")]


@pytest.mark.parametrize("key", [b"", b"1234", b"12345678", bytes(100)], ids=len)
def test_a_cancel_request_with_another_key_does_nothing(sandbox: Settings, key: bytes) -> None:
    with raw.visit(sandbox, struct.pack("!ii", 8 + len(key), messages.CANCEL_REQUEST) + key) as client:
        assert client.rest() == []
    login_seconds(sandbox)


@pytest.mark.parametrize("replication", ["true", "database"])
def test_nobody_becomes_a_replica(sandbox: Settings, replication: str) -> None:
    with connect_psycopg(sandbox, replication=replication) as connection:
        kinds = connection.execute(
            "SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert kinds == ("client backend",)


def test_idle_sessions_take_only_the_warehouses_connections(sandbox: Settings) -> None:
    """Neither Airflow's metadata, nor the log of a COPY, nor who looks after PostgreSQL is kept out."""
    airflow._make_database(sandbox)
    password = airflow.secrets_of(sandbox).database_password
    with ExitStack() as stack:
        refused: list[psycopg.OperationalError] = []
        while not refused:
            try:
                stack.enter_context(connect_psycopg(sandbox))
            except psycopg.OperationalError as error:
                refused.append(error)
        assert f'connection limit "{WAREHOUSE_SESSIONS}" exceeded for non-bootstrap users' in str(refused[0])
        with pytest.raises(redshift_connector.Error, match="53300"):
            connect_redshift(sandbox)
        stack.enter_context(raw.crowd(sandbox, 200, raw.startup(sandbox)))
        for _ in range(60):
            stack.enter_context(
                psycopg.connect(
                    host=str(sandbox.socket_dir),
                    port=PORT,
                    user="airflow",
                    password=password,
                    dbname="airflow",
                )
            )
        for _ in range(LOAD_LOGS):
            stack.enter_context(connect_log(sandbox, sandbox.database))
        for _ in range(3):
            stack.enter_context(psycopg.connect(admin_dsn(sandbox)))


def test_no_other_user_connects_to_airflows_database(sandbox: Settings) -> None:
    airflow._make_database(sandbox)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(
            host=str(sandbox.socket_dir),
            port=PORT,
            user=sandbox.user,
            password=sandbox.password,
            dbname="airflow",
        )


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit and /proc are Linux's")
def test_an_endpoint_without_file_descriptors_recovers_by_itself(sandbox: Settings) -> None:
    settings = replace(sandbox, redshift_port=free_port())
    with endpoint(sandbox, settings.redshift_port) as process:
        process.stdout.readline()
        used = len(open_files(process))
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (used + 24, used + 24))
        with raw.crowd(settings, 60):
            wait_until(lambda: len(open_files(process)) == used + 24)
        login_seconds(settings)
        process.terminate()
        output, errors = process.communicate(timeout=10)
        assert output.count("out of system resource") in (1, 2)
        assert "Traceback" not in errors


def open_files(process: "subprocess.Popen[str]") -> list[int]:
    """The open file descriptors of a process."""
    return [int(path.name) for path in Path(f"/proc/{process.pid}/fd").iterdir()]
