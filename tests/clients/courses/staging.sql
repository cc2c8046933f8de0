CREATE TABLE raw.staging_events (
    artist VARCHAR, auth VARCHAR, firstname VARCHAR, gender CHAR(1), iteminsession INTEGER, lastname VARCHAR,
    length FLOAT, level VARCHAR, location VARCHAR, method VARCHAR, page VARCHAR, registration FLOAT,
    sessionid INTEGER, song VARCHAR, status INTEGER, ts BIGINT, useragent VARCHAR(1024), userid INTEGER
);
CREATE TABLE raw.staging_songs (
    num_songs INTEGER, artist_id VARCHAR, artist_latitude FLOAT, artist_longitude FLOAT,
    artist_location VARCHAR(512), artist_name VARCHAR(512), song_id VARCHAR, title VARCHAR(512),
    duration FLOAT, year INTEGER
);
COPY raw.staging_events FROM 's3://{bucket}/log_data/' IAM_ROLE default JSON 's3://{bucket}/log_json_path.json';
COPY raw.staging_songs FROM 's3://{bucket}/song_data/' IAM_ROLE default JSON 'auto'
