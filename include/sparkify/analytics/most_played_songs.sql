-- Which songs of the catalogue are played most?
-- Chart: plays by title.
SELECT
    songs.title,
    artists.name AS artist,
    COUNT(*) AS plays,
    COUNT(DISTINCT songplays.user_id) AS listeners
FROM songplays
INNER JOIN songs ON songplays.song_id = songs.song_id
INNER JOIN artists ON songplays.artist_id = artists.artist_id
GROUP BY songs.song_id, songs.title, artists.name
ORDER BY plays DESC, listeners DESC, songs.title ASC, songs.song_id ASC
LIMIT 10;
