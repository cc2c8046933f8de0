-- In the manner of the warehouse project: identities, keys, lateral aliases, DISTINCT with ORDER BY.
DROP TABLE IF EXISTS songplays, users, songs, artists, "time", staging_events, staging_songs;
CREATE TABLE IF NOT EXISTS staging_events (
    event_id BIGINT IDENTITY(0,1) NOT NULL, artist VARCHAR, auth VARCHAR, firstName VARCHAR, gender VARCHAR,
    itemInSession VARCHAR, lastName VARCHAR, length VARCHAR, level VARCHAR, location VARCHAR, method VARCHAR,
    page VARCHAR, registration VARCHAR, sessionId INTEGER NOT NULL SORTKEY DISTKEY, song VARCHAR,
    status INTEGER, ts BIGINT NOT NULL, userAgent VARCHAR(1024), userId VARCHAR
);
CREATE TABLE IF NOT EXISTS staging_songs (
    num_songs INTEGER, artist_id VARCHAR NOT NULL SORTKEY DISTKEY, artist_latitude VARCHAR,
    artist_longitude VARCHAR, artist_location VARCHAR(500), artist_name VARCHAR(500), song_id VARCHAR NOT NULL,
    title VARCHAR(500), duration DECIMAL(9), year INTEGER
);
CREATE TABLE IF NOT EXISTS users (
    user_id INTEGER NOT NULL PRIMARY KEY SORTKEY, first_name VARCHAR(50), last_name VARCHAR(80),
    gender VARCHAR(10), level VARCHAR(10)
) DISTSTYLE ALL;
CREATE TABLE IF NOT EXISTS artists (
    artist_id VARCHAR(50) NOT NULL PRIMARY KEY SORTKEY, name VARCHAR(500), location VARCHAR(500),
    latitude DECIMAL(9), longitude DECIMAL(9)
) DISTSTYLE ALL;
CREATE TABLE IF NOT EXISTS songs (
    song_id VARCHAR(50) NOT NULL PRIMARY KEY SORTKEY, title VARCHAR(500) NOT NULL,
    artist_id VARCHAR(50) NOT NULL REFERENCES artists (artist_id), year INTEGER NOT NULL, duration DECIMAL(9)
);
CREATE TABLE IF NOT EXISTS time (
    start_time TIMESTAMP NOT NULL PRIMARY KEY SORTKEY, hour SMALLINT, day SMALLINT, week SMALLINT,
    month SMALLINT, year SMALLINT, weekday SMALLINT
) DISTSTYLE ALL;
CREATE TABLE IF NOT EXISTS songplays (
    songplay_id INTEGER IDENTITY(0,1) PRIMARY KEY, start_time TIMESTAMP NOT NULL SORTKEY REFERENCES time,
    user_id INTEGER NOT NULL DISTKEY REFERENCES users (user_id), level VARCHAR(10) NOT NULL,
    song_id VARCHAR(50), artist_id VARCHAR(50), session_id VARCHAR(50) NOT NULL, location VARCHAR(100),
    user_agent VARCHAR(255)
);
COPY staging_events FROM 's3://{bucket}/log_data' credentials 'aws_iam_role={role}'
    region 'us-east-1' format as json 's3://{bucket}/log_json_path.json';
COPY staging_songs FROM 's3://{bucket}/song_data' credentials 'aws_iam_role={role}' region 'us-east-1'
    json 'auto' COMPUPDATE OFF STATUPDATE OFF;
INSERT INTO songplays (start_time, user_id, level, song_id, artist_id, session_id, location, user_agent)
SELECT DISTINCT TIMESTAMP 'epoch' + e.ts / 1000 * INTERVAL '1 second' AS start_time, e.userId::INTEGER AS user_id,
    e.level, s.song_id, s.artist_id, e.sessionId AS session_id, e.location, e.userAgent AS user_agent
FROM staging_events e
LEFT JOIN staging_songs s ON e.song = s.title AND e.artist = s.artist_name
WHERE e.page = 'NextSong' AND e.userId <> 0
ORDER BY user_id;
INSERT INTO users (user_id, first_name, last_name, gender, level)
SELECT DISTINCT userId::INTEGER, firstName, lastName, gender, level FROM staging_events
WHERE page = 'NextSong' AND userId NOT IN (SELECT user_id FROM users) AND gender <> 10;
INSERT INTO artists SELECT DISTINCT artist_id, artist_name, artist_location, artist_latitude::DECIMAL(9),
    artist_longitude::DECIMAL(9) FROM staging_songs;
INSERT INTO songs SELECT DISTINCT song_id, title, artist_id, year, duration FROM staging_songs;
INSERT INTO time
SELECT DISTINCT TIMESTAMP 'epoch' + ts / 1000 * INTERVAL '1 second' AS start_time,
    EXTRACT(hour FROM start_time) AS hour, EXTRACT(day FROM start_time), EXTRACT(week FROM start_time),
    EXTRACT(month FROM start_time), EXTRACT(year FROM start_time), EXTRACT(weekday FROM start_time) AS weekday
FROM staging_events WHERE page = 'NextSong' AND hour BETWEEN 0 AND 23
