-- Which late loads of a staging table a target has taken in: songs by its late_arrivals_sql, windows that
-- were staged again (ops.late_windows) by its late_windows_of.
CREATE TABLE IF NOT EXISTS ops.late_arrivals (
    target_table VARCHAR(128) NOT NULL,
    source_load_id VARCHAR(64) NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (target_table, source_load_id);
