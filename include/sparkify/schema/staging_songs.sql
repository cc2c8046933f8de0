-- The newest version of each song of the catalogue.
CREATE TABLE IF NOT EXISTS staging_songs (
    num_songs INTEGER,
    song_id VARCHAR(32),
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER,
    artist_id VARCHAR(32),
    artist_name VARCHAR(1024),
    artist_location VARCHAR(1024),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    load_id VARCHAR(64)
)
DISTSTYLE ALL
SORTKEY (song_id);
