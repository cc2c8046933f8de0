-- The plays that the pipeline's SELECT has given, without what is kept beside them.
INSERT INTO songplays
SELECT
    songplay_id,
    start_time,
    user_id,
    level,
    song_id,
    artist_id,
    session_id,
    location,
    user_agent
FROM sparkify_incoming;
