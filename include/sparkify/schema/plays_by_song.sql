-- Finds the plays of a song without reading all plays: a row for each play under what its event names, and
-- one under the id of its song.
CREATE TABLE IF NOT EXISTS plays_by_song (
    name VARCHAR(32) NOT NULL,
    songplay_id VARCHAR(32) NOT NULL,
    start_time TIMESTAMP NOT NULL,
    user_id INTEGER NOT NULL,
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION
)
DISTKEY (user_id)
SORTKEY (name);
