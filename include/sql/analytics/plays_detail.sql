-- The latest plays in full: who played which song of which artist, when, where, and on which plan just then.
-- Songs that the catalogue does not hold stay empty: the play counts, its song is unknown.
SELECT
    songplays.start_time,
    time.weekday,
    users.first_name,
    users.last_name,
    songplays.level,
    songs.title,
    artists.name AS artist,
    songplays.location
FROM songplays
INNER JOIN users ON songplays.user_id = users.user_id
INNER JOIN time ON songplays.start_time = time.start_time
LEFT JOIN songs ON songplays.song_id = songs.song_id
LEFT JOIN artists ON songplays.artist_id = artists.artist_id
ORDER BY songplays.start_time DESC, songplays.songplay_id ASC
LIMIT 10;
