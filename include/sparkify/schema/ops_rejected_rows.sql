-- Source rows that COPY passed over under max_errors, as the newest load of their file found them.
CREATE TABLE IF NOT EXISTS ops.rejected_rows (
    file VARCHAR(1280) NOT NULL,
    line BIGINT NOT NULL,
    "column" VARCHAR(128),
    reason VARCHAR(512),
    raw_text VARCHAR(4096),
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (file);
