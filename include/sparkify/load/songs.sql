-- Every song of the catalogue whose artist is there already: no song ever points to a missing artist.
SELECT
    staging_songs.song_id,
    staging_songs.title,
    staging_songs.artist_id,
    staging_songs.year,
    staging_songs.duration
FROM staging_songs
LEFT JOIN artists ON staging_songs.artist_id = artists.artist_id
WHERE staging_songs.artist_id IS NULL OR artists.artist_id IS NOT NULL;
