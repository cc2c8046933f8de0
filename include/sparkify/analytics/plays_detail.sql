-- The latest plays in full: who played which song of which artist, when, and on which plan just then.
-- Plays of songs that the catalogue does not hold come in with LEFT JOIN to songs and artists.
SELECT
    songplays.start_time,
    time.weekday,
    songplays.level,
    songs.title,
    artists.name AS artist,
    users.first_name || ' ' || users.last_name AS listener
FROM songplays
INNER JOIN users ON songplays.user_id = users.user_id
INNER JOIN time ON songplays.start_time = time.start_time
INNER JOIN songs ON songplays.song_id = songs.song_id
INNER JOIN artists ON songplays.artist_id = artists.artist_id
ORDER BY songplays.start_time DESC, songplays.songplay_id ASC
LIMIT 10;
