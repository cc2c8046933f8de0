-- What the endpoint writes down about statements, sessions and logins, in batches, through a connection of its own.

-- This file runs when a new version of the endpoint starts: the log begins anew.
DROP TABLE IF EXISTS pg_internal.statement, pg_internal.session, pg_internal.connection_event CASCADE;

CREATE SEQUENCE IF NOT EXISTS pg_internal.batch AS integer MAXVALUE 499999999;

CREATE TABLE pg_internal.statement (
    query_id integer PRIMARY KEY,
    batch integer NOT NULL,
    user_id integer NOT NULL,
    user_name text NOT NULL,
    session_id integer NOT NULL,
    -- The endpoint's own count: PostgreSQL numbers only transactions that write.
    transaction_id bigint NOT NULL,
    transaction_start timestamp NOT NULL,
    database_name text NOT NULL,
    -- SET query_group
    label text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('QUERY', 'DDL', 'UTILITY')),
    query_type text NOT NULL,
    -- A query without a table: "PG_LAST_QUERY_ID does not return the query ID for queries that run exclusively on
    -- the leader node" (Database Developer Guide, "PG_LAST_QUERY_ID"), nor does STV_INFLIGHT show them.
    on_leader boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'success', 'failed', 'canceled')),
    start_time timestamp NOT NULL,
    end_time timestamp,
    row_count bigint,
    -- False for what was refused before it ran: it had no query id yet. That STL_QUERY leaves it out is inferred.
    was_planned boolean NOT NULL,
    error_message text,
    query_text text NOT NULL
);
CREATE INDEX statement_session ON pg_internal.statement (session_id, query_id);
CREATE INDEX statement_batch ON pg_internal.statement (batch);

CREATE TABLE pg_internal.session (
    user_id integer NOT NULL,
    user_name text NOT NULL,
    session_id integer NOT NULL,
    database_name text NOT NULL,
    start_time timestamp NOT NULL,
    end_time timestamp NOT NULL
);

CREATE TABLE pg_internal.connection_event (
    event text NOT NULL,
    record_time timestamp NOT NULL,
    remote_host text NOT NULL,
    remote_port text NOT NULL,
    session_id integer,
    session_number text NOT NULL,
    database_name text NOT NULL,
    user_name text NOT NULL,
    duration bigint NOT NULL,
    ssl_version text NOT NULL,
    ssl_cipher text NOT NULL,
    application_name text NOT NULL,
    driver_version text NOT NULL,
    os_version text NOT NULL,
    plugin_name text NOT NULL
);

-- A batch: rows of the three tables. Its statements are kept as a large object, too, for sessions with an older
-- snapshot, under the number 2,500,000,000 + the batch's: see 30_logs.sql.
CREATE OR REPLACE FUNCTION pg_internal.record_queries(batch integer, document jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    INSERT INTO pg_internal.statement
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.statement, document -> 'statements')
    ON CONFLICT DO NOTHING;

    INSERT INTO pg_internal.session
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.session, document -> 'sessions');

    INSERT INTO pg_internal.connection_event
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.connection_event, document -> 'events');

    SELECT pg_internal.keep_document(2500000000, batch, 300, 2, document -> 'statements');
$body$;

-- The statements that run now, of one endpoint: an object under the number 3,000,000,000 + its connection's process id.
CREATE OR REPLACE FUNCTION pg_internal.record_running(statements jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    place oid := (3000000000::bigint + pg_backend_pid())::oid;
BEGIN
    PERFORM lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = place;
    PERFORM lo_from_bytea(place, convert_to(statements::text, 'UTF8'));
END $body$;

-- Redshift keeps these logs for seven days ("STL views for logging"); here there are no more than 100,000 statements.
CREATE OR REPLACE FUNCTION pg_internal.tidy_queries() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    DELETE FROM pg_internal.statement
    WHERE start_time < clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '7 days'
        OR query_id <= (SELECT query_id FROM pg_internal.statement ORDER BY query_id DESC OFFSET 100000 LIMIT 1);

    DELETE FROM pg_internal.session
    WHERE end_time < clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '7 days'
        OR end_time <= (SELECT end_time FROM pg_internal.session ORDER BY end_time DESC OFFSET 20000 LIMIT 1);

    DELETE FROM pg_internal.connection_event
    WHERE record_time < clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '7 days'
        OR record_time <= (
            SELECT record_time FROM pg_internal.connection_event ORDER BY record_time DESC OFFSET 50000 LIMIT 1
        );

    SELECT pg_advisory_xact_lock(5439, 2);

    SELECT lo_unlink(oid) FROM pg_largeobject_metadata
    WHERE oid >= 3000000000::bigint::oid
        AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = (oid::bigint - 3000000000)::integer);
$body$;

-- The statements in a large object that the session's user may see; none where there is no such object.
CREATE OR REPLACE FUNCTION pg_internal.kept_statements(place oid) RETURNS SETOF pg_internal.statement
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT kept.*
    FROM jsonb_populate_recordset(NULL::pg_internal.statement, pg_internal.kept_document(place)) AS kept
    WHERE pg_has_role(session_user, kept.user_id::oid, 'USAGE') OR pg_internal.sees_rows_of_others(session_user)
$body$;

CREATE OR REPLACE FUNCTION pg_internal.unseen_statements() RETURNS SETOF pg_internal.statement
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT kept.*
    FROM (
        SELECT last_value AS newest, (SELECT coalesce(max(batch), 0) FROM pg_internal.statement) AS seen
        FROM pg_internal.batch
    ) AS batches
    CROSS JOIN generate_series(greatest(seen + 1, newest - 300), newest) AS unseen
    CROSS JOIN LATERAL pg_internal.kept_statements((2500000000::bigint + unseen)::oid) AS kept
$body$;

CREATE OR REPLACE FUNCTION pg_internal.running_statements() RETURNS SETOF pg_internal.statement
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT kept.*
    FROM pg_stat_activity AS writer
    CROSS JOIN LATERAL pg_internal.kept_statements((3000000000::bigint + writer.pid)::oid) AS kept
    WHERE writer.usename = 'redshift_log' AND writer.application_name = 'query log'
$body$;

CREATE OR REPLACE VIEW pg_internal.all_statement AS
SELECT * FROM pg_internal.statement
UNION ALL
SELECT * FROM pg_internal.unseen_statements();

-- Sessions that are open, for those who may see them. PostgreSQL's view hides the details of other users' sessions.
CREATE OR REPLACE FUNCTION pg_internal.open_sessions()
RETURNS TABLE (user_id integer, user_name text, session_id integer, database_name text, start_time timestamp)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT
        activity.usesysid::integer, activity.usename::text, activity.pid, activity.datname::text,
        activity.backend_start AT TIME ZONE 'UTC'
    FROM pg_stat_activity AS activity
    JOIN pg_roles AS role ON role.oid = activity.usesysid
    WHERE activity.datname = current_database() AND activity.backend_type = 'client backend'
        AND NOT role.rolsuper AND role.rolname <> 'redshift_log'
        AND (
            pg_has_role(session_user, activity.usesysid, 'USAGE')
            OR pg_internal.sees_rows_of_others(session_user)
        )
$body$;

CREATE OR REPLACE FUNCTION pg_internal.last_query() RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT statement.query_id
    FROM pg_internal.all_statement AS statement
    JOIN pg_stat_get_activity(pg_backend_pid()) AS activity
        ON statement.start_time >= activity.backend_start AT TIME ZONE 'UTC'
    WHERE statement.session_id = pg_backend_pid() AND statement.kind = 'QUERY' AND NOT statement.on_leader
        AND statement.status = 'success'
    ORDER BY statement.query_id DESC
    LIMIT 1
$body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_query_id() RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT coalesce(pg_internal.last_query(), -1)
$body$;
