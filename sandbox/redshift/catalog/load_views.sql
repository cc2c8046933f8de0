-- System views of loads, with the columns and types of Redshift's documentation. Users see their own rows.
-- CHAR columns are blank-padded, as in Redshift.

CREATE OR REPLACE VIEW pg_internal.visible_load AS
SELECT load.*
FROM pg_internal.all_load AS load
JOIN pg_catalog.pg_user AS me ON me.usename = current_user
WHERE me.usesysid = load.user_id::oid OR pg_internal.sees_rows_of_others(me.usename);

-- What the SYS views know: everything as it was some time ago. They have "both running and finished COPY commands"
-- (Database Developer Guide, "SYS_LOAD_HISTORY"); how soon is nowhere said.
CREATE OR REPLACE VIEW pg_internal.sys_load AS
SELECT
    load.*,
    seen.up_to,
    COALESCE(load.end_time <= seen.up_to, FALSE) AS has_ended
FROM pg_internal.visible_load AS load
CROSS JOIN (SELECT clock_timestamp() AT TIME ZONE 'UTC' - lag AS up_to FROM pg_internal.sys_lag) AS seen
WHERE load.start_time <= seen.up_to;

CREATE OR REPLACE VIEW pg_catalog.sys_load_history AS
SELECT
    user_id,
    sys_query_id::bigint AS query_id,
    transaction_id,
    session_id,
    database_name,
    CASE WHEN has_ended THEN status ELSE 'running' END AS status,
    table_name,
    start_time,
    CASE WHEN has_ended THEN end_time END AS end_time,
    (extract(EPOCH FROM CASE WHEN has_ended THEN end_time ELSE up_to END - start_time) * 1000000)::bigint AS duration,
    data_source,
    lower(file_format) AS file_format,
    CASE WHEN has_ended THEN loaded_rows ELSE 0 END AS loaded_rows,
    CASE WHEN has_ended THEN loaded_bytes ELSE 0 END AS loaded_bytes,
    CASE WHEN has_ended THEN source_file_count ELSE 0 END AS source_file_count,
    CASE WHEN has_ended THEN source_file_bytes ELSE 0 END AS source_file_bytes,
    CASE WHEN has_ended THEN source_file_count ELSE 0 END AS file_count_scanned,
    CASE WHEN has_ended THEN source_file_bytes ELSE 0 END AS file_bytes_scanned,
    CASE WHEN has_ended THEN error_count ELSE 0 END AS error_count,
    0::bigint AS copy_job_id
FROM pg_internal.sys_load;

CREATE OR REPLACE VIEW pg_catalog.sys_load_detail AS
SELECT
    load.user_id,
    load.sys_query_id AS query_id,
    file.file_name::character(256) AS file_name,
    file.bytes_scanned,
    file.lines_scanned,
    file.end_time AS record_time,
    0 AS splits_scanned,
    file.start_time,
    file.end_time,
    file.file_etag::character(256) AS file_etag,
    file.file_last_modified
FROM pg_internal.sys_load AS load
JOIN pg_internal.all_load_file AS file USING (query_id)
WHERE load.has_ended;

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
FROM pg_internal.sys_load AS load
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
FROM pg_internal.visible_load AS load
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
FROM pg_internal.visible_load AS load
JOIN pg_internal.all_load_error AS error USING (query_id)
JOIN pg_internal.all_load_error_field AS field USING (query_id, error_number);

CREATE OR REPLACE VIEW pg_catalog.stl_load_commits AS
SELECT
    load.user_id AS userid,
    load.query_id AS query,
    0 AS slice,
    file.file_name::character(256) AS name,
    file.file_name::character(256) AS filename,
    file.bytes_scanned::integer AS byte_offset,
    file.lines_scanned,
    file.error_count AS errors,
    file.end_time AS curtime,
    1 AS status,
    load.file_format::character(16) AS file_format,
    0 AS is_partial,
    0::bigint AS start_offset,
    (-1)::bigint AS copy_job_id
FROM pg_internal.visible_load AS load
JOIN pg_internal.all_load_file AS file USING (query_id);

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
FROM pg_internal.sys_load AS load
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
FROM pg_internal.visible_load AS load
JOIN pg_internal.all_load_replacement AS replacement USING (query_id);

GRANT SELECT ON
    pg_catalog.sys_load_history, pg_catalog.sys_load_detail, pg_catalog.sys_load_error_detail,
    pg_catalog.stl_load_errors, pg_catalog.stl_loaderror_detail, pg_catalog.stl_load_commits,
    pg_catalog.sys_copy_replacements, pg_catalog.stl_replacements
TO PUBLIC;
