-- System views of statements, sessions and logins, with the columns and types of the Database Developer Guide's pages
-- of their names. What is not measured here is NULL.

CREATE OR REPLACE VIEW pg_internal.visible_statement AS
SELECT statement.*
FROM pg_internal.all_statement AS statement
JOIN pg_catalog.pg_user AS me ON me.usename = current_user
WHERE me.usesysid = statement.user_id::oid OR pg_internal.sees_rows_of_others(me.usename);

CREATE OR REPLACE VIEW pg_internal.visible_running AS
SELECT statement.*
FROM pg_internal.running_statements() AS statement
JOIN pg_catalog.pg_user AS me ON me.usename = current_user
WHERE me.usesysid = statement.user_id::oid OR pg_internal.sees_rows_of_others(me.usename);

-- What has a query id of its own: it ran on the compute nodes.
CREATE OR REPLACE VIEW pg_internal.planned_query AS
SELECT
    statement.*,
    COALESCE(NULLIF(label, ''), 'default')::character(320) AS shown_label,
    (status <> 'success')::integer AS aborted
FROM pg_internal.visible_statement AS statement
WHERE kind = 'QUERY' AND NOT on_leader AND was_planned;

-- A long text in pieces, with a backslash and an n for each new line, as the guide's samples of STL_QUERYTEXT show.
CREATE OR REPLACE FUNCTION pg_internal.pieces(whole text, size integer)
RETURNS TABLE (sequence integer, text text)
LANGUAGE sql IMMUTABLE
AS $body$
    SELECT piece, substr(escaped.line, piece * size + 1, size)
    FROM (SELECT replace(whole, chr(10), chr(92) || 'n') AS line) AS escaped
    CROSS JOIN generate_series(0, greatest(length(escaped.line) - 1, 0) / size) AS piece
$body$;

CREATE OR REPLACE VIEW pg_catalog.stl_query AS
SELECT
    user_id AS userid,
    query_id AS query,
    shown_label AS label,
    transaction_id AS xid,
    session_id AS pid,
    database_name::character(32) AS database,
    query_text::character(4000) AS querytxt,
    start_time AS starttime,
    end_time AS endtime,
    aborted,
    0 AS insert_pristine,
    0 AS concurrency_scaling_status
FROM pg_internal.planned_query;

CREATE OR REPLACE VIEW pg_catalog.stl_querytext AS
SELECT
    user_id AS userid,
    transaction_id AS xid,
    session_id AS pid,
    query_id AS query,
    piece.sequence,
    piece.text::character(200) AS text
FROM pg_internal.planned_query
CROSS JOIN LATERAL pg_internal.pieces(query_text, 200) AS piece;

CREATE OR REPLACE VIEW pg_catalog.svl_qlog AS
SELECT
    user_id AS userid,
    query_id AS query,
    transaction_id AS xid,
    session_id AS pid,
    start_time AS starttime,
    end_time AS endtime,
    pg_internal.microseconds(end_time - start_time) AS elapsed,
    aborted,
    shown_label AS label,
    query_text::character(60) AS substring,
    NULL::integer AS source_query,
    'Primary cluster'::text AS concurrency_scaling_status_txt,
    NULL::integer AS from_sp_call
FROM pg_internal.planned_query;

CREATE OR REPLACE VIEW pg_internal.statement_text AS
SELECT
    user_id AS userid,
    transaction_id AS xid,
    session_id AS pid,
    label::character(320) AS label,
    start_time AS starttime,
    end_time AS endtime,
    piece.sequence,
    kind::varchar(10) AS type,
    piece.text::character(200) AS text
FROM pg_internal.visible_statement
CROSS JOIN LATERAL pg_internal.pieces(query_text, 200) AS piece
WHERE NOT on_leader AND was_planned;

CREATE OR REPLACE VIEW pg_catalog.svl_statementtext AS
SELECT * FROM pg_internal.statement_text;

CREATE OR REPLACE VIEW pg_catalog.stl_ddltext AS
SELECT userid, xid, pid, label, starttime, endtime, sequence, text
FROM pg_internal.statement_text
WHERE type = 'DDL';

CREATE OR REPLACE VIEW pg_catalog.stl_utilitytext AS
SELECT userid, xid, pid, label, starttime, endtime, sequence, text
FROM pg_internal.statement_text
WHERE type = 'UTILITY';

-- What the SYS views know: everything as it was some time ago, see 32_transfer_views.sql.
CREATE OR REPLACE VIEW pg_internal.sys_statement AS
SELECT statement.*, seen.up_to, COALESCE(statement.end_time <= seen.up_to, FALSE) AS has_ended
FROM (
    SELECT * FROM pg_internal.visible_statement
    UNION ALL
    SELECT * FROM pg_internal.visible_running
) AS statement
CROSS JOIN pg_internal.sys_seen AS seen
WHERE statement.start_time <= seen.up_to;

CREATE OR REPLACE VIEW pg_catalog.sys_query_history AS
SELECT
    user_id,
    pg_internal.sys_query_id(query_id)::bigint AS query_id,
    COALESCE(NULLIF(label, ''), 'default')::character(320) AS query_label,
    transaction_id,
    session_id,
    database_name::character(128) AS database_name,
    query_type::character(32) AS query_type,
    CASE WHEN has_ended THEN status ELSE 'running' END::character(10) AS status,
    FALSE AS result_cache_hit,
    start_time,
    CASE WHEN has_ended THEN end_time END AS end_time,
    pg_internal.microseconds(CASE WHEN has_ended THEN end_time ELSE up_to END - start_time) AS elapsed_time,
    0::bigint AS queue_time,
    pg_internal.microseconds(CASE WHEN has_ended THEN end_time ELSE up_to END - start_time) AS execution_time,
    CASE WHEN has_ended THEN error_message END::character(512) AS error_message,
    CASE WHEN has_ended AND query_type = 'SELECT' THEN row_count ELSE 0 END AS returned_rows,
    NULL::bigint AS returned_bytes,
    query_text::character(4000) AS query_text,
    '1.0.12103'::character(256) AS redshift_version,
    NULL::character(150) AS usage_limit,
    'primary'::varchar(32) AS compute_type,
    NULL::bigint AS compile_time,
    NULL::bigint AS planning_time,
    NULL::bigint AS lock_wait_time,
    NULL::integer AS service_class_id,
    NULL::character(64) AS service_class_name,
    NULL::character(20) AS query_priority,
    NULL::character(10) AS short_query_accelerated,
    md5(query_text)::character(40) AS user_query_hash,
    NULL::character(40) AS generic_query_hash,
    NULL::integer AS query_hash_version,
    0 AS result_cache_query_id,
    user_name::character(128) AS username
FROM pg_internal.sys_statement;

CREATE OR REPLACE VIEW pg_catalog.sys_query_text AS
SELECT
    user_id,
    pg_internal.sys_query_id(query_id)::bigint AS query_id,
    transaction_id,
    session_id,
    start_time,
    piece.sequence,
    piece.text::character(4000) AS text
FROM pg_internal.sys_statement
CROSS JOIN LATERAL pg_internal.pieces(query_text, 4000) AS piece;

CREATE OR REPLACE VIEW pg_catalog.stv_inflight AS
SELECT
    user_id AS userid,
    0 AS slice,
    query_id AS query,
    label::character(320) AS label,
    transaction_id AS xid,
    session_id AS pid,
    start_time AS starttime,
    query_text::character(100) AS text,
    0 AS suspended,
    0 AS insert_pristine,
    0 AS concurrency_scaling_status
FROM pg_internal.visible_running
WHERE kind = 'QUERY' AND NOT on_leader;

-- How many finished ones Redshift shows is nowhere said.
CREATE OR REPLACE VIEW pg_catalog.stv_recents AS
SELECT
    user_id AS userid,
    CASE WHEN end_time IS NULL THEN 'Running' ELSE 'Done' END::character(20) AS status,
    start_time AS starttime,
    LEAST(
        pg_internal.microseconds(COALESCE(end_time, clock_timestamp() AT TIME ZONE 'UTC') - start_time), 2147483647
    )::integer AS duration,
    user_name::character(50) AS user_name,
    database_name::character(50) AS db_name,
    query_text::character(600) AS query,
    CASE WHEN end_time IS NULL THEN session_id ELSE -1 END AS pid
FROM (
    SELECT * FROM pg_internal.visible_running
    UNION ALL
    (SELECT * FROM pg_internal.visible_statement ORDER BY query_id DESC LIMIT 100)
) AS statement;

CREATE OR REPLACE VIEW pg_catalog.stv_sessions AS
SELECT
    start_time AS starttime,
    session_id AS process,
    user_name::character(50) AS user_name,
    database_name::character(50) AS db_name,
    0 AS timeout_sec
FROM pg_internal.open_sessions();

CREATE OR REPLACE VIEW pg_internal.visible_session AS
SELECT session.*
FROM pg_internal.session AS session
JOIN pg_catalog.pg_user AS me ON me.usename = current_user
WHERE me.usesysid = session.user_id::oid OR pg_internal.sees_rows_of_others(me.usename);

CREATE OR REPLACE VIEW pg_catalog.stl_sessions AS
SELECT
    user_id AS userid,
    start_time AS starttime,
    end_time AS endtime,
    session_id AS process,
    user_name::character(50) AS user_name,
    database_name::character(50) AS db_name,
    0 AS timeout_sec,
    2 AS timed_out
FROM pg_internal.visible_session;

CREATE OR REPLACE VIEW pg_catalog.sys_session_history AS
SELECT
    user_id::text::character(50) AS user_id,
    session_id,
    database_name::character(50) AS database_name,
    CASE WHEN end_time <= seen.up_to THEN 'closed' ELSE 'active' END::character(16) AS status,
    0 AS session_timeout,
    start_time,
    CASE WHEN end_time <= seen.up_to THEN end_time END AS end_time
FROM (
    SELECT user_id, session_id, database_name, start_time, end_time FROM pg_internal.visible_session
    UNION ALL
    SELECT user_id, session_id, database_name, start_time, NULL FROM pg_internal.open_sessions()
) AS session
CROSS JOIN pg_internal.sys_seen AS seen
WHERE start_time <= seen.up_to;

CREATE OR REPLACE VIEW pg_catalog.stl_connection_log AS
SELECT
    event::character(50) AS event,
    record_time AS recordtime,
    remote_host::character(45) AS remotehost,
    remote_port::character(32) AS remoteport,
    session_id AS pid,
    database_name::character(50) AS dbname,
    user_name::character(50) AS username,
    'password'::character(32) AS authmethod,
    LEAST(duration, 2147483647)::integer AS duration,
    ssl_version::character(50) AS sslversion,
    ssl_cipher::character(128) AS sslcipher,
    0 AS mtu,
    ''::character(64) AS sslcompression,
    ''::character(64) AS sslexpansion,
    ''::character(36) AS iamauthguid,
    application_name::character(250) AS application_name,
    os_version::character(64) AS os_version,
    driver_version::character(64) AS driver_version,
    plugin_name::character(32) AS plugin_name,
    0 AS protocol_version,
    session_number::character(36) AS sessionid
FROM pg_internal.connection_event;

CREATE OR REPLACE VIEW pg_catalog.sys_connection_log AS
SELECT
    event,
    recordtime AS record_time,
    remotehost AS remote_host,
    remoteport AS remote_port,
    pid AS session_id,
    dbname AS database_name,
    username AS user_name,
    authmethod AS auth_method,
    duration,
    sslversion AS ssl_version,
    sslcipher AS ssl_cipher,
    mtu,
    sslcompression AS ssl_compression,
    sslexpansion AS ssl_expansion,
    iamauthguid AS iam_auth_guid,
    application_name,
    driver_version,
    os_version,
    plugin_name,
    protocol_version
FROM pg_catalog.stl_connection_log
CROSS JOIN pg_internal.sys_seen AS seen
WHERE recordtime <= seen.up_to;

-- Which table it was, PostgreSQL does not say.
CREATE OR REPLACE VIEW pg_catalog.stl_tr_conflict AS
SELECT
    transaction_id AS xact_id,
    session_id::bigint AS process_id,
    transaction_start AS xact_start_ts,
    end_time AS abort_time,
    NULL::bigint AS table_id
FROM pg_internal.all_statement
WHERE status = 'failed' AND error_message = '1023';

-- Locks of writers. The guide says of lock_status that it is "either waiting for or holding a lock"; its words are
-- unconfirmed.
CREATE OR REPLACE FUNCTION pg_internal.write_locks()
RETURNS TABLE (
    table_id bigint, last_update timestamp, lock_owner bigint, lock_owner_pid bigint, lock_owner_start_ts timestamp,
    granted boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT DISTINCT
        CASE locks.locktype WHEN 'advisory' THEN locks.objid ELSE locks.relation END::bigint,
        activity.query_start AT TIME ZONE 'UTC',
        COALESCE(activity.backend_xid, activity.backend_xmin)::text::bigint,
        activity.pid::bigint,
        activity.xact_start AT TIME ZONE 'UTC',
        locks.granted
    FROM pg_locks AS locks
    JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
    JOIN pg_roles AS role ON role.oid = activity.usesysid
    JOIN pg_class AS relation
        ON relation.oid = CASE locks.locktype WHEN 'advisory' THEN locks.objid ELSE locks.relation END
    JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE pg_internal.sees_rows_of_others(session_user)
        AND activity.datname = current_database() AND NOT role.rolsuper AND role.rolname <> 'redshift_log'
        AND relation.relkind IN ('r', 'm')
        AND namespace.nspname NOT IN ('pg_catalog', 'pg_internal', 'information_schema', 'pg_toast')
        AND (
            locks.locktype = 'advisory' AND locks.classid = 5440
            OR locks.locktype = 'relation'
                AND locks.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'AccessExclusiveLock')
        )
$body$;

CREATE OR REPLACE VIEW pg_catalog.stv_locks AS
SELECT
    table_id,
    NULL::timestamp AS last_commit,
    last_update,
    lock_owner,
    lock_owner_pid,
    lock_owner_start_ts,
    NULL::timestamp AS lock_owner_end_ts,
    CASE WHEN granted THEN 'Holding write lock' ELSE 'Waiting for write lock' END::character(22) AS lock_status
FROM pg_internal.write_locks();

GRANT SELECT ON
    pg_catalog.stl_query, pg_catalog.stl_querytext, pg_catalog.svl_qlog, pg_catalog.svl_statementtext,
    pg_catalog.stl_ddltext, pg_catalog.stl_utilitytext, pg_catalog.sys_query_history, pg_catalog.sys_query_text,
    pg_catalog.stv_inflight, pg_catalog.stv_recents, pg_catalog.stv_sessions, pg_catalog.stl_sessions,
    pg_catalog.sys_session_history
TO PUBLIC;
-- "Visible only to superusers" (their pages): catalog/__init__.py gives them to the master user.
REVOKE SELECT ON
    pg_catalog.stv_locks, pg_catalog.stl_connection_log, pg_catalog.sys_connection_log, pg_catalog.stl_tr_conflict
FROM PUBLIC;
