-- Every event of every staged window, once per source line, unfiltered.
-- The columns stand in the order of include/sparkify/log_events.json, then load_id.
CREATE TABLE IF NOT EXISTS staging_events (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(256),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(256),
    -- Double: COPY reads JSON numbers as floating point, and DECIMAL would cut their last digit off.
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(512),
    method VARCHAR(16),
    page VARCHAR(64),
    -- Epoch milliseconds, written as 1540919166796.0.
    registration DOUBLE PRECISION,
    session_id INTEGER,
    song VARCHAR(1024),
    status INTEGER,
    ts TIMESTAMP,
    user_agent VARCHAR(1024),
    user_id INTEGER,
    load_id VARCHAR(64)
)
-- As songplays and users, which are made from it.
DISTKEY (user_id)
SORTKEY (ts);
