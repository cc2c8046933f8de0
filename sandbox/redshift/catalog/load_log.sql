-- What COPY writes down about itself, through a connection of its own: the rows survive the client's rollback.
CREATE SCHEMA IF NOT EXISTS pg_internal;

-- How long after it happened something appears in the SYS views; every start of the endpoint sets it.
CREATE TABLE IF NOT EXISTS pg_internal.sys_lag (lag interval NOT NULL);

-- This file runs when a new version of the endpoint starts: the log begins anew, the numbers go on.
DROP TABLE IF EXISTS
    pg_internal.load_error_field, pg_internal.load_error, pg_internal.load_replacement, pg_internal.load_file,
    pg_internal.load
CASCADE;
SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid >= 1000000000;

-- "The query identifiers recorded in the SYS system views are different from those recorded in the provisioned-only
-- views" (Redshift Database Developer Guide, "System tables and views reference"): two numbers that never coincide.
-- An endpoint numbers all its statements, loads among them, and takes the numbers in blocks of 10,000.
CREATE SEQUENCE IF NOT EXISTS pg_internal.query_id AS integer START 1000;
ALTER SEQUENCE pg_internal.query_id INCREMENT BY 10000 MAXVALUE 499980000;
DROP SEQUENCE IF EXISTS pg_internal.sys_query_id;
CREATE OR REPLACE FUNCTION pg_internal.sys_query_id(query_id integer) RETURNS integer
LANGUAGE sql IMMUTABLE
RETURN query_id + 499999000;

CREATE SEQUENCE IF NOT EXISTS pg_internal.load_number AS integer;

CREATE TABLE pg_internal.load (
    query_id integer PRIMARY KEY DEFAULT nextval('pg_internal.query_id'),
    sys_query_id integer GENERATED ALWAYS AS (pg_internal.sys_query_id(query_id)) STORED,
    load_number integer NOT NULL DEFAULT nextval('pg_internal.load_number'),
    user_id integer NOT NULL,
    transaction_id bigint,
    session_id integer NOT NULL,
    backend_start timestamptz,
    database_name text NOT NULL,
    table_id integer NOT NULL,
    table_name text NOT NULL,
    query_text text NOT NULL,
    data_source text NOT NULL,
    file_format text NOT NULL DEFAULT 'JSON',
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'aborted')),
    -- False for a COPY that ended before it read a row: pg_last_copy_id() does not count it.
    reached_load boolean NOT NULL DEFAULT FALSE,
    start_time timestamp NOT NULL,
    end_time timestamp,
    loaded_rows bigint NOT NULL DEFAULT 0,
    loaded_bytes bigint NOT NULL DEFAULT 0,
    source_file_count integer NOT NULL DEFAULT 0,
    source_file_bytes bigint NOT NULL DEFAULT 0,
    error_count bigint NOT NULL DEFAULT 0,
    error_message text
);
CREATE INDEX load_session ON pg_internal.load (session_id, query_id);

CREATE TABLE pg_internal.load_file (
    query_id integer NOT NULL REFERENCES pg_internal.load ON DELETE CASCADE,
    file_number integer NOT NULL,
    file_name text NOT NULL,
    bytes_scanned bigint NOT NULL,
    lines_scanned integer NOT NULL,
    error_count integer NOT NULL,
    start_time timestamp NOT NULL,
    end_time timestamp NOT NULL,
    file_etag text NOT NULL,
    file_last_modified timestamp,
    PRIMARY KEY (query_id, file_number)
);

CREATE TABLE pg_internal.load_error (
    query_id integer NOT NULL REFERENCES pg_internal.load ON DELETE CASCADE,
    error_number integer NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    column_name text NOT NULL,
    column_type text NOT NULL,
    column_length text NOT NULL,
    position integer NOT NULL,
    raw_line text NOT NULL,
    raw_value text NOT NULL,
    error_code integer NOT NULL,
    error_reason text NOT NULL,
    PRIMARY KEY (query_id, error_number)
);

-- The fields of the first rejected rows, up to and including the bad one.
CREATE TABLE pg_internal.load_error_field (
    query_id integer NOT NULL REFERENCES pg_internal.load ON DELETE CASCADE,
    error_number integer NOT NULL,
    field integer NOT NULL,
    "column" text NOT NULL,
    column_type text NOT NULL,
    column_length text NOT NULL,
    value text,
    PRIMARY KEY (query_id, error_number, field)
);

-- The first rows in which ACCEPTINVCHARS replaced characters.
CREATE TABLE pg_internal.load_replacement (
    query_id integer NOT NULL REFERENCES pg_internal.load ON DELETE CASCADE,
    replacement_number integer NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    column_name text NOT NULL,
    raw_line text NOT NULL,
    PRIMARY KEY (query_id, replacement_number)
);

-- Sessions run in REPEATABLE READ and would not see what is written here after their snapshot, while Redshift's
-- logs are outside of any transaction: pg_last_copy_count() right behind the COPY must answer. A large object
-- opened for writing is read as it is now, whatever the snapshot. So every finished load is also kept as
-- one, as JSON, under the number 1,000,000,000 + its own, as long as a snapshot may be older; a sequence, too,
-- is outside of any transaction and tells how far to look. Users see the loads of the users they may be.
CREATE OR REPLACE FUNCTION pg_internal.unseen_loads()
RETURNS SETOF jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest integer := (SELECT last_value FROM pg_internal.load_number);
    seen integer := (SELECT coalesce(max(load_number), 0) FROM pg_internal.load);
    descriptor integer;
    length integer;
    document jsonb;
BEGIN
    -- A transaction that may not write may not open an object for writing; nor can it have run a COPY.
    IF current_setting('transaction_read_only')::boolean THEN
        RETURN;
    END IF;
    FOR unseen IN greatest(seen + 1, newest - 100) .. newest LOOP
        BEGIN
            descriptor := lo_open((1000000000 + unseen)::oid, 131072); -- INV_WRITE
            length := lo_lseek(descriptor, 0, 2); -- SEEK_END
            PERFORM lo_lseek(descriptor, 0, 0);
            document := convert_from(loread(descriptor, length), 'UTF8')::jsonb;
            PERFORM lo_close(descriptor);
            IF pg_has_role(session_user, (document -> 'load' ->> 'user_id')::oid, 'USAGE')
                OR pg_internal.sees_rows_of_others(session_user)
            THEN
                RETURN NEXT document;
            END IF;
        EXCEPTION WHEN undefined_object THEN
            NULL; -- still running, or never finished
        END;
    END LOOP;
END
$$;

CREATE OR REPLACE VIEW pg_internal.all_load AS
SELECT * FROM pg_internal.load
UNION ALL
SELECT load.*
FROM pg_internal.unseen_loads() AS unseen,
    LATERAL jsonb_populate_record(NULL::pg_internal.load, unseen -> 'load') AS load;

CREATE OR REPLACE VIEW pg_internal.all_load_file AS
SELECT * FROM pg_internal.load_file
UNION ALL
SELECT file.*
FROM pg_internal.unseen_loads() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.load_file, unseen -> 'load_file') AS file;

CREATE OR REPLACE VIEW pg_internal.all_load_error AS
SELECT * FROM pg_internal.load_error
UNION ALL
SELECT error.*
FROM pg_internal.unseen_loads() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.load_error, unseen -> 'load_error') AS error;

CREATE OR REPLACE VIEW pg_internal.all_load_error_field AS
SELECT * FROM pg_internal.load_error_field
UNION ALL
SELECT field.*
FROM pg_internal.unseen_loads() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.load_error_field, unseen -> 'load_error_field') AS field;

CREATE OR REPLACE VIEW pg_internal.all_load_replacement AS
SELECT * FROM pg_internal.load_replacement
UNION ALL
SELECT replacement.*
FROM pg_internal.unseen_loads() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.load_replacement, unseen -> 'load_replacement')
        AS replacement;

-- The end of a load. The document holds a row of `load` and rows of `load_file`, `load_replacement`, `load_error`
-- and `load_error_field`; errors are written here while the load runs, the document repeats the first of them.
CREATE OR REPLACE FUNCTION pg_internal.record_load(document jsonb)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE pg_internal.load AS load
    SET
        status = ended.status,
        reached_load = ended.reached_load,
        end_time = ended.end_time,
        loaded_rows = ended.loaded_rows,
        loaded_bytes = ended.loaded_bytes,
        source_file_count = ended.source_file_count,
        source_file_bytes = ended.source_file_bytes,
        error_count = ended.error_count,
        error_message = ended.error_message
    FROM jsonb_populate_record(NULL::pg_internal.load, document -> 'load') AS ended
    WHERE load.query_id = ended.query_id;

    INSERT INTO pg_internal.load_file
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.load_file, document -> 'load_file');

    INSERT INTO pg_internal.load_replacement
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.load_replacement, document -> 'load_replacement');

    SELECT lo_from_bytea(
        (1000000000 + (document -> 'load' ->> 'load_number')::integer)::oid, convert_to(document::text, 'UTF8')
    );

    -- Two loads that end at once must not both unlink the same object: the second looks after the first has ended.
    SELECT pg_advisory_xact_lock(5439, 1);

    SELECT lo_unlink(oid) FROM pg_largeobject_metadata
    WHERE oid BETWEEN 1000000000::oid AND (1000000000 + (document -> 'load' ->> 'load_number')::integer - 100)::oid;
$$;

-- Called before every load: a COPY whose session is gone never reported its end, because the endpoint was killed.
-- Redshift keeps these logs for seven days.
CREATE OR REPLACE FUNCTION pg_internal.tidy_loads()
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE pg_internal.load AS load
    SET
        status = 'aborted',
        end_time = clock_timestamp() AT TIME ZONE 'UTC',
        error_message = 'the session ended without a word'
    WHERE load.status = 'running'
        AND NOT EXISTS (
            SELECT FROM pg_stat_get_activity(load.session_id) AS activity
            WHERE activity.backend_start = load.backend_start
        );

    DELETE FROM pg_internal.load
    WHERE start_time < clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '7 days';
$$;

-- The session's last COPY that began to load rows; one that was rolled back with its transaction does not count.
CREATE OR REPLACE FUNCTION pg_internal.last_copy()
RETURNS pg_internal.all_load
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT load
    FROM pg_internal.all_load AS load
    JOIN pg_stat_get_activity(pg_backend_pid()) AS activity
        ON activity.backend_start = load.backend_start
    WHERE load.session_id = pg_backend_pid()
        AND load.reached_load
        AND (
            load.status = 'aborted'
            OR load.transaction_id IS NULL
            OR pg_xact_status(load.transaction_id::text::xid8) IS DISTINCT FROM 'aborted'
        )
    ORDER BY load.query_id DESC
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_id()
RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce((pg_internal.last_copy()).query_id, -1) $$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_count()
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(CASE WHEN last_copy.status = 'completed' THEN last_copy.loaded_rows END, 0)
    FROM pg_internal.last_copy() AS last_copy
$$;
