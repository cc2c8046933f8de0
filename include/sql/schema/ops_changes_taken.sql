-- Which changes (ops.changes) a table that follows a staging table has taken in, and by which load.
CREATE TABLE IF NOT EXISTS ops.changes_taken (
    target_table VARCHAR(128) NOT NULL,
    change_load_id VARCHAR(64) NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (target_table, change_load_id);
