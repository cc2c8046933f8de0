-- The plays that songplays has just got, each under what it names and under the song it points to. RTRIM,
-- because titles that differ by spaces at their end are equal.
INSERT INTO plays_by_song (name, songplay_id, start_time, user_id, song, artist, length)
SELECT
    MD5(RTRIM(song) || '|' || RTRIM(artist)) AS name,
    songplay_id,
    start_time,
    user_id,
    song,
    artist,
    length
FROM sparkify_incoming
WHERE song IS NOT NULL AND artist IS NOT NULL
UNION ALL
SELECT
    song_id AS name,
    songplay_id,
    start_time,
    user_id,
    song,
    artist,
    length
FROM sparkify_incoming
WHERE song_id IS NOT NULL;
