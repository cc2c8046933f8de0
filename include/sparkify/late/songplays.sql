-- Song and artist of earlier plays, as plays_found.sql has found them.
UPDATE songplays
SET song_id = sparkify_completed.song_id, artist_id = sparkify_completed.artist_id
FROM sparkify_completed
WHERE
    songplays.songplay_id = sparkify_completed.songplay_id
    -- The keys that the table is distributed and sorted by: no node has to send its plays to another.
    AND songplays.user_id = sparkify_completed.user_id
    AND songplays.start_time = sparkify_completed.start_time
    AND songplays.start_time IN (%(times)s) -- noqa: RF02
    AND (
        COALESCE(songplays.song_id, '') <> COALESCE(sparkify_completed.song_id, '')
        OR COALESCE(songplays.artist_id, '') <> COALESCE(sparkify_completed.artist_id, '')
    );

INSERT INTO plays_by_song (name, songplay_id, start_time, user_id, song, artist, length)
SELECT
    song_id AS name,
    songplay_id,
    start_time,
    user_id,
    song,
    artist,
    length
FROM sparkify_completed
WHERE song_id IS NOT NULL AND is_kept = 0;
