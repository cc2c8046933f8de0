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
