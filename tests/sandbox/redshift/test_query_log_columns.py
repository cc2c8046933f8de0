"""The columns of the system views of statements and sessions."""

import pytest

from tests.sandbox.redshift.endpoint_clients import admin_rows

# Database Developer Guide, the pages of the views' names, but for SYS_SESSION_HISTORY's status, a CHAR there.
DOCUMENTED = {
    "stl_query": (
        "userid integer, query integer, label character(320), xid bigint, pid integer, "
        "database character(32), querytxt character(4000), starttime timestamp, "
        "endtime timestamp, aborted integer, insert_pristine integer, concurrency_scaling_status integer"
    ),
    "stl_querytext": (
        "userid integer, xid bigint, pid integer, query integer, sequence integer, text character(200)"
    ),
    "svl_qlog": (
        "userid integer, query integer, xid bigint, pid integer, starttime timestamp, endtime timestamp, "
        "elapsed bigint, aborted integer, label character(320), substring character(60), "
        "source_query integer, concurrency_scaling_status_txt text, from_sp_call integer"
    ),
    "svl_statementtext": (
        "userid integer, xid bigint, pid integer, label character(320), starttime timestamp, "
        "endtime timestamp, sequence integer, type character varying(10), text character(200)"
    ),
    "stl_ddltext": (
        "userid integer, xid bigint, pid integer, label character(320), starttime timestamp, "
        "endtime timestamp, sequence integer, text character(200)"
    ),
    "sys_query_text": (
        "user_id integer, query_id bigint, transaction_id bigint, session_id integer, start_time timestamp, "
        "sequence integer, text character(4000)"
    ),
    "stv_inflight": (
        "userid integer, slice integer, query integer, label character(320), xid bigint, pid integer, "
        "starttime timestamp, text character(100), suspended integer, insert_pristine integer, "
        "concurrency_scaling_status integer"
    ),
    "stv_recents": (
        "userid integer, status character(20), starttime timestamp, duration integer, "
        "user_name character(50), db_name character(50), query character(600), pid integer"
    ),
    "stv_sessions": (
        "starttime timestamp, process integer, user_name character(50), db_name character(50), "
        "timeout_sec integer"
    ),
    "stl_sessions": (
        "userid integer, starttime timestamp, endtime timestamp, process integer, user_name character(50), "
        "db_name character(50), timeout_sec integer, timed_out integer"
    ),
    "stv_locks": (
        "table_id bigint, last_commit timestamp, last_update timestamp, lock_owner bigint, "
        "lock_owner_pid bigint, lock_owner_start_ts timestamp, lock_owner_end_ts timestamp, "
        "lock_status character(22)"
    ),
    "stl_tr_conflict": (
        "xact_id bigint, process_id bigint, xact_start_ts timestamp, abort_time timestamp, table_id bigint"
    ),
}


@pytest.mark.parametrize(("view", "columns"), DOCUMENTED.items())
def test_the_views_have_the_documented_columns(sandbox, view, columns):
    found = admin_rows(
        sandbox,
        "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s::regclass ORDER BY attnum",
        f"pg_catalog.{view}",
    )
    assert ", ".join(name for (name,) in found).replace(" without time zone", "") == columns
