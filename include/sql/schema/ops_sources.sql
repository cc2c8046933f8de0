-- The one source of each staging table that is not appended to: what another source staged would replace its rows.
CREATE TABLE IF NOT EXISTS ops.sources (
    dataset VARCHAR(128) NOT NULL,
    source VARCHAR(1280) NOT NULL,
    load_id VARCHAR(64) NOT NULL
)
DISTSTYLE ALL;
