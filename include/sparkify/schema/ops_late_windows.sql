-- Windows of a staging table that were staged again because their files changed; which facts and dimensions
-- have taken each of them in is kept in ops.late_arrivals.
CREATE TABLE IF NOT EXISTS ops.late_windows (
    source_table VARCHAR(128) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    window_start TIMESTAMP NOT NULL,
    window_end TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (source_table, load_id);
