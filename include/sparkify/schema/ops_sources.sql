-- The source of each staging table: what another source staged would replace its rows, unless it is appended.
CREATE TABLE IF NOT EXISTS ops.sources (
    dataset VARCHAR(128) NOT NULL,
    source VARCHAR(1280) NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE ALL;
