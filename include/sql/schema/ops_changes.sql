-- Loads of a staging table that changed rows which others may have read: a window that was staged again because
-- its files changed, or files that were staged without a window (both ends NULL).
CREATE TABLE IF NOT EXISTS ops.changes (
    source_table VARCHAR(128) NOT NULL,
    load_id VARCHAR(64) NOT NULL,
    window_start TIMESTAMP,
    window_end TIMESTAMP
)
DISTSTYLE EVEN
SORTKEY (source_table, load_id);
