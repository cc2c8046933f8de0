"""UNLOAD to S3 through the endpoint: its query, its session, its traces, by the guide's page "UNLOAD"."""

import json
import os
import socket
import threading
import uuid
from contextlib import closing

import psycopg2
import pytest

from sandbox.redshift.copy.errors import CopyError
from sandbox.redshift.sql.tokens import tokenize
from sandbox.redshift.unload.command import read_unload
from tests.sandbox.aws.client import client
from tests.sandbox.redshift.copying import BUCKET, Warehouse
from tests.sandbox.redshift.unloading import ROLE, VENUES, unload
from tests.security.raw_http import until

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures", "tests.sandbox.redshift.unload_fixtures")
pytestmark = pytest.mark.usefixtures("writing_role")

ENDLESS = "SELECT COUNT(*) FROM pg_class a, pg_class b, pg_class c, pg_class d"


def test_unload_runs_inside_the_clients_transaction(warehouse, target, objects):
    warehouse.run("INSERT INTO t VALUES (1, 'one'), (2, NULL)")
    warehouse.run(unload("SELECT * FROM t ORDER BY a", target))
    assert objects(target) == {"0000_part_00": b"1|one\n2|\n"}
    assert warehouse.run("SELECT pg_last_unload_count()") == [(2,)]
    [(query,)] = warehouse.run("SELECT pg_last_unload_id()")
    log = "SELECT TRIM(path), line_count, transfer_size, TRIM(file_format) FROM stl_unload_log WHERE query = "
    assert warehouse.run(f"{log}{query}") == [(f"{target}0000_part_00", 2, 9, "Text")]
    warehouse.connection.rollback()
    assert warehouse.run("SELECT count(*) FROM t") == [(0,)]
    assert warehouse.run("SELECT pg_last_unload_id(), pg_last_unload_count()") == [(-1, 0)]


def test_an_alias_is_known_in_later_items_of_the_query(warehouse, target, objects):
    warehouse.run("INSERT INTO t VALUES (1, 'one')")
    warehouse.run(unload("SELECT a + 1 AS more, more * 10 AS most FROM t", target))
    assert objects(target) == {"0000_part_00": b"2|20\n"}


def test_the_client_is_told_how_many_rows_there_were(sandbox, target):
    found = Warehouse(sandbox, "psycopg2")
    with closing(found.connection), found.connection.cursor() as cursor:
        cursor.execute(unload(VENUES, target))
        assert found.connection.notices[-1] == "INFO:  UNLOAD completed, 3 record(s) unloaded successfully.\n"
        assert cursor.statusmessage == "UNLOAD"


def test_the_query_is_redshifts_sql(connector, target, objects):
    connector.run("INSERT INTO t VALUES (1, 'x')")
    connector.run(
        unload(
            "SELECT NVL(b, ''), DATEADD(day, 1, '2026-11-28'::DATE)::DATE, GETDATE() > '2020-01-01' FROM t;",
            target,
        )
    )
    assert objects(target) == {"0000_part_00": b"x|2026-11-29|t\n"}
    assert connector.fail(unload("SELECT generate_series(1, 2), a FROM t", f"{target}2"))[0] == "0A000"


def test_an_error_of_the_query_is_the_clients_and_leaves_no_file(warehouse, target, objects):
    warehouse.run("INSERT INTO t VALUES (1, 'x'), (0, 'y')")
    state, message, _ = warehouse.fail(unload("SELECT 1 / a FROM t ORDER BY b", target))
    assert (state, message.lower()) == ("22012", "division by zero")
    warehouse.connection.rollback()
    assert objects(target) == {}
    assert warehouse.fail(unload("SELECT nothing FROM t", target))[0] == "42703"
    warehouse.connection.rollback()
    assert warehouse.run("SELECT 1") == [(1,)]


def test_a_value_too_wide_for_its_fixed_width_fails(warehouse, target, objects):
    _, message, _ = warehouse.fail(unload("SELECT 'abcd' AS v", target, "FIXEDWIDTH 'v:3'"))
    assert message == "A value of column v has 4 characters, its FIXEDWIDTH is 3"
    warehouse.connection.rollback()
    assert objects(target) == {}
    log = "SELECT status, unloaded_rows, error_message FROM sys_unload_history"
    assert warehouse.run(f"{log} WHERE session_id = pg_backend_pid() ORDER BY query_id DESC LIMIT 1") == [
        ("aborted", 0, message)
    ]
    assert warehouse.run("SELECT pg_last_unload_count()") == [(0,)]


def test_unload_stands_in_a_query_of_several_statements(sandbox, target, objects):
    found = Warehouse(sandbox, "psycopg2")
    with closing(found.connection):
        found.connection.autocommit = True
        found.run(
            f"CREATE TEMP TABLE s (a INTEGER); INSERT INTO s VALUES (3); {unload('SELECT * FROM s', target)}"
        )
        assert objects(target) == {"0000_part_00": b"3\n"}
        found.fail(f"INSERT INTO s VALUES (4); {unload('SELECT * FROM s', target)}")
        assert found.run("SELECT a FROM s") == [(3,)]


def test_views_of_unloads(connector, target):
    connector.run(unload("SELECT 1 AS a, 2 AS b", target, "CSV GZIP"))
    history = (
        "SELECT status, file_format, compression_type, unloaded_location, unloaded_rows, "
        "unloaded_files_count, "
        "unloaded_files_size > 0, error_message, duration > 0 FROM sys_unload_history "
        "WHERE session_id = pg_backend_pid()"
    )
    assert connector.run(history) == [("completed", "CSV", "gzip", target, 1, 1, True, None, True)]
    detail = "SELECT TRIM(file_name), line_count, TRIM(file_format) FROM sys_unload_detail"
    assert connector.run(f"{detail} WHERE session_id = pg_backend_pid()") == [
        (f"{target}0000_part_00.gz", 1, "CSV")
    ]


def cancel_when_running(sandbox, pid, connection):
    watcher = Warehouse(sandbox, "psycopg2")
    with closing(watcher.connection):
        watcher.connection.autocommit = True
        status = f"SELECT status FROM sys_unload_history WHERE session_id = {pid}"
        until(lambda: watcher.run(status) == [("running",)], seconds=60)
    connection.cancel()


def test_a_running_unload_is_cancelled(sandbox, target, objects):
    found = Warehouse(sandbox, "psycopg2")
    with closing(found.connection):
        found.run("SET statement_timeout TO 100000")  # whatever becomes of the thread
        [(pid,)] = found.run("SELECT pg_backend_pid()")
        thread = threading.Thread(target=cancel_when_running, args=(sandbox, pid, found.connection))
        thread.start()
        with pytest.raises(psycopg2.errors.QueryCanceled, match="user request"):
            found.run(unload(ENDLESS, target))
        thread.join()
        found.connection.rollback()
        assert found.run("SELECT 1") == [(1,)]
        assert objects(target) == {}


def fails(warehouse, sql):
    with pytest.raises(psycopg2.Error):
        warehouse.run(sql)


def test_an_unload_whose_client_is_gone_is_aborted(sandbox, connector, target, objects):
    connector.connection.autocommit = True
    found = Warehouse(sandbox, "psycopg2")
    found.run("SET statement_timeout TO 100000")
    [(pid,)] = found.run("SELECT pg_backend_pid()")
    thread = threading.Thread(target=lambda: fails(found, unload(ENDLESS, target)), daemon=True)
    thread.start()
    status = f"SELECT status FROM sys_unload_history WHERE session_id = {pid}"
    until(lambda: connector.run(status) == [("running",)])
    with socket.socket(fileno=os.dup(found.connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
    thread.join()
    until(lambda: connector.run(status) == [("aborted",)])
    until(lambda: connector.run(f"SELECT COUNT(*) FROM pg_stat_activity WHERE pid = {pid}") == [(0,)])
    assert objects(target) == {}


def test_a_role_that_may_only_read_writes_nothing(sandbox, warehouse, target, objects):
    iam = client(sandbox, "iam")
    name = f"r-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "redshift.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    reads = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:List*", "s3:GetBucketLocation"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy)
    state, message, detail = warehouse.fail(unload("SELECT 1", target).replace("default", f"'{arn}'"))
    assert state == "XX000"
    assert f"assumed-role/{name}/redshift is not authorized to perform: s3:PutObject" in message
    assert f"S3 path: {target}0000_part_00" in detail
    assert objects(target) == {}


def test_a_bucket_that_is_not_there_is_an_error(warehouse, put):
    url = put().replace(BUCKET, "nobodys-bucket")
    state, message, _ = warehouse.fail(unload("SELECT 1", url))
    assert (state, "NoSuchBucket" in message) == ("XX000", True)


def test_dollars_may_quote_the_query(connector, target, objects):
    """As Airflow's RedshiftToS3Operator writes it."""
    connector.run(f"UNLOAD ($$SELECT 'it''s'$$) TO '{target}' {ROLE}")
    assert objects(target) == {"0000_part_00": b"it's\n"}


def test_a_syntax_error_says_in_which_statement_it_is():
    with pytest.raises(CopyError) as caught:
        read_unload(tokenize("UNLOAD ('SELECT 1') TO 's3://b/k' NONSENSE"))
    assert caught.value.hint == "In UNLOAD: no option of UNLOAD has this name."
