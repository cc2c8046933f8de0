-- Which loads of a staging table the facts of a target have taken in (late_arrivals_sql of LoadFactOperator).
CREATE TABLE IF NOT EXISTS ops.late_arrivals (
    target_table VARCHAR(128) NOT NULL,
    source_load_id VARCHAR(64) NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (target_table, source_load_id);
