-- One row per version of a source file that was staged; committed together with its rows.
CREATE TABLE IF NOT EXISTS ops.staged_files (
    dataset VARCHAR(128) NOT NULL,
    bucket VARCHAR(128) NOT NULL,
    key VARCHAR(1024) NOT NULL,
    etag VARCHAR(128) NOT NULL,
    size BIGINT NOT NULL,
    last_modified TIMESTAMP NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    staged_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (dataset, key);
