-- System views of COPYs and UNLOADs, with the columns and types of Redshift's documentation. Users see their own rows.
-- CHAR columns are blank-padded, as in Redshift.

CREATE OR REPLACE VIEW pg_internal.visible_transfer AS
SELECT transfer.*
FROM pg_internal.all_transfer AS transfer
JOIN pg_catalog.pg_user AS me ON me.usename = current_user
WHERE me.usesysid = transfer.user_id::oid OR pg_internal.sees_rows_of_others(me.usename);

-- What the SYS views know: everything as it was some time ago. They have "both running and finished COPY commands"
-- (Database Developer Guide, "SYS_LOAD_HISTORY"); how soon is nowhere said.
CREATE OR REPLACE VIEW pg_internal.sys_transfer AS
SELECT
    transfer.user_id,
    transfer.query_id,
    transfer.sys_query_id,
    transfer.kind,
    transfer.transaction_id,
    transfer.session_id,
    transfer.database_name,
    transfer.table_id,
    transfer.table_name,
    transfer.location,
    transfer.file_format,
    transfer.compression_type,
    transfer.start_time,
    ended.has_ended,
    CASE WHEN ended.has_ended THEN transfer.status ELSE 'running' END AS status,
    CASE WHEN ended.has_ended THEN transfer.end_time END AS end_time,
    pg_internal.microseconds(
        CASE WHEN ended.has_ended THEN transfer.end_time ELSE seen.up_to END - transfer.start_time
    ) AS duration,
    CASE WHEN ended.has_ended THEN transfer.row_count ELSE 0 END AS row_count,
    CASE WHEN ended.has_ended THEN transfer.byte_count ELSE 0 END AS byte_count,
    CASE WHEN ended.has_ended THEN transfer.file_count ELSE 0 END AS file_count,
    CASE WHEN ended.has_ended THEN transfer.file_bytes ELSE 0 END AS file_bytes,
    CASE WHEN ended.has_ended THEN transfer.error_count ELSE 0 END AS error_count,
    CASE WHEN ended.has_ended THEN transfer.error_message END AS error_message
FROM pg_internal.visible_transfer AS transfer
CROSS JOIN pg_internal.sys_seen AS seen
CROSS JOIN LATERAL (SELECT COALESCE(transfer.end_time <= seen.up_to, FALSE) AS has_ended) AS ended
WHERE transfer.start_time <= seen.up_to;

CREATE OR REPLACE VIEW pg_catalog.sys_load_history AS
SELECT
    user_id,
    sys_query_id::bigint AS query_id,
    transaction_id,
    session_id,
    database_name,
    status,
    table_name,
    start_time,
    end_time,
    duration,
    location AS data_source,
    lower(file_format) AS file_format,
    row_count AS loaded_rows,
    byte_count AS loaded_bytes,
    file_count AS source_file_count,
    file_bytes AS source_file_bytes,
    file_count AS file_count_scanned,
    file_bytes AS file_bytes_scanned,
    error_count,
    0::bigint AS copy_job_id
FROM pg_internal.sys_transfer
WHERE kind = 'COPY';

CREATE OR REPLACE VIEW pg_catalog.sys_load_detail AS
SELECT
    load.user_id,
    load.sys_query_id AS query_id,
    file.url::character(256) AS file_name,
    file.size AS bytes_scanned,
    file.line_count::integer AS lines_scanned,
    file.end_time AS record_time,
    0 AS splits_scanned,
    file.start_time,
    file.end_time,
    file.etag::character(256) AS file_etag,
    file.last_modified AS file_last_modified
FROM pg_internal.sys_transfer AS load
JOIN pg_internal.all_transfer_file AS file USING (query_id)
WHERE load.kind = 'COPY' AND load.has_ended;

CREATE OR REPLACE VIEW pg_catalog.sys_load_error_detail AS
SELECT
    load.user_id,
    load.sys_query_id::bigint AS query_id,
    load.transaction_id,
    load.session_id,
    load.database_name::character(64) AS database_name,
    load.table_id,
    load.start_time,
    error.file_name::character(256) AS file_name,
    error.line_number,
    error.column_name::character(127) AS column_name,
    error.column_type::character(10) AS column_type,
    error.column_length::character(10) AS column_length,
    error."position",
    error.error_code,
    error.error_reason::character(512) AS error_message
FROM pg_internal.sys_transfer AS load
JOIN pg_internal.all_load_error AS error USING (query_id)
WHERE load.has_ended;

CREATE OR REPLACE VIEW pg_catalog.stl_load_errors AS
SELECT
    load.user_id AS userid,
    0 AS slice,
    load.table_id AS tbl,
    load.start_time AS starttime,
    load.session_id AS session,
    load.query_id AS query,
    error.file_name::character(256) AS filename,
    error.line_number,
    error.column_name::character(127) AS colname,
    error.column_type::character(10) AS type,
    error.column_length::character(10) AS col_length,
    error."position",
    error.raw_line::character(1024) AS raw_line,
    error.raw_value::character(1024) AS raw_field_value,
    error.error_code AS err_code,
    error.error_reason::character(100) AS err_reason,
    0 AS is_partial,
    0::bigint AS start_offset,
    (-1)::bigint AS copy_job_id
FROM pg_internal.visible_transfer AS load
JOIN pg_internal.all_load_error AS error USING (query_id);

CREATE OR REPLACE VIEW pg_catalog.stl_loaderror_detail AS
SELECT
    load.user_id AS userid,
    0 AS slice,
    load.session_id AS session,
    load.query_id AS query,
    error.file_name::character(256) AS filename,
    error.line_number,
    field.field,
    field."column"::character(1024) AS colname,
    field.value::character(1024) AS value,
    (field.value IS NULL)::integer AS is_null,
    field.column_type::character(10) AS type,
    field.column_length::character(10) AS col_length
FROM pg_internal.visible_transfer AS load
JOIN pg_internal.all_load_error AS error USING (query_id)
JOIN pg_internal.all_load_error_field AS field USING (query_id, error_number);

CREATE OR REPLACE VIEW pg_catalog.stl_load_commits AS
SELECT
    load.user_id AS userid,
    load.query_id AS query,
    0 AS slice,
    file.url::character(256) AS name,
    file.url::character(256) AS filename,
    file.size::integer AS byte_offset,
    file.line_count::integer AS lines_scanned,
    file.error_count AS errors,
    file.end_time AS curtime,
    1 AS status,
    load.file_format::character(16) AS file_format,
    0 AS is_partial,
    0::bigint AS start_offset,
    (-1)::bigint AS copy_job_id
FROM pg_internal.visible_transfer AS load
JOIN pg_internal.all_transfer_file AS file USING (query_id)
WHERE load.kind = 'COPY';

-- Database Developer Guide, "SYS_COPY_REPLACEMENTS" and "STL_REPLACEMENTS".
CREATE OR REPLACE VIEW pg_catalog.sys_copy_replacements AS
SELECT
    load.user_id,
    load.sys_query_id::bigint AS query_id,
    load.table_id,
    replacement.file_name::character(256) AS file_name,
    replacement.column_name::character(127) AS column_name,
    replacement.line_number,
    replacement.raw_line::character(1024) AS raw_line
FROM pg_internal.sys_transfer AS load
JOIN pg_internal.all_load_replacement AS replacement USING (query_id)
WHERE load.has_ended;

CREATE OR REPLACE VIEW pg_catalog.stl_replacements AS
SELECT
    load.user_id AS userid,
    load.query_id AS query,
    0 AS slice,
    load.table_id AS tbl,
    load.start_time AS starttime,
    load.session_id AS session,
    replacement.file_name::character(256) AS filename,
    replacement.line_number,
    replacement.column_name::character(127) AS colname,
    replacement.raw_line::character(1024) AS raw_line
FROM pg_internal.visible_transfer AS load
JOIN pg_internal.all_load_replacement AS replacement USING (query_id);

CREATE OR REPLACE VIEW pg_catalog.sys_unload_history AS
SELECT
    user_id,
    sys_query_id::bigint AS query_id,
    transaction_id,
    session_id,
    database_name,
    status,
    start_time,
    end_time,
    duration,
    file_format,
    compression_type,
    location AS unloaded_location,
    row_count AS unloaded_rows,
    file_count::bigint AS unloaded_files_count,
    file_bytes AS unloaded_files_size,
    error_message
FROM pg_internal.sys_transfer
WHERE kind = 'UNLOAD';

CREATE OR REPLACE VIEW pg_catalog.sys_unload_detail AS
SELECT
    unload.user_id,
    unload.sys_query_id AS query_id,
    unload.session_id,
    unload.transaction_id,
    file.url::character(1280) AS file_name,
    file.start_time,
    file.end_time,
    file.line_count,
    file.size AS transfer_size,
    unload.file_format::character(10) AS file_format
FROM pg_internal.sys_transfer AS unload
JOIN pg_internal.all_transfer_file AS file USING (query_id)
WHERE unload.kind = 'UNLOAD' AND unload.has_ended;

CREATE OR REPLACE VIEW pg_catalog.stl_unload_log AS
SELECT
    unload.user_id AS userid,
    unload.query_id AS query,
    0 AS slice,
    unload.session_id AS pid,
    file.url::character(1280) AS path,
    file.start_time,
    file.end_time,
    file.line_count,
    file.size AS transfer_size,
    unload.file_format::character(10) AS file_format
FROM pg_internal.visible_transfer AS unload
JOIN pg_internal.all_transfer_file AS file USING (query_id)
WHERE unload.kind = 'UNLOAD';

GRANT SELECT ON
    pg_catalog.sys_load_history, pg_catalog.sys_load_detail, pg_catalog.sys_load_error_detail,
    pg_catalog.stl_load_errors, pg_catalog.stl_loaderror_detail, pg_catalog.stl_load_commits,
    pg_catalog.sys_copy_replacements, pg_catalog.stl_replacements,
    pg_catalog.sys_unload_history, pg_catalog.sys_unload_detail, pg_catalog.stl_unload_log
TO PUBLIC;
