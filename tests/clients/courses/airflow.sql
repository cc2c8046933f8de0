-- In the manner of the Airflow project: a play's key is the MD5 of an INTEGER and a TIMESTAMP put together.
DROP TABLE IF EXISTS songplays, users, songs, artists, "time", staging_events, staging_songs;
CREATE TABLE staging_events (
    artist varchar(256), auth varchar(256), firstname varchar(256), gender varchar(256), iteminsession int4,
    lastname varchar(256), length numeric(18,0), "level" varchar(256), location varchar(256),
    "method" varchar(256), page varchar(256), registration numeric(18,0), sessionid int4, song varchar(256),
    status int4, ts int8, useragent varchar(256), userid int4
);
CREATE TABLE staging_songs (
    num_songs int4, artist_id varchar(256), artist_name varchar(512), artist_latitude numeric(18,0),
    artist_longitude numeric(18,0), artist_location varchar(512), song_id varchar(256), title varchar(512),
    duration numeric(18,0), "year" int4
);
CREATE TABLE songplays (
    playid varchar(32) NOT NULL, start_time timestamp NOT NULL, userid int4 NOT NULL, "level" varchar(256),
    songid varchar(256), artistid varchar(256), sessionid int4, location varchar(256), user_agent varchar(256),
    CONSTRAINT songplays_pkey PRIMARY KEY (playid)
);
CREATE TABLE users (
    userid int4 NOT NULL, first_name varchar(256), last_name varchar(256), gender varchar(256),
    "level" varchar(256), CONSTRAINT users_pkey PRIMARY KEY (userid)
);
CREATE TABLE songs (songid varchar(256) NOT NULL, title varchar(512), artistid varchar(256), "year" int4,
    duration numeric(18,0), CONSTRAINT songs_pkey PRIMARY KEY (songid));
CREATE TABLE artists (artistid varchar(256) NOT NULL, name varchar(512), location varchar(512),
    lattitude numeric(18,0), longitude numeric(18,0));
CREATE TABLE "time" (
    start_time timestamp NOT NULL, "hour" int4, "day" int4, week int4, "month" varchar(256), "year" int4,
    weekday varchar(256), CONSTRAINT time_pkey PRIMARY KEY (start_time)
);
COPY staging_events FROM 's3://{bucket}/log_data' ACCESS_KEY_ID '{key}' SECRET_ACCESS_KEY '{secret}'
    REGION 'us-east-1' JSON 's3://{bucket}/log_json_path.json';
COPY staging_songs FROM 's3://{bucket}/song_data' ACCESS_KEY_ID '{key}' SECRET_ACCESS_KEY '{secret}'
    REGION 'us-east-1' JSON 'auto';
INSERT INTO songplays
SELECT
    md5(played.sessionid || played.start_time) AS play, played.start_time, played.userid, played.level,
    found.song_id, found.artist_id, played.sessionid, played.location, played.useragent
FROM (
    SELECT TIMESTAMP 'epoch' + ts / 1000 * interval '1 second' AS start_time, *
    FROM staging_events WHERE page = 'NextSong'
) played
LEFT JOIN staging_songs found ON played.song = found.title AND played.artist = found.artist_name;
INSERT INTO users SELECT DISTINCT userid, firstname, lastname, gender, level FROM staging_events
    WHERE page = 'NextSong';
INSERT INTO songs SELECT DISTINCT song_id, title, artist_id, year, duration FROM staging_songs;
INSERT INTO artists SELECT DISTINCT artist_id, artist_name, artist_location, artist_latitude, artist_longitude
    FROM staging_songs;
INSERT INTO time
SELECT start_time, extract(hour from start_time), extract(day from start_time), extract(week from start_time),
    extract(month from start_time), extract(year from start_time), extract(dayofweek from start_time)
FROM songplays
