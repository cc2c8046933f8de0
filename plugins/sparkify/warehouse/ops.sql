-- The pipeline's own records.
CREATE SCHEMA IF NOT EXISTS ops;

-- One row per version of a source file that was staged; committed together with its rows.
CREATE TABLE IF NOT EXISTS ops.staged_files (
    dataset VARCHAR(128) NOT NULL,
    bucket VARCHAR(128) NOT NULL,
    key VARCHAR(1024) NOT NULL,
    etag VARCHAR(128) NOT NULL,
    size BIGINT NOT NULL,
    last_modified TIMESTAMP NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    staged_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (dataset, key);

-- The source of each staging table: what another source staged would replace its rows, unless it is appended.
CREATE TABLE IF NOT EXISTS ops.sources (
    dataset VARCHAR(128) NOT NULL,
    source VARCHAR(1280) NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE ALL;

-- One row per committed load; sizes in bytes, times in UTC.
CREATE TABLE IF NOT EXISTS ops.loads (
    load_id VARCHAR(64) NOT NULL,
    dag_id VARCHAR(250) NOT NULL,
    run_id VARCHAR(250) NOT NULL,
    task_id VARCHAR(250) NOT NULL,
    target_table VARCHAR(128) NOT NULL,
    window_start TIMESTAMP,
    window_end TIMESTAMP,
    rows_deleted BIGINT NOT NULL,
    rows_inserted BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    files BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP NOT NULL,
    PRIMARY KEY (load_id)
)
DISTSTYLE EVEN
SORTKEY (target_table, window_end);

-- Source rows that were not staged, as the newest load of their file found them: those that COPY passed over
-- under max_errors, and those outside the time of their file. A line that is not known is NULL.
CREATE TABLE IF NOT EXISTS ops.rejected_rows (
    file VARCHAR(1280) NOT NULL,
    line BIGINT,
    "column" VARCHAR(128),
    value VARCHAR(1024),
    reason VARCHAR(512),
    raw_text VARCHAR(4096),
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (file);

-- Rows because of which a load failed, as the newest such load of their file named them: it staged nothing,
-- and the window is its run's. They stay until a load stages the file.
CREATE TABLE IF NOT EXISTS ops.refused_rows (
    file VARCHAR(1280) NOT NULL,
    line BIGINT,
    "column" VARCHAR(128),
    value VARCHAR(1024),
    reason VARCHAR(512),
    raw_text VARCHAR(4096),
    load_id VARCHAR(64) NOT NULL,
    etag VARCHAR(128),
    dag_id VARCHAR(250) NOT NULL,
    run_id VARCHAR(250) NOT NULL,
    task_id VARCHAR(250) NOT NULL,
    target_table VARCHAR(128) NOT NULL,
    window_start TIMESTAMP,
    window_end TIMESTAMP,
    refused_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (file);

-- Rejected and refused rows (load_id) that a later load of their file (settled_by) no longer found:
-- corrected, or gone from the file. Written in the transaction that stages the file, once for each row.
CREATE TABLE IF NOT EXISTS ops.settled_rows (
    file VARCHAR(1280) NOT NULL,
    line BIGINT,
    "column" VARCHAR(128),
    value VARCHAR(1024),
    reason VARCHAR(512),
    raw_text VARCHAR(4096),
    load_id VARCHAR(64) NOT NULL,
    settled_by VARCHAR(64) NOT NULL,
    settled_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (settled_at);

-- The fields of the files of a staging table, each with every kind of value that was ever seen in it, or that
-- it was missing, and the version of a file in which that was first noticed.
CREATE TABLE IF NOT EXISTS ops.source_fields (
    dataset VARCHAR(128) NOT NULL,
    field VARCHAR(256) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    file VARCHAR(1280) NOT NULL,
    etag VARCHAR(128) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    seen_at TIMESTAMP NOT NULL
)
DISTSTYLE ALL;

-- One row per check of a task's run; running it again replaces its rows, which the sort key finds without
-- reading those of all runs before.
CREATE TABLE IF NOT EXISTS ops.quality_results (
    checked_at TIMESTAMP NOT NULL,
    dag_id VARCHAR(250) NOT NULL,
    run_id VARCHAR(250) NOT NULL,
    task_id VARCHAR(250) NOT NULL,
    window_start TIMESTAMP,
    window_end TIMESTAMP,
    check_name VARCHAR(250) NOT NULL,
    check_kind VARCHAR(32) NOT NULL,
    table_name VARCHAR(250),
    severity VARCHAR(8) NOT NULL,
    status VARCHAR(8) NOT NULL,
    observed VARCHAR(1000),
    expected VARCHAR(1000),
    detail VARCHAR(4000)
)
DISTSTYLE EVEN
SORTKEY (dag_id, run_id, task_id);

-- What checks compare with their past: one number for each question (a digest of it) and window, the one
-- measured last, by whatever run.
CREATE TABLE IF NOT EXISTS ops.quality_measures (
    measure_id VARCHAR(64) NOT NULL,
    check_name VARCHAR(250) NOT NULL,
    table_name VARCHAR(250) NOT NULL,
    window_start TIMESTAMP NOT NULL,
    window_end TIMESTAMP NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    measured_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (measure_id, window_start);

-- Loads of a staging table that changed rows which others may have read: a window that was staged again
-- because its files changed, or files that were staged without a window (both ends NULL).
CREATE TABLE IF NOT EXISTS ops.changes (
    source_table VARCHAR(128) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    window_start TIMESTAMP,
    window_end TIMESTAMP
)
DISTSTYLE EVEN
SORTKEY (source_table, load_id);

-- Which changes (ops.changes) a table that follows a staging table has taken in, and by which load.
CREATE TABLE IF NOT EXISTS ops.changes_taken (
    target_table VARCHAR(128) NOT NULL,
    change_load_id VARCHAR(64) NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (target_table, change_load_id);

-- Up to when a staging table has forgotten what was staged, by the param of warehouse_maintenance; time of
-- before that is in it as far as a load in ops.loads still has it as its window. Of ops.loads: loads that
-- ended before that may no longer be on record.
CREATE TABLE IF NOT EXISTS ops.retention (
    dataset VARCHAR(128) NOT NULL,
    forgotten_before TIMESTAMP NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE ALL;
