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
