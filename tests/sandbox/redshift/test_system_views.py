"""Who sees which rows of the system views, and when."""

import dataclasses
import time
from contextlib import contextmanager

import pytest

from sandbox.parts.settings import Settings, SettingsError
from tests.sandbox.redshift.copying import AS_JSON, admin_connection
from tests.sandbox.redshift.endpoint_clients import Client, admin_rows, connect_psycopg, wait_until
from tests.sandbox.redshift.endpoint_clients import endpoint as another_endpoint

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

SYS_VIEWS = ("sys_load_history", "sys_load_detail", "sys_load_error_detail", "sys_copy_replacements")
STL_VIEWS = ("stl_load_errors", "stl_loaderror_detail", "stl_load_commits", "stl_replacements")
PASSWORD = "Aa0alice"


# Database Developer Guide, the pages of the views' names. There bytes_scanned is an INTEGER, too small for
# files of 2 GB.
DOCUMENTED = {
    "sys_load_history": (
        "user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, "
        "status text, table_name text, start_time timestamp, end_time timestamp, duration bigint, "
        "data_source text, file_format text, loaded_rows bigint, loaded_bytes bigint, "
        "source_file_count integer, source_file_bytes bigint, file_count_scanned integer, "
        "file_bytes_scanned bigint, error_count bigint, copy_job_id bigint"
    ),
    "sys_load_detail": (
        "user_id integer, query_id integer, file_name character(256), bytes_scanned bigint, "
        "lines_scanned integer, record_time timestamp, splits_scanned integer, start_time timestamp, "
        "end_time timestamp, file_etag character(256), file_last_modified timestamp"
    ),
    "sys_load_error_detail": (
        "user_id integer, query_id bigint, transaction_id bigint, session_id integer, "
        "database_name character(64), table_id integer, start_time timestamp, file_name character(256), "
        "line_number bigint, column_name character(127), column_type character(10), "
        "column_length character(10), position integer, error_code integer, error_message character(512)"
    ),
}


@pytest.fixture
def lag(sandbox):
    """Set how late the SYS views are, in seconds; 0 again afterwards."""

    def change(seconds):
        with admin_connection(sandbox, autocommit=True) as admin:
            admin.execute("UPDATE pg_internal.sys_lag SET lag = make_interval(secs => %s)", [seconds])

    yield change
    change(0)


@pytest.fixture
def alice(sandbox):
    """A regular user; the master user has made it."""
    with connect_psycopg(sandbox) as master:
        master.execute(f"CREATE USER alice PASSWORD '{PASSWORD}'")
        yield Client(master)
        master.execute("DROP USER alice")


@contextmanager
def session_of_alice(sandbox):
    with connect_psycopg(sandbox, user="alice", password=PASSWORD) as connection:
        yield Client(connection)


def load_with_everything(put, warehouse):
    """A COPY with a row, an error and a replaced character; its source."""
    source = put(x=b'{"a": 1}\n{"a": "no"}\n{"b": "\xa4"}\n') + "x"
    warehouse.run(f"COPY t FROM '{source}' {AS_JSON} MAXERROR 2 ACCEPTINVCHARS")
    warehouse.connection.commit()
    return source


def seen(client):
    """The views in which the client sees anything at all."""
    return {view for view in (*SYS_VIEWS, *STL_VIEWS) if client.run(f"SELECT * FROM {view}")}


@pytest.fixture
def empty_log(sandbox):
    """No loads but those of the test."""
    with admin_connection(sandbox, autocommit=True) as admin:
        admin.execute("DELETE FROM pg_internal.transfer")
        admin.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid >= 1000000000")


@pytest.mark.parametrize(("view", "columns"), DOCUMENTED.items())
def test_the_sys_views_have_the_documented_columns(sandbox, view, columns):
    found = admin_rows(
        sandbox,
        "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s::regclass ORDER BY attnum",
        f"pg_catalog.{view}",
    )
    assert ", ".join(name for (name,) in found).replace(" without time zone", "") == columns


def test_sys_load_detail_names_the_version_of_each_file(connector, put, s3):
    source = put(x='{"a": 1}')
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    head = s3.head_object(Bucket=bucket, Key=f"{prefix}x")
    connector.run(f"COPY t FROM '{source}x' {AS_JSON}")
    assert connector.run(
        f"SELECT TRIM(file_etag), file_last_modified FROM sys_load_detail WHERE file_name = '{source}x'"
    ) == [(head["ETag"].strip('"'), head["LastModified"].replace(tzinfo=None))]


def test_the_sys_views_learn_of_a_copy_later_than_the_stl_views(empty_log, warehouse, put, lag):
    lag(1000)
    load_with_everything(put, warehouse)
    assert seen(warehouse) == set(STL_VIEWS)
    lag(0)
    warehouse.connection.commit()
    assert seen(warehouse) == {*STL_VIEWS, *SYS_VIEWS}


def test_a_transaction_sees_the_rows_appear(empty_log, connector, put, lag):
    lag(1.5)
    began = time.monotonic()
    connector.run(f"COPY t FROM '{put(x='{}')}' {AS_JSON}")
    ended = time.monotonic()
    wait_until(lambda: connector.run("SELECT status FROM sys_load_history") == [("completed",)])
    assert time.monotonic() - began >= 1.5
    assert time.monotonic() - ended < 10


def test_a_copy_that_has_just_ended_still_runs_to_the_sys_views(empty_log, connector, sandbox, put, lag):
    load_with_everything(put, connector)
    with admin_connection(sandbox, autocommit=True) as admin:
        admin.execute("UPDATE pg_internal.transfer SET start_time = start_time - INTERVAL '1 hour'")
    history = "SELECT status, end_time IS NULL, loaded_rows, error_count FROM sys_load_history"
    lag(1000)
    assert connector.run(history) == [("running", True, 0, 0)]
    assert seen(connector) == {*STL_VIEWS, "sys_load_history"}
    lag(0)
    connector.connection.commit()
    assert connector.run(history) == [("completed", False, 2, 1)]


def test_an_endpoint_sets_the_lag_it_is_told(sandbox, free_endpoint):
    lagging = dataclasses.replace(sandbox, sys_lag_seconds=2.5)
    assert Settings.load().sys_lag_seconds == 0
    with free_endpoint(lagging):
        assert admin_rows(sandbox, "SELECT lag::text FROM pg_internal.sys_lag") == [("00:00:02.5",)]
    with free_endpoint(sandbox):
        assert admin_rows(sandbox, "SELECT lag::text FROM pg_internal.sys_lag") == [("00:00:00",)]


@pytest.fixture
def free_endpoint(new_settings):
    """Start a further endpoint and wait until it is ready."""

    @contextmanager
    def start(settings):
        with another_endpoint(settings, new_settings().redshift_port) as process:
            assert process.stdout.readline().startswith("Redshift endpoint ready")
            yield

    return start


@pytest.mark.parametrize("text", ["soon", "-1", "3601"])
def test_a_lag_that_is_no_duration_is_refused(monkeypatch, text):
    monkeypatch.setenv("SANDBOX_SYS_LAG_SECONDS", text)
    with pytest.raises(SettingsError, match="SANDBOX_SYS_LAG_SECONDS"):
        Settings.load()


def test_a_regular_user_sees_its_own_rows_only(empty_log, alice, sandbox, connector, put):
    load_with_everything(put, connector)
    with session_of_alice(sandbox) as session:
        assert seen(session) == set()
        session.run("CREATE TEMP TABLE t (a INTEGER)")
        session.run(f"COPY t FROM '{put(y='{}')}y' {AS_JSON}")
        assert session.run("SELECT COUNT(*) FROM sys_load_history") == [(1,)]
    assert alice.run("SELECT COUNT(*) FROM sys_load_history") == [(2,)]  # the master user is a superuser


@pytest.mark.parametrize(
    ("grant", "revoke"),
    [
        ("ALTER USER alice SYSLOG ACCESS UNRESTRICTED", "ALTER USER alice WITH SYSLOG ACCESS RESTRICTED"),
        (
            f"ALTER USER alice SYSLOG ACCESS UNRESTRICTED PASSWORD '{PASSWORD}'",
            "ALTER USER alice SYSLOG ACCESS RESTRICTED",
        ),
        ("GRANT ROLE sys:monitor TO alice", "REVOKE ROLE sys:monitor FROM alice"),
    ],
)
def test_a_user_with_unrestricted_access_sees_everybodys_rows(
    empty_log, alice, sandbox, connector, put, grant, revoke
):
    load_with_everything(put, connector)
    alice.run(grant)
    with session_of_alice(sandbox) as session:
        assert seen(session) == {*STL_VIEWS, *SYS_VIEWS}
        session.run("BEGIN")
        session.run("SELECT * FROM sys_load_history")
        load_with_everything(put, connector)
        assert session.run("SELECT COUNT(*) FROM sys_load_history") == [(2,)]
        session.run("COMMIT")
        alice.run(revoke)
        assert seen(session) == set()


def test_create_user_takes_syslog_access(sandbox, connector, empty_log, put):
    load_with_everything(put, connector)
    with connect_psycopg(sandbox) as master:
        master.execute(f"CREATE USER alice PASSWORD '{PASSWORD}' SYSLOG ACCESS UNRESTRICTED")
        try:
            with session_of_alice(sandbox) as session:
                assert seen(session) == {*STL_VIEWS, *SYS_VIEWS}
        finally:
            master.execute("DROP USER alice")


def test_nobody_gives_itself_access(alice, sandbox):
    with session_of_alice(sandbox) as session:
        assert session.fail("ALTER USER alice SYSLOG ACCESS UNRESTRICTED")[0] == "42501"
        assert session.fail("SELECT pg_internal.set_syslog_access('alice', TRUE)")[0] == "42501"
        assert session.fail("GRANT ROLE sys:monitor TO alice")[0] == "42501"
    assert alice.fail("ALTER USER alice SYSLOG ACCESS ALL")[0] == "42601"
