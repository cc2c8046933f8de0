-- What UNLOAD writes down about itself, as COPY does (load_log.sql): through a connection of its own, so that the
-- rows survive the client's rollback, with the newest unloads kept as large objects for sessions with an older
-- snapshot, under the number 2,000,000,000 + their own.
DROP TABLE IF EXISTS pg_internal.unload_file, pg_internal.unload CASCADE;

CREATE SEQUENCE IF NOT EXISTS pg_internal.unload_number AS integer;

CREATE TABLE pg_internal.unload (
    query_id integer PRIMARY KEY DEFAULT nextval('pg_internal.query_id'),
    sys_query_id integer GENERATED ALWAYS AS (pg_internal.sys_query_id(query_id)) STORED,
    unload_number integer NOT NULL DEFAULT nextval('pg_internal.unload_number'),
    user_id integer NOT NULL,
    transaction_id bigint,
    session_id integer NOT NULL,
    backend_start timestamptz,
    database_name text NOT NULL,
    query_text text NOT NULL,
    location text NOT NULL,
    file_format text NOT NULL,
    compression_type text NOT NULL,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'aborted')),
    -- False for an UNLOAD that ended before it read a row: pg_last_unload_id() does not count it.
    reached_unload boolean NOT NULL DEFAULT FALSE,
    start_time timestamp NOT NULL,
    end_time timestamp,
    unloaded_rows bigint NOT NULL DEFAULT 0,
    file_count bigint NOT NULL DEFAULT 0,
    file_bytes bigint NOT NULL DEFAULT 0,
    error_message text
);

CREATE TABLE pg_internal.unload_file (
    query_id integer NOT NULL REFERENCES pg_internal.unload ON DELETE CASCADE,
    file_number integer NOT NULL,
    path text NOT NULL,
    line_count bigint NOT NULL,
    transfer_size bigint NOT NULL,
    start_time timestamp NOT NULL,
    end_time timestamp NOT NULL,
    PRIMARY KEY (query_id, file_number)
);

CREATE OR REPLACE FUNCTION pg_internal.unseen_unloads()
RETURNS SETOF jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest integer := (SELECT last_value FROM pg_internal.unload_number);
    seen integer := (SELECT coalesce(max(unload_number), 0) FROM pg_internal.unload);
    descriptor integer;
    length integer;
    document jsonb;
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
        RETURN;
    END IF;
    FOR unseen IN greatest(seen + 1, newest - 100) .. newest LOOP
        BEGIN
            descriptor := lo_open((2000000000 + unseen)::oid, 131072); -- INV_WRITE
            length := lo_lseek(descriptor, 0, 2); -- SEEK_END
            PERFORM lo_lseek(descriptor, 0, 0);
            document := convert_from(loread(descriptor, length), 'UTF8')::jsonb;
            PERFORM lo_close(descriptor);
            IF pg_has_role(session_user, (document -> 'unload' ->> 'user_id')::oid, 'USAGE')
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

CREATE OR REPLACE VIEW pg_internal.all_unload AS
SELECT * FROM pg_internal.unload
UNION ALL
SELECT unload.*
FROM pg_internal.unseen_unloads() AS unseen,
    LATERAL jsonb_populate_record(NULL::pg_internal.unload, unseen -> 'unload') AS unload;

CREATE OR REPLACE VIEW pg_internal.all_unload_file AS
SELECT * FROM pg_internal.unload_file
UNION ALL
SELECT file.*
FROM pg_internal.unseen_unloads() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.unload_file, unseen -> 'unload_file') AS file;

-- The end of an UNLOAD. The document holds a row of `unload` and rows of `unload_file`.
CREATE OR REPLACE FUNCTION pg_internal.record_unload(document jsonb)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE pg_internal.unload AS unload
    SET
        status = ended.status,
        reached_unload = ended.reached_unload,
        end_time = ended.end_time,
        unloaded_rows = ended.unloaded_rows,
        file_count = ended.file_count,
        file_bytes = ended.file_bytes,
        error_message = ended.error_message
    FROM jsonb_populate_record(NULL::pg_internal.unload, document -> 'unload') AS ended
    WHERE unload.query_id = ended.query_id;

    INSERT INTO pg_internal.unload_file
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.unload_file, document -> 'unload_file');

    SELECT lo_from_bytea(
        (2000000000 + (document -> 'unload' ->> 'unload_number')::integer)::oid, convert_to(document::text, 'UTF8')
    );

    -- Two that end at once must not both unlink the same object: the second looks after the first has ended.
    SELECT pg_advisory_xact_lock(5439, 1);

    SELECT lo_unlink(oid) FROM pg_largeobject_metadata
    WHERE oid
        BETWEEN 2000000000::oid AND (2000000000 + (document -> 'unload' ->> 'unload_number')::integer - 100)::oid;
$$;

-- Called before every UNLOAD, as tidy_loads() is before every COPY.
CREATE OR REPLACE FUNCTION pg_internal.tidy_unloads()
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE pg_internal.unload AS unload
    SET
        status = 'aborted',
        end_time = clock_timestamp() AT TIME ZONE 'UTC',
        error_message = 'the session ended without a word'
    WHERE unload.status = 'running'
        AND NOT EXISTS (
            SELECT FROM pg_stat_get_activity(unload.session_id) AS activity
            WHERE activity.backend_start = unload.backend_start
        );

    DELETE FROM pg_internal.unload
    WHERE start_time < clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '7 days';
$$;

-- The session's last UNLOAD that began to unload; "if the UNLOAD transaction is rolled back, the UNLOAD ID is not
-- updated" (Database Developer Guide, PG_LAST_UNLOAD_ID).
CREATE OR REPLACE FUNCTION pg_internal.last_unload()
RETURNS pg_internal.all_unload
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT unload
    FROM pg_internal.all_unload AS unload
    JOIN pg_stat_get_activity(pg_backend_pid()) AS activity
        ON activity.backend_start = unload.backend_start
    WHERE unload.session_id = pg_backend_pid()
        AND unload.reached_unload
        AND (
            unload.status = 'aborted'
            OR unload.transaction_id IS NULL
            OR pg_xact_status(unload.transaction_id::text::xid8) IS DISTINCT FROM 'aborted'
        )
    ORDER BY unload.query_id DESC
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_id()
RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce((pg_internal.last_unload()).query_id, -1) $$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_count()
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(CASE WHEN last_unload.status = 'completed' THEN last_unload.unloaded_rows END, 0)
    FROM pg_internal.last_unload() AS last_unload
$$;

-- System views of unloads, with the columns and types of the guide's pages. Users see their own rows.
CREATE OR REPLACE VIEW pg_internal.visible_unload AS
SELECT unload.*
FROM pg_internal.all_unload AS unload
JOIN pg_catalog.pg_user AS me ON me.usename = current_user
WHERE me.usesysid = unload.user_id::oid OR pg_internal.sees_rows_of_others(me.usename);

CREATE OR REPLACE VIEW pg_catalog.stl_unload_log AS
SELECT
    unload.user_id AS userid,
    unload.query_id AS query,
    0 AS slice,
    unload.session_id AS pid,
    file.path::character(1280) AS path,
    file.start_time,
    file.end_time,
    file.line_count,
    file.transfer_size,
    unload.file_format::character(10) AS file_format
FROM pg_internal.visible_unload AS unload
JOIN pg_internal.all_unload_file AS file USING (query_id);

CREATE OR REPLACE VIEW pg_internal.sys_unload AS
SELECT
    unload.*,
    seen.up_to,
    COALESCE(unload.end_time <= seen.up_to, FALSE) AS has_ended
FROM pg_internal.visible_unload AS unload
CROSS JOIN (SELECT clock_timestamp() AT TIME ZONE 'UTC' - lag AS up_to FROM pg_internal.sys_lag) AS seen
WHERE unload.start_time <= seen.up_to;

CREATE OR REPLACE VIEW pg_catalog.sys_unload_history AS
SELECT
    user_id,
    sys_query_id::bigint AS query_id,
    transaction_id,
    session_id,
    database_name,
    CASE WHEN has_ended THEN status ELSE 'running' END AS status,
    start_time,
    CASE WHEN has_ended THEN end_time END AS end_time,
    (extract(EPOCH FROM CASE WHEN has_ended THEN end_time ELSE up_to END - start_time) * 1000000)::bigint AS duration,
    file_format,
    compression_type,
    location AS unloaded_location,
    CASE WHEN has_ended THEN unloaded_rows ELSE 0 END AS unloaded_rows,
    CASE WHEN has_ended THEN file_count ELSE 0 END AS unloaded_files_count,
    CASE WHEN has_ended THEN file_bytes ELSE 0 END AS unloaded_files_size,
    CASE WHEN has_ended THEN error_message END AS error_message
FROM pg_internal.sys_unload;

CREATE OR REPLACE VIEW pg_catalog.sys_unload_detail AS
SELECT
    unload.user_id,
    unload.sys_query_id AS query_id,
    unload.session_id,
    unload.transaction_id,
    file.path::character(1280) AS file_name,
    file.start_time,
    file.end_time,
    file.line_count,
    file.transfer_size,
    unload.file_format::character(10) AS file_format
FROM pg_internal.sys_unload AS unload
JOIN pg_internal.all_unload_file AS file USING (query_id)
WHERE unload.has_ended;

GRANT SELECT ON pg_catalog.stl_unload_log, pg_catalog.sys_unload_history, pg_catalog.sys_unload_detail TO PUBLIC;
