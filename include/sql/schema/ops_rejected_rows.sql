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
