-- What COPY and UNLOAD write down about themselves, through a connection of its own: the rows survive the client's
-- rollback.
DROP TABLE IF EXISTS
    pg_internal.load_error_field, pg_internal.load_error, pg_internal.load_replacement, pg_internal.transfer_file,
    pg_internal.transfer
CASCADE;

-- What earlier versions had in their place.
DROP TABLE IF EXISTS
    pg_internal.load_file, pg_internal.load, pg_internal.unload_file, pg_internal.unload
CASCADE;
DROP SEQUENCE IF EXISTS pg_internal.load_number, pg_internal.unload_number;
DROP FUNCTION IF EXISTS
    pg_internal.unseen_loads, pg_internal.record_load, pg_internal.tidy_loads, pg_internal.unseen_unloads,
    pg_internal.record_unload, pg_internal.tidy_unloads;

CREATE SEQUENCE IF NOT EXISTS pg_internal.transfer_number AS integer;

CREATE TABLE pg_internal.transfer (
    query_id integer PRIMARY KEY DEFAULT nextval('pg_internal.query_id'),
    sys_query_id integer GENERATED ALWAYS AS (pg_internal.sys_query_id(query_id)) STORED,
    transfer_number integer NOT NULL DEFAULT nextval('pg_internal.transfer_number'),
    kind text NOT NULL CHECK (kind IN ('COPY', 'UNLOAD')),
    user_id integer NOT NULL,
    transaction_id bigint,
    session_id integer NOT NULL,
    backend_start timestamptz,
    database_name text NOT NULL,
    query_text text NOT NULL,
    -- Where a COPY reads, an UNLOAD writes.
    location text NOT NULL,
    file_format text NOT NULL,
    -- Of a COPY only.
    table_id integer CHECK (table_id IS NOT NULL OR kind <> 'COPY'),
    table_name text CHECK (table_name IS NOT NULL OR kind <> 'COPY'),
    -- Of an UNLOAD only.
    compression_type text CHECK (compression_type IS NOT NULL OR kind <> 'UNLOAD'),
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'aborted')),
    -- False for one that ended before it read a row: pg_last_copy_id() and pg_last_unload_id() do not count it.
    reached_rows boolean NOT NULL DEFAULT FALSE,
    start_time timestamp NOT NULL,
    end_time timestamp,
    row_count bigint NOT NULL DEFAULT 0,
    -- Of a COPY, without their compression.
    byte_count bigint NOT NULL DEFAULT 0,
    file_count integer NOT NULL DEFAULT 0,
    file_bytes bigint NOT NULL DEFAULT 0,
    error_count bigint NOT NULL DEFAULT 0,
    error_message text
);
CREATE INDEX transfer_session ON pg_internal.transfer (session_id, query_id);

CREATE TABLE pg_internal.transfer_file (
    query_id integer NOT NULL REFERENCES pg_internal.transfer ON DELETE CASCADE,
    file_number integer NOT NULL,
    url text NOT NULL,
    size bigint NOT NULL,
    line_count bigint NOT NULL,
    error_count integer NOT NULL,
    start_time timestamp NOT NULL,
    end_time timestamp NOT NULL,
    etag text NOT NULL,
    last_modified timestamp,
    PRIMARY KEY (query_id, file_number)
);

CREATE TABLE pg_internal.load_error (
    query_id integer NOT NULL REFERENCES pg_internal.transfer ON DELETE CASCADE,
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
    query_id integer NOT NULL REFERENCES pg_internal.transfer ON DELETE CASCADE,
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
    query_id integer NOT NULL REFERENCES pg_internal.transfer ON DELETE CASCADE,
    replacement_number integer NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    column_name text NOT NULL,
    raw_line text NOT NULL,
    PRIMARY KEY (query_id, replacement_number)
);

-- The newest that have ended, from the documents under 1,000,000,000 + their numbers (see 30_logs.sql). Users see
-- those of the users they may be.
CREATE OR REPLACE FUNCTION pg_internal.unseen_transfers() RETURNS SETOF jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT kept.document
    FROM (
        SELECT last_value AS newest, (SELECT coalesce(max(transfer_number), 0) FROM pg_internal.transfer) AS seen
        FROM pg_internal.transfer_number
    ) AS numbers
    CROSS JOIN generate_series(greatest(seen + 1, newest - 200), newest) AS unseen
    CROSS JOIN LATERAL pg_internal.kept_document((1000000000::bigint + unseen)::oid) AS kept (document)
    WHERE kept.document IS NOT NULL AND (
        pg_has_role(session_user, (kept.document -> 'transfer' ->> 'user_id')::oid, 'USAGE')
        OR pg_internal.sees_rows_of_others(session_user)
    )
$body$;

CREATE OR REPLACE VIEW pg_internal.all_transfer AS
SELECT * FROM pg_internal.transfer
UNION ALL
SELECT transfer.*
FROM pg_internal.unseen_transfers() AS unseen,
    LATERAL jsonb_populate_record(NULL::pg_internal.transfer, unseen -> 'transfer') AS transfer;

CREATE OR REPLACE VIEW pg_internal.all_transfer_file AS
SELECT * FROM pg_internal.transfer_file
UNION ALL
SELECT file.*
FROM pg_internal.unseen_transfers() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.transfer_file, unseen -> 'transfer_file') AS file;

CREATE OR REPLACE VIEW pg_internal.all_load_error AS
SELECT * FROM pg_internal.load_error
UNION ALL
SELECT error.*
FROM pg_internal.unseen_transfers() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.load_error, unseen -> 'load_error') AS error;

CREATE OR REPLACE VIEW pg_internal.all_load_error_field AS
SELECT * FROM pg_internal.load_error_field
UNION ALL
SELECT field.*
FROM pg_internal.unseen_transfers() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.load_error_field, unseen -> 'load_error_field') AS field;

CREATE OR REPLACE VIEW pg_internal.all_load_replacement AS
SELECT * FROM pg_internal.load_replacement
UNION ALL
SELECT replacement.*
FROM pg_internal.unseen_transfers() AS unseen,
    LATERAL jsonb_populate_recordset(NULL::pg_internal.load_replacement, unseen -> 'load_replacement')
        AS replacement;

-- The end of one. The document holds a row of `transfer` and rows of `transfer_file`; of a COPY also of
-- `load_replacement`, `load_error` and `load_error_field`. Errors are written while the COPY runs, the document
-- repeats the first of them.
CREATE OR REPLACE FUNCTION pg_internal.record_transfer(document jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    UPDATE pg_internal.transfer AS transfer
    SET
        status = ended.status,
        reached_rows = ended.reached_rows,
        end_time = ended.end_time,
        row_count = ended.row_count,
        byte_count = ended.byte_count,
        file_count = ended.file_count,
        file_bytes = ended.file_bytes,
        error_count = ended.error_count,
        error_message = ended.error_message
    FROM jsonb_populate_record(NULL::pg_internal.transfer, document -> 'transfer') AS ended
    WHERE transfer.query_id = ended.query_id;

    INSERT INTO pg_internal.transfer_file
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.transfer_file, document -> 'transfer_file');

    INSERT INTO pg_internal.load_replacement
    SELECT * FROM jsonb_populate_recordset(NULL::pg_internal.load_replacement, document -> 'load_replacement');

    SELECT pg_internal.keep_document(
        1000000000, (document -> 'transfer' ->> 'transfer_number')::integer, 200, 1, document
    );
$body$;

-- Called before every COPY and UNLOAD: one whose session is gone never reported its end, because the endpoint was
-- killed. Redshift keeps these logs for seven days.
CREATE OR REPLACE FUNCTION pg_internal.tidy_transfers() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    UPDATE pg_internal.transfer AS transfer
    SET
        status = 'aborted',
        end_time = clock_timestamp() AT TIME ZONE 'UTC',
        error_message = 'the session ended without a word'
    WHERE transfer.status = 'running'
        AND NOT EXISTS (
            SELECT FROM pg_stat_get_activity(transfer.session_id) AS activity
            WHERE activity.backend_start = transfer.backend_start
        );

    DELETE FROM pg_internal.transfer
    WHERE start_time < clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '7 days';
$body$;

-- The session's last COPY or UNLOAD that got to its rows; one that was rolled back with its transaction does not
-- count: "if the UNLOAD transaction is rolled back, the UNLOAD ID is not updated" (Database Developer Guide,
-- PG_LAST_UNLOAD_ID).
CREATE OR REPLACE FUNCTION pg_internal.last_transfer(wanted text) RETURNS pg_internal.all_transfer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT transfer
    FROM pg_internal.all_transfer AS transfer
    JOIN pg_stat_get_activity(pg_backend_pid()) AS activity
        ON activity.backend_start = transfer.backend_start
    WHERE transfer.session_id = pg_backend_pid()
        AND transfer.kind = wanted
        AND transfer.reached_rows
        AND (
            transfer.status = 'aborted'
            OR transfer.transaction_id IS NULL
            OR pg_xact_status(transfer.transaction_id::text::xid8) IS DISTINCT FROM 'aborted'
        )
    ORDER BY transfer.query_id DESC
    LIMIT 1
$body$;

CREATE OR REPLACE FUNCTION pg_internal.last_row_count(wanted text) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT coalesce(CASE WHEN last.status = 'completed' THEN last.row_count END, 0)
    FROM pg_internal.last_transfer(wanted) AS last
$body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_id() RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$ SELECT coalesce((pg_internal.last_transfer('COPY')).query_id, -1) $body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$ SELECT pg_internal.last_row_count('COPY') $body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_id() RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$ SELECT coalesce((pg_internal.last_transfer('UNLOAD')).query_id, -1) $body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_count() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$ SELECT pg_internal.last_row_count('UNLOAD') $body$;
