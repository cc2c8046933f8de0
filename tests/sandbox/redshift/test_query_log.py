"""The log of statements and sessions: what the system views tell of them, and to whom."""

import threading
import uuid
from contextlib import closing, contextmanager

import psycopg
import pytest

from tests.sandbox.redshift.copying import AS_JSON, admin_connection
from tests.sandbox.redshift.endpoint_clients import (
    Client,
    admin_rows,
    connect_psycopg,
    connect_redshift,
    in_background,
    sys_lag,
    wait_until,
)

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

PASSWORD = "Aa0alice"


@pytest.fixture(params=["redshift_connector", "psycopg"])
def client(request, sandbox):
    """A session of each driver's; that of redshift_connector is in a transaction."""
    connect = connect_redshift if request.param == "redshift_connector" else connect_psycopg
    with closing(connect(sandbox)) as connection:
        yield Client(connection)


@pytest.fixture
def psql(sandbox):
    """A session that commits each statement, and a mark that its statements can carry."""
    with connect_psycopg(sandbox) as connection:
        session = Client(connection)
        session.mark = uuid.uuid4().hex
        yield session


@pytest.fixture
def alice(sandbox):
    """A session of a regular user's."""
    with connect_psycopg(sandbox) as master:
        master.execute(f"CREATE USER alice PASSWORD '{PASSWORD}'")
        try:
            with connect_psycopg(sandbox, user="alice", password=PASSWORD) as connection:
                yield Client(connection)
        finally:
            master.execute("DROP USER alice")


def history(session, columns, mark):
    """Columns of SYS_QUERY_HISTORY, of the statements that hold the mark but this question."""
    return session.run(
        f"SELECT {columns} FROM sys_query_history WHERE query_text LIKE '%{mark}%' "
        "AND query_text NOT LIKE '%sys_query_history%' ORDER BY query_id"
    )


def test_the_last_query_id_is_that_of_the_last_query_on_a_table(client):
    client.run("CREATE TEMP TABLE q (a INT)")
    client.run("INSERT INTO q VALUES (1), (2)")
    [(inserted,)] = client.run("SELECT pg_last_query_id()")
    client.run("SELECT 1")  # on the leader node alone
    client.fail("SELECT a / 0 FROM q") if isinstance(client.connection, psycopg.Connection) else None
    assert client.run("SELECT pg_last_query_id()") == [(inserted,)]
    assert client.run(
        f"SELECT TRIM(querytxt), aborted, TRIM(label) FROM stl_query WHERE query = {inserted}"
    ) == [("INSERT INTO q VALUES (1), (2)", 0, "default")]
    [(asked,)] = client.run("SELECT pg_last_query_id()")
    assert asked > inserted


def test_a_rollback_takes_nothing_from_the_log(sandbox):
    with closing(connect_redshift(sandbox)) as connection:
        session = Client(connection)
        session.run("CREATE TEMP TABLE q (a INT)")
        session.run("INSERT INTO q VALUES (7)")
        connection.rollback()
        texts = session.run(
            "SELECT type, TRIM(text), xid FROM svl_statementtext WHERE pid = pg_backend_pid() "
            "ORDER BY starttime"
        )
    kinds = [(kind, text.split("(")[0].strip().lower()) for kind, text, _ in texts]
    assert kinds[-5:-1] == [
        ("UTILITY", "begin transaction"),
        ("DDL", "create temp table q"),
        ("QUERY", "insert into q values"),
        ("UTILITY", "rollback"),
    ]
    assert len({number for _, _, number in texts[-5:-1]}) == 1  # one transaction
    assert texts[-1][2] != texts[-2][2]


def test_a_session_that_has_run_no_query_has_no_last_one(psql):
    assert psql.run("SELECT pg_last_query_id()") == [(-1,)]


def test_what_failed_while_it_ran_is_aborted_and_what_was_refused_before_has_no_query_id(psql):
    psql.run(f"CREATE TEMP TABLE q AS SELECT 1 AS a, '{psql.mark}' AS b")
    psql.fail(f"SELECT a / 0 AS r FROM q -- {psql.mark}")
    psql.fail(f"SELECT nix FROM q -- {psql.mark}")
    psql.fail(f"SELECT STRING_AGG(b, ',') FROM q -- {psql.mark}")
    assert history(psql, "TRIM(status), TRIM(query_type), TRIM(error_message)", psql.mark) == [
        ("success", "CTAS", None),
        ("failed", "SELECT", "division by zero"),
        ("failed", "SELECT", 'column "nix" does not exist'),
        ("failed", "SELECT", psql.fail("SELECT STRING_AGG(b, ',') FROM q")[1]),
    ]
    logged = psql.run(
        f"SELECT aborted FROM svl_qlog JOIN stl_query USING (query, aborted) "
        f"WHERE querytxt LIKE '%{psql.mark}%' AND querytxt NOT LIKE '%qlog%' "
        "AND querytxt NOT LIKE '%sys_%' ORDER BY query"
    )
    assert logged == [(0,), (1,)]


def test_a_query_tells_how_many_rows_it_returned(client):
    mark = uuid.uuid4().hex
    client.run("CREATE TEMP TABLE q AS SELECT 1 AS a UNION ALL SELECT 2")
    client.run(f"SELECT a, '{mark}' FROM q")
    assert history(client, "returned_rows, result_cache_hit, end_time >= start_time", mark) == [
        (2, False, True)
    ]


def test_a_long_text_stands_in_pieces_with_its_lines(psql):
    psql.run("CREATE TEMP TABLE q (a INT)")
    columns = ", ".join(f"a AS x{psql.mark}{number}" for number in range(8))
    text = f"SELECT\n{columns}\nFROM q"
    psql.run(text)
    rebuilt = (
        "SELECT LISTAGG(CASE WHEN LEN(RTRIM(text)) = 0 THEN text ELSE RTRIM(text) END) "
        "WITHIN GROUP (ORDER BY sequence), COUNT(*) FROM stl_querytext "
        f"WHERE query = {psql.run('SELECT pg_last_query_id()')[0][0]}"
    )
    [(found, pieces)] = psql.run(rebuilt)
    assert found.replace(" ", "") == text.replace("\n", "\\n").replace(" ", "")
    assert pieces == 2


def test_a_query_group_is_the_label_of_what_follows(psql):
    psql.run("CREATE TEMP TABLE q (a INT)")
    psql.run("SET query_group TO 'reports'")
    psql.run(f"SELECT a AS x{psql.mark} FROM q")
    psql.run("RESET query_group")
    psql.run(f"SELECT a AS y{psql.mark} FROM q")
    assert history(psql, "TRIM(query_label)", psql.mark) == [("reports",), ("default",)]


def test_a_copy_is_logged_under_the_id_of_its_load(warehouse, put):
    warehouse.run(f"COPY t FROM '{put(x='{}')}x' {AS_JSON}")
    rows = warehouse.run(
        "SELECT query, aborted, querytxt LIKE 'COPY t FROM %' FROM stl_query "
        "WHERE query = pg_last_copy_id() AND pid = pg_backend_pid()"
    )
    assert [(aborted, is_copy) for _, aborted, is_copy in rows] == [(0, True)]
    loads = "SELECT COUNT(*) FROM sys_load_history JOIN sys_query_history USING (query_id, session_id) "
    assert warehouse.run(f"{loads} WHERE session_id = pg_backend_pid() AND query_type = 'COPY'") == [(1,)]


def test_secrets_are_not_logged(psql, sandbox):
    name = f"u{psql.mark[:12]}"
    psql.run(f"CREATE USER {name} PASSWORD 'Hush1234'")
    psql.run(f"ALTER USER {name} WITH PASSWORD /* new */ 'Hush1234'")
    psql.run(f"DROP USER {name}")
    psql.fail(f"CREATE USER {name} PASSWORD 'Hush1234' 'Hush1234'")
    psql.fail(
        f"COPY {name} FROM 's3://b/k' CREDENTIALS 'aws_access_key_id=AKIAHUSH;aws_secret_access_key=Hush1234'"
    )
    psql.fail(f"COPY {name} FROM 's3://b/k' ACCESS_KEY_ID 'AKIAHUSH' SECRET_ACCESS_KEY 'Hush1234' CSV")
    assert len(history(psql, "1", name)) == 6
    kept = admin_rows(sandbox, "SELECT statement::text FROM pg_internal.statement") + admin_rows(
        sandbox,
        "SELECT convert_from(lo_get(oid), 'UTF8') FROM pg_largeobject_metadata WHERE oid >= 2500000000",
    )
    assert "Hush1234" not in str(kept)
    assert "AKIAHUSH" not in str(kept)


def test_a_regular_user_sees_its_own_rows_only(alice, psql):
    psql.run(f"SELECT '{psql.mark}'")
    alice.run("CREATE TEMP TABLE q AS SELECT 1 AS a")
    alice.run("BEGIN")
    alice.run("SELECT a FROM q")
    psql.run(f"SELECT '{psql.mark}'")
    for view, user in (("sys_query_history", "user_id"), ("stl_query", "userid"), ("stv_recents", "userid")):
        assert alice.run(f"SELECT DISTINCT usename FROM {view} JOIN pg_user ON usesysid = {user}") == [
            ("alice",)
        ]
    assert alice.run("SELECT DISTINCT TRIM(user_name) FROM stv_sessions") == [("alice",)]
    alice.run("COMMIT")
    alice.run("DROP TABLE q")
    assert ("alice",) in psql.run("SELECT DISTINCT TRIM(user_name) FROM stv_sessions")
    assert psql.run(
        "SELECT 1 FROM stl_query JOIN pg_user ON usesysid = userid WHERE usename = 'alice' LIMIT 1"
    )


@pytest.mark.parametrize("view", ["stv_locks", "stl_tr_conflict", "stl_connection_log", "sys_connection_log"])
def test_some_views_are_for_superusers(alice, psql, view):
    assert alice.fail(f"SELECT * FROM {view}")[0] == "42501"
    assert psql.run(f"SELECT * FROM {view}") is not None


def test_a_statement_that_runs_is_in_flight_until_it_is_canceled(sandbox, psql):
    running = "SELECT pid FROM stv_inflight WHERE text LIKE 'LOCK%' OR text LIKE 'UPDATE%'"
    with connect_psycopg(sandbox) as holder, connect_psycopg(sandbox) as waiter:
        holder.execute("CREATE TABLE IF NOT EXISTS inflight (a INT)")
        holder.execute("BEGIN")
        holder.execute("LOCK inflight")
        pid = waiter.info.backend_pid
        joined = in_background(lambda: Client(waiter).fail("UPDATE inflight SET a = 1")[0])
        wait_until(lambda: psql.run(running) == [(pid,)])
        assert psql.run(f"SELECT TRIM(status) FROM stv_recents WHERE pid = {pid}") == [("Running",)]
        assert psql.run(
            f"SELECT TRIM(status) FROM sys_query_history WHERE session_id = {pid} AND end_time IS NULL"
        ) == [("running",)]
        locks = "SELECT TRIM(lock_status) FROM stv_locks WHERE lock_owner_pid = {} ORDER BY 1 LIMIT 1"
        assert psql.run(locks.format(holder.info.backend_pid)) == [("Holding write lock",)]
        assert psql.run(locks.format(pid)) == [("Waiting for write lock",)]
        waiter.cancel()
        assert joined() == "57014"
        assert psql.run(f"SELECT aborted FROM stl_query WHERE pid = {pid} AND querytxt LIKE 'UPDATE%'") == [
            (1,)
        ]
        assert psql.run(running) == []
        holder.execute("ROLLBACK")
        holder.execute("DROP TABLE inflight")


def test_a_conflict_is_a_row(sandbox, psql):
    psql.run("DROP TABLE IF EXISTS contested")
    psql.run("CREATE TABLE contested (a INT)")
    psql.run("INSERT INTO contested VALUES (1)")
    try:
        with connect_psycopg(sandbox) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM contested")
            psql.run("UPDATE contested SET a = 2")
            assert Client(other).fail("UPDATE contested SET a = 3") == ("XX000", "1023")
            conflicts = f"SELECT COUNT(*) FROM stl_tr_conflict WHERE process_id = {other.info.backend_pid}"
            assert psql.run(f"{conflicts} AND xact_start_ts <= abort_time") == [(1,)]
    finally:
        psql.run("DROP TABLE contested")


def test_connections_are_logged_with_those_that_were_refused(sandbox, psql):
    with pytest.raises(psycopg.OperationalError):
        connect_psycopg(sandbox, user=f"u{psql.mark}", password="wrong")
    with closing(connect_redshift(sandbox)) as connection:
        pid = Client(connection).run("SELECT pg_backend_pid()")[0][0]
    events = (
        "SELECT TRIM(event) FROM stl_connection_log WHERE {} AND recordtime > "
        "(SELECT starttime FROM stv_sessions WHERE process = pg_backend_pid()) ORDER BY recordtime"
    )
    assert set(psql.run(events.format(f"username = 'u{psql.mark}'"))) == {("authentication failure",)}
    expected = [("authenticated",), ("initiating session",), ("disconnecting session",)]
    wait_until(lambda: psql.run(events.format(f"pid = {pid}")) == expected)
    same = "SELECT COUNT(DISTINCT sessionid), COUNT(*) FROM stl_connection_log WHERE sessionid IN"
    last = f"(SELECT sessionid FROM stl_connection_log WHERE pid = {pid} ORDER BY recordtime DESC LIMIT 1)"
    assert psql.run(f"{same} {last}") == [(1, len(expected))]
    told = (
        "SELECT DISTINCT TRIM(driver_version), TRIM(remote_host) FROM sys_connection_log WHERE session_id = "
    )
    [(driver, host)] = psql.run(f"{told}{pid}")
    assert driver.startswith("Redshift Python Driver")
    assert host == "127.0.0.1"
    assert psql.run(f"SELECT TRIM(status) FROM sys_session_history WHERE session_id = {pid}")[-1] == (
        "closed",
    )
    assert psql.run(f"SELECT COUNT(*) > 0 FROM stl_sessions WHERE process = {pid}") == [(True,)]


def test_the_sys_views_are_as_late_as_they_are_told(sandbox, psql):
    psql.run("CREATE TEMP TABLE q (a INT)")
    psql.run(f"SELECT a AS x{psql.mark} FROM q")
    with sys_lag(sandbox, 1000):
        assert history(psql, "query_id", psql.mark) == []
        assert psql.run(f"SELECT COUNT(*) FROM stl_query WHERE querytxt LIKE '%x{psql.mark} FROM q%'") == [
            (1,)
        ]
    assert len(history(psql, "query_id", psql.mark)) == 2


def test_a_prepared_question_is_answered_anew_each_time(sandbox):
    with connect_psycopg(sandbox, prepare_threshold=0) as connection:
        connection.execute("CREATE TEMP TABLE q (a INT)")
        seen = []
        for number in range(3):
            connection.execute(f"INSERT INTO q VALUES ({number})")
            seen.append(connection.execute("SELECT pg_last_query_id()").fetchone())
    assert seen == sorted(set(seen))


@contextmanager
def without_log(sandbox):
    """The log cannot be written."""
    rename = "ALTER FUNCTION pg_internal.{}(integer, jsonb) RENAME TO {}"
    with admin_connection(sandbox, autocommit=True) as admin:
        admin.execute(rename.format("record_queries", "gone"))
        yield
        admin.execute(rename.format("gone", "record_queries"))


def test_statements_run_while_the_log_is_ill_and_are_logged_afterwards(sandbox, psql):
    psql.run("CREATE TEMP TABLE q (a INT)")
    with without_log(sandbox):
        psql.run(f"INSERT INTO q VALUES (1) -- {psql.mark}")
        assert psql.run("SELECT * FROM q") == [(1,)]
        assert psql.run("SELECT COUNT(*) FROM stl_query") is not None
    wait_until(lambda: psql.run("SELECT COUNT(*) FROM stl_query WHERE pid = pg_backend_pid()") != [(0,)])
    psql.run(f"INSERT INTO q VALUES (2) -- {psql.mark}")
    wait_until(lambda: ("INSERT",) in history(psql, "TRIM(query_type)", psql.mark))


def test_sessions_that_ask_at_once_do_not_disturb_each_other(sandbox):
    wrong = []

    def work():
        with connect_psycopg(sandbox) as connection:
            connection.execute("CREATE TEMP TABLE q (a INT)")
            last = -1
            for number in range(15):
                connection.execute("INSERT INTO q VALUES (%s)", [number])
                [query] = connection.execute("SELECT pg_last_query_id()").fetchone()
                wrong.extend([] if query > last else [(last, query)])
                last = query

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_log_keeps_a_week_and_a_hundred_thousand_statements(sandbox):
    made = (
        "INSERT INTO pg_internal.statement "
        "SELECT {}, 1, 0, 'x', 1, 1, now(), 'd', '', 'QUERY', 'SELECT', false, 'success', "
        "now() - {}, now(), 0, true, NULL, 'SELECT' FROM generate_series(1, {}) AS n"
    )
    with admin_connection(sandbox) as admin:  # rolled back
        admin.execute("DELETE FROM pg_internal.statement")
        admin.execute(made.format("-n", "INTERVAL '8 days'", 10))
        admin.execute(made.format("n", "INTERVAL '1 day'", 100_005))
        admin.execute("SELECT pg_internal.tidy_queries()")
        assert admin.execute("SELECT COUNT(*), MIN(query_id) FROM pg_internal.statement").fetchone() == (
            100_000,
            6,
        )
        admin.rollback()
